"""The files of each host: those of the image, what the user changes in them, what is rendered for the host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sealpy.distributors import Edit, Tree, content, edited, image_file, image_tree, is_rendered, rendered_tree
from sealpy.image.cluster_image import ClusterImage

__all__ = ["Files"]

_SUFFIX = ".tmpl"


class Files:
    """Make the tree of each host, once.

    A template is edited before it is rendered and any other file afterwards, so that nothing of the user's is lost.
    """

    def __init__(
        self, image: ClusterImage, registry: Iterable[str], env: Mapping[str, Mapping[str, str]], edits: Iterable[Edit]
    ) -> None:
        """Take the image, the hosts that get the registry's data, the whole environment of each host, and the edits."""
        self._image = image
        self._registry = frozenset(registry)
        self._env = env
        self._edits = tuple(edits)
        self._plain: dict[bool, Tree] = {}
        self._trees: dict[str, Tree] = {}

    def tree(self, address: str) -> Tree:
        """Give the tree of a host; raises ClusterfileError or TemplateError with the place of what cannot be made."""
        if address not in self._trees:
            registry = address in self._registry
            if registry not in self._plain:
                self._plain[registry] = image_tree(self._image, registry=registry)
            self._trees[address] = self._made(self._plain[registry], address, self._edits)
        return self._trees[address]

    def read(self, address: str, path: str) -> bytes | None:
        """Give the bytes of one file as it will be on a host, without making the others; None when there is none."""
        paths = (path, path + _SUFFIX)
        few = Tree({name: image_file(self._image, name) for name in paths if name in self._image.files})
        tree = self._made(few, address, [edit for edit in self._edits if edit.path in paths])
        return content(tree.files[path], self._image.read) if path in tree.files else None

    def _made(self, tree: Tree, address: str, edits: Iterable[Edit]) -> Tree:
        env = self._env[address]
        app_env = {app.name: {**env, **app.env} for app in self._image.metadata.applications}
        templates = [edit for edit in edits if is_rendered(edit.path)]
        others = [edit for edit in edits if not is_rendered(edit.path)]
        read = self._image.read
        rendered = rendered_tree(edited(tree, templates, read=read), read=read, env=env, app_env=app_env)
        return edited(rendered, others, read=read)
