"""Search a rootfs for container images: lists, manifests, templates, charts and kustomizations."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from sealpy.errors import BadReferenceError, ImageError, Place, Problem, counted
from sealpy.gotemplate import NO_VALUE
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.finding import likeness
from sealpy.image.finding.documents import NotYamlError, documents
from sealpy.image.finding.launching import Launches
from sealpy.image.finding.mention import IMAGE_LIST, Doubt, Found, Mention, listed
from sealpy.image.finding.rendering import Rendered, Rendering
from sealpy.image.finding.resources import Sight, read_document
from sealpy.image.finding.rootfs import SEARCHED, TEMPLATE, Files, Rootfs, app_of
from sealpy.image.finding.rules import IMAGE_RULES, Rules, builtin
from sealpy.image.kube_version import VERSION_LABEL
from sealpy.image.metadata import APP_ROOT, PLUGIN_DIRECTORIES, ContainerImageUse, Metadata, Spot
from sealpy.image.reference import Reference

__all__ = ["find"]

_YAML = (".yaml", ".yml", ".json")
_MANIFESTS = ("manifests/", f"{APP_ROOT}/")
_REGISTRY = "registry/"
_NOT_LOOKED_INTO = (_REGISTRY, *(f"{directory}/" for directory in PLUGIN_DIRECTORIES), ".sealpy/")


def find(
    new: Files,
    *,
    metadata: Metadata,
    context: Path,
    base: ClusterImage | None = None,
    ignored: Collection[Reference] = (),
) -> Found:
    """Find the container images that new files of a rootfs name.

    `metadata` gives the variables for templates and the commands by which charts are launched; files in `context` are
    called in messages as they are there. Files of `base` are not searched again, unless new variables or commands make
    something else of them. Raises ImageError with every place that is wrong, and for a program (helm, kustomize) that
    is needed and is not there.
    """
    before = base.metadata if base else None
    launches = Launches.of(metadata, before)
    files = _files_of(base) if base else {}
    rootfs = Rootfs(new, files, metadata=metadata, before=before, launches=launches, context=context)
    rules, problems = _rules_of(rootfs)
    search = _Search(rootfs, rules, ignored=ignored, problems=[*rootfs.problems, *problems])
    kubernetes = metadata.labels.get(VERSION_LABEL, "")
    rendering = Rendering.of(rootfs, launches, kubernetes=kubernetes, skips=rules.skips)
    search.files(launches, without=rendering.directories)
    search.lost(rendering.lost)
    for rendered in rendering.outputs():
        search.output(rendered)
    if search.problems:
        message = f"{counted(len(search.problems), 'place')} where container images cannot be told"
        raise ImageError(message, problems=search.problems, hint="mend these places")
    return dataclasses.replace(search.found(), inherited=_still_named(base, rootfs, rendering) if base else ())


def _still_named(base: ClusterImage, rootfs: Rootfs, rendering: Rendering) -> tuple[ContainerImageUse, ...]:
    """Give the images of the base with those of their places that are as they were."""
    again = tuple(f"{path}/" for path in (*(call.path for call in rendering.helm), *rendering.kustomize))

    def stands(spot: Spot) -> bool:
        return not rootfs.is_new(spot.file.removesuffix(TEMPLATE)) and not f"{spot.file}/".startswith(again)

    return tuple(
        use.model_copy(update={"found_in": tuple(spot for spot in use.found_in if stands(spot))})
        for use in base.metadata.container_images
    )


def _files_of(base: ClusterImage) -> Files:
    items = {path: base.item(entry) for path, entry in base.files.items() if not path.startswith(_REGISTRY)}
    return {path: (item.member, item.source) for path, item in items.items()}


def _rules_of(rootfs: Rootfs) -> tuple[Rules, list[Problem]]:
    if IMAGE_RULES not in rootfs:
        return builtin(), []
    return builtin().adding(rootfs.read(IMAGE_RULES), shown=rootfs.shown(IMAGE_RULES))


class _Search:
    """Collect mentions, doubts and problems of one rootfs."""

    def __init__(
        self, rootfs: Rootfs, rules: Rules, *, ignored: Collection[Reference], problems: Sequence[Problem]
    ) -> None:
        self._rootfs = rootfs
        self._rules = rules
        self._ignored = ignored
        self._mentions: dict[Reference, list[Mention]] = defaultdict(list)
        self._doubts: list[Doubt] = []
        self.problems = list(problems)

    def files(self, launches: Launches, *, without: Collection[str]) -> None:
        """Search what is new, or newly launched, but for the directories that are rendered by a program."""
        rendered = tuple(f"{directory}/" for directory in without)
        fresh = [call for call in launches.applied if launches.is_new(call)]
        for path in self._rootfs:
            if path.startswith(rendered) or self._rules.skips(path):
                continue
            if self._rootfs.is_new(path) or any(call.covers(path) for call in fresh):
                self._file(path, applied=any(call.covers(path) for call in launches.applied))

    def lost(self, paths: Sequence[str]) -> None:
        """Doubt what launch commands name and the rootfs does not hold."""
        for path in paths:
            spot = Spot(file="", rule=f"{path!r} is not in the image, so nobody knows which images it names")
            self._doubts.append(Doubt("", Place("launch commands"), spot))

    def _file(self, path: str, *, applied: bool) -> None:
        is_manifest = path.endswith(_YAML) and (applied or path.startswith(_MANIFESTS))
        if is_manifest and self._rootfs.is_large(path):
            spot = Spot(file=path, rule="the file is too large to be a manifest, and was not searched")
            self._doubts.append(Doubt("", Place(self._rootfs.shown(path)), spot))
        elif is_manifest:
            self._manifest(path)
        elif path == IMAGE_LIST:
            mentions, wrong = listed(self._rootfs.read(path), shown=self._rootfs.shown(path))
            self._keep(mentions)
            self.problems += wrong
        elif path.endswith(_YAML) and not path.startswith((*SEARCHED, *_NOT_LOOKED_INTO)):
            self._elsewhere(path)

    def found(self) -> Found:
        """Give all that was found; what looks like an image that is taken anyway is no doubt."""
        taken = {*self._mentions, *self._ignored}
        names = {(one.domain, one.path, one.tag) for one in taken}
        doubts = [
            doubt
            for doubt in self._doubts
            if (one := likeness.parsed(doubt.text)) is None or (one.domain, one.path, one.tag) not in names
        ]
        return Found(dict(self._mentions), tuple(doubts))

    # ---- files

    def _manifest(self, path: str) -> None:
        shown = self._rootfs.shown(path)
        try:
            for number, document in documents(self._rootfs.read(path)):
                for sight in read_document(document, self._rules):
                    line = self._rootfs.line(path, sight.line, text=sight.text)
                    file = self._rootfs.origin(path)
                    spot = Spot(file=file, line=line, document=number, path=sight.path, rule=sight.rule)
                    self._sight(sight, Place(shown, line), spot)
        except NotYamlError as error:
            what = "what the template is filled to is " if self._rootfs.is_rendered(path) else ""
            line = 0 if self._rootfs.is_rendered(path) else error.line
            problem = Problem(f"{what}{error.message}", Place(shown, line), error.hint)
            self.problems.append(self._with_way_out(problem, path))

    def _elsewhere(self, path: str) -> None:
        """Doubt whether pods in a file that is not searched are ever applied."""
        data = b"" if self._rootfs.is_large(path) else self._rootfs.read(path)
        if b"image:" not in data and b'"image"' not in data:
            return
        shown = self._rootfs.shown(path)
        try:
            for number, document in documents(data):
                for sight in read_document(document, self._rules):
                    if sight.sort == "named":
                        rule = f"{sight.rule} in a file that is neither below manifests/ nor launched"
                        spot = Spot(file=path, line=sight.line, document=number, path=sight.path, rule=rule)
                        self._doubts.append(Doubt(sight.text, Place(shown, sight.line), spot))
        except NotYamlError:
            return  # a configuration of something else, which is none of our business

    def output(self, rendered: Rendered) -> None:
        """Search what a program has rendered."""
        self.problems += [self._with_way_out(problem, rendered.path) for problem in rendered.problems]
        try:
            for number, document in documents(rendered.data):
                file = rendered.file_of(number, document)
                for sight in read_document(document, self._rules):
                    spot = Spot(file=file, path=sight.path, rule=f"{sight.rule} ({rendered.rule})")
                    self._sight(sight, Place(self._rootfs.shown(file)), spot)
        except NotYamlError as error:
            shown = self._rootfs.shown(rendered.path)
            problem = Problem(f"what it is rendered to is {error.message}", Place(shown), error.hint)
            self.problems.append(self._with_way_out(problem, rendered.path))

    # ---- what is kept

    def _with_way_out(self, problem: Problem, path: str) -> Problem:
        hint = f"{problem.hint}; or leave it out by a line 'skip: [{path}]' in {IMAGE_RULES}"
        return dataclasses.replace(problem, hint=hint)

    def _sight(self, sight: Sight, place: Place, spot: Spot) -> None:
        if sight.sort == "doubt":
            self._doubts.append(Doubt(sight.text, place, spot, sight.remedy))
            return
        try:
            self._keep([Mention(Reference.parse(sight.text), place, spot, app_of(spot.file))])
        except BadReferenceError as error:
            message, hint = error.message, error.hint
            if NO_VALUE in sight.text:
                message = f"image name {sight.text!r}: a variable in it has no value"
                hint = "give it by ENV or APPENV in the Kubefile, or list the image in manifests/imageList"
            self.problems.append(Problem(message, place, hint))

    def _keep(self, mentions: Sequence[Mention]) -> None:
        for mention in mentions:
            if mention.reference not in self._ignored:
                self._mentions[mention.reference].append(mention)
