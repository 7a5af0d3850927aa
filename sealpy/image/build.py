"""Build a cluster image from a Kubefile.

FROM hands down layers, apps, labels, env and container images. Each COPY and APP is one layer. Then the new manifests
are searched for container images, which are taken out of local archives and laid out as `registry/`. Nothing is run and
nothing is fetched, and the same input gives the same digest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal, assert_never

from sealpy.errors import BadReferenceError, KubefileError, Place, StoreError
from sealpy.events import Emit, Warned
from sealpy.image import apps, copy
from sealpy.image.archives import Library
from sealpy.image.assemble import Layer, assemble, host_architecture, write_layer
from sealpy.image.bundle import bundle, search
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import APP_ROOT
from sealpy.image.progress import Progress
from sealpy.image.recipe import CNI_LABEL, CSI_LABEL, Recipe
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.tarball import Content, Member, Source, ordered
from sealpy.kubefile import (
    Add,
    App,
    AppCmds,
    AppEnv,
    Arg,
    Cmd,
    Cmds,
    Cni,
    Copy,
    Csi,
    Env,
    From,
    Instruction,
    KubeVersion,
    Label,
    Launch,
    Maintainer,
    Run,
)
from sealpy.kubefile import load as load_kubefile

__all__ = ["ARCHIVES", "BuildMode", "build"]

ARCHIVES = "container-images"  # beside the Kubefile or in the context
BuildMode = Literal["all", "lite"]
"""`all` takes the container images in; `lite` leaves them out."""

_LOCAL = "local://"
_KUBE_VERSION = "app.alpha.sealer.io/supported-kube-version"


def build(
    kubefile: Path,
    *,
    context: Path,
    tag: str | Reference,
    store: Store,
    emit: Emit,
    build_args: Mapping[str, str] | None = None,
    container_images: Sequence[Path] = (),
    ignored_images: Collection[str] = (),
    mode: BuildMode = "all",
    type_: str = "",
    architecture: str = "",
) -> ClusterImage:
    """Build an image, name it and open it.

    `container_images` are archives of container images, OCI layouts, or directories of them; `container-images/` beside
    the Kubefile and in the context is searched as well. `type_` is `kube-installer` or `app-installer`; left empty it
    is told by what the image holds. Raises KubefileError, ImageError, StoreError and BadReferenceError, all of them
    before the name is given: an image that had it before stays.
    """
    name = tag if isinstance(tag, Reference) else Reference.parse(tag)
    ignored = {Reference.parse(text) for text in ignored_images}
    architecture = architecture or host_architecture()
    instructions = load_kubefile(kubefile, build_args=build_args or {}, arch=architecture)
    for notice in instructions.notices:
        emit(Warned(message=str(notice), hint=notice.hint))
    archives = _archives(kubefile, context, container_images)
    progress = Progress(emit, f"build {name.familiar}")
    with store.keeping():
        made = _Builder(kubefile, context=copy.Context(context, without=archives), store=store, progress=progress)
        for instruction in instructions.instructions:
            made.perform(instruction)
        wanted = search(made.files, context=context.resolve(), ignored=ignored, emit=emit)
        uses = wanted.uses(architecture) if mode == "all" else ()
        held = {*made.files, *(made.base.files if made.base else ())}
        metadata = made.recipe.metadata(type_=type_, files=held, uses=uses)
        layers = list(made.layers)
        if mode == "all":
            library = Library(archives, architecture=architecture)
            layers += bundle(store, wanted, library=library, base=made.base, progress=progress)
        image = assemble(store, name, base=made.base, layers=layers, metadata=metadata, architecture=architecture)
    progress.finish(f"{image.digest}")
    return image


def _archives(kubefile: Path, context: Path, given: Sequence[Path]) -> list[Path]:
    """List where container images are looked for; a directory that was named and is not there is an error."""
    for path in given:
        if not path.exists():
            raise KubefileError(f"{path}: no such archive or directory", hint="mend the path after --container-images")
    found = [*given]
    for directory in (kubefile.parent / ARCHIVES, context / ARCHIVES):
        if directory.is_dir() and directory.resolve() not in {path.resolve() for path in found}:
            found.append(directory)
    return found


class _Builder:
    """Perform the instructions of a Kubefile, one after the other."""

    def __init__(self, kubefile: Path, *, context: copy.Context, store: Store, progress: Progress) -> None:
        self._kubefile = kubefile
        self._context = context
        self._store = store
        self._progress = progress
        self.base: ClusterImage | None = None
        self.layers: list[Layer] = []
        self.files: dict[str, tuple[Member, Source]] = {}
        self.recipe = Recipe(kubefile)

    def perform(self, instruction: Instruction) -> None:  # noqa: C901, PLR0912 # one case for each instruction
        """Perform one instruction; raises KubefileError with its place."""
        line = instruction.line
        match instruction:
            case From():
                self._begin(instruction)
            case Copy():
                self._copy(instruction)
            case App(name=name, sources=sources):
                self._app(name, sources, line=line)
            case Cni(name=name, sources=sources):
                self._app(name, sources, line=line)
                self.recipe.labels[f"{CNI_LABEL}-{name}"] = "true"
            case Csi(name=name, sources=sources):
                self._app(name, sources, line=line)
                self.recipe.labels[f"{CSI_LABEL}-{name}"] = "true"
            case AppCmds(app=app, commands=commands):
                self.recipe.set_app_commands(app, commands, line=line)
            case AppEnv(app=app, values=values):
                self.recipe.set_app_env(app, values, line=line)
            case Env(values=values):
                self.recipe.env |= values
            case Label(values=values):
                self.recipe.labels |= values
            case Maintainer(name=name):
                self.recipe.labels["maintainer"] = name
            case KubeVersion(constraint=constraint):
                self.recipe.labels[_KUBE_VERSION] = constraint
            case Launch(apps=names):
                self.recipe.launch(names, line=line)
            case Cmds(commands=commands) | Cmd(commands=commands):
                self.recipe.launch_commands(commands)
            case Arg():
                pass  # its value stands in the other instructions already
            case Add():
                raise self._refusal("ADD", line, hint="use COPY for files of the context; download others before")
            case Run():
                raise self._refusal(
                    "RUN", line, hint="make the files before the build, or write a plugin that runs on hosts"
                )
            case _:
                assert_never(instruction)

    def _begin(self, instruction: From) -> None:
        if instruction.image == "scratch":
            return
        at = self._place(instruction.line)
        try:
            self.base = ClusterImage.open(self._store, instruction.image)
        except (StoreError, BadReferenceError) as error:
            raise KubefileError(error.message, place=at, hint=error.hint) from error
        self.recipe = Recipe(self._kubefile, self.base.metadata)

    def _copy(self, instruction: Copy) -> None:
        content = copy.place(
            self._context,
            instruction.sources,
            instruction.destination,
            at=self._place(instruction.line),
            directories=self._directories(),
            documents=instruction.documents,
        )
        names = " ".join((*(document.name for document in instruction.documents), *instruction.sources))
        self._add(
            f"COPY {names} {instruction.destination}",
            copy.owned(content, owner=instruction.owner, mode=instruction.mode),
        )

    def _app(self, name: str, sources: Sequence[str], *, line: int) -> None:
        at = self._place(line)
        content: Content = []
        for source in sources:
            if not source.startswith(_LOCAL):
                hint = f"download it into the context and write APP {name} local://FILE"
                raise KubefileError(f"APP {name}: {source!r} is not local", place=at, hint=hint)
            words = [source.removeprefix(_LOCAL)]
            content += ordered(copy.place(self._context, words, f"{APP_ROOT}/{name}/", at=at, directories=()))
        prefix = f"{APP_ROOT}/{name}/"
        paths = [member.path.removeprefix(prefix) for member, _ in content if member.kind == "file"]
        self.recipe.add_app(apps.detect(name, paths))
        self._add(f"APP {name}", content)

    def _add(self, title: str, content: Content) -> None:
        """Write a layer and remember its files."""
        content = ordered(content)
        total = sum(member.size for member, _ in content)
        self.layers.append(write_layer(self._store, content, on_bytes=self._progress.step(title, total=total)))
        self.files |= {member.path: (member, source) for member, source in content}

    def _directories(self) -> set[str]:
        """Give the directories that the rootfs has so far."""
        known = {path for path, (member, _) in self.files.items() if member.kind == "dir"}
        return known | {entry.path for entry in (self.base.files.values() if self.base else ()) if entry.kind == "dir"}

    def _place(self, line: int) -> Place:
        return Place(self._kubefile, line)

    def _refusal(self, instruction: str, line: int, *, hint: str) -> KubefileError:
        return KubefileError(f"{instruction} is not supported yet", place=self._place(line), hint=hint)
