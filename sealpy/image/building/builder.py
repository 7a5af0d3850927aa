"""Perform the instructions of a Kubefile, one after the other: files become layers, words become metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import assert_never

from sealpy.errors import KubefileError, Place
from sealpy.image.assemble import Layer
from sealpy.image.building import apps, copy
from sealpy.image.building.add import Fetcher, is_url, place_added
from sealpy.image.building.bases import Bases
from sealpy.image.building.copy_from import content_of, place_from, prove
from sealpy.image.building.download import name_of
from sealpy.image.building.layer_cache import key_of
from sealpy.image.building.problems import Problems
from sealpy.image.building.recipe import CNI_LABEL, CSI_LABEL, Recipe
from sealpy.image.building.run import Runner, environment, title
from sealpy.image.building.wish import BaseMode
from sealpy.image.building.workshop import Made, Works
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.files import Entry, merge
from sealpy.image.metadata import APP_ROOT
from sealpy.image.tarball import Content, Member, Range, Source, above, ordered
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
    Network,
    Run,
)

__all__ = ["Builder"]

_LOCAL = "local://"


@dataclass(slots=True, kw_only=True)
class Builder:
    """Collect what the instructions make: `layers` in their order, `held` as the rootfs is in the end, the `recipe`."""

    kubefile: Path
    context: copy.Context
    works: Works
    fetcher: Fetcher
    bases: Bases
    runner: Runner
    network: Network = "none"  # what RUN reaches when it does not say so itself
    base_mode: BaseMode = "kept"  # whether the metadata of the base are handed down
    base: ClusterImage | None = None
    layers: list[Layer] = field(default_factory=list)
    held: Mapping[str, Entry] = field(default_factory=dict)
    recipe: Recipe = field(init=False)
    _sources: dict[str, Source] = field(default_factory=dict)  # of new files

    def __post_init__(self) -> None:
        self.recipe = Recipe(self.kubefile)

    @property
    def files(self) -> dict[str, tuple[Member, Source]]:
        """Give what the Kubefile itself brings into the rootfs."""
        new = {path: entry for path, entry in self.held.items() if path in self._sources}
        return {path: (entry.member, self._sources[path]) for path, entry in new.items()}

    def perform(self, instruction: Instruction) -> None:  # noqa: C901, PLR0912 # one case for each instruction
        """Perform one instruction; raises KubefileError with its place."""
        line = instruction.line
        match instruction:
            case From():
                self._begin(instruction)
            case Copy(image=""):
                self._copy(instruction)
            case Copy():
                self._copy_from(instruction)
            case Add():
                self._add(instruction)
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
                self.recipe.constrain(constraint, line=line)
            case Launch(apps=names):
                self.recipe.launch(names, line=line)
            case Cmds(commands=commands):
                self.recipe.launch_commands(commands)
            case Cmd(commands=commands):
                self.recipe.continue_commands(commands)
            case Arg(name=name, value=value):
                self.recipe.arguments |= {} if value is None else {name: value}
            case Run():
                self._run(instruction)
            case _:
                assert_never(instruction)

    def _begin(self, instruction: From) -> None:
        self.base = self.bases.open(instruction, self._at(instruction.line))
        if self.base:
            arguments = self.recipe.arguments  # those that stand before FROM
            handed_down = self.base.metadata if self.base_mode == "kept" else None
            self.recipe = Recipe(self.kubefile, handed_down)
            self.recipe.arguments |= arguments
            self.held = self.base.files

    def _copy_from(self, instruction: Copy) -> None:
        """Copy out of another image: its bytes are proved by its own list of files."""
        at = self._at(instruction.line)
        image = self.bases.image(instruction.image, at)
        known = self._directories()
        placed = place_from(image, instruction.sources, instruction.destination, at=at, directories=known)

        def make() -> Content:
            content = content_of(placed)
            return self._with_parents(copy.owned(content, owner=instruction.owner, mode=instruction.mode))

        made = self.works.of_files(_title(instruction), make)
        prove(image, made.layer.entries, placed)
        self._take(made)

    def _copy(self, instruction: Copy) -> None:
        def make() -> Content:
            content = copy.place(
                self.context,
                instruction.sources,
                instruction.destination,
                at=self._at(instruction.line),
                directories=self._directories(),
                documents=instruction.documents,
            )
            return self._with_parents(copy.owned(content, owner=instruction.owner, mode=instruction.mode))

        self._take(self.works.of_files(_title(instruction), make))

    def _add(self, instruction: Add) -> None:
        at = self._at(instruction.line)

        def make() -> Content:
            content = place_added(
                self.context, instruction, at=at, directories=self._directories(), fetcher=self.fetcher
            )
            return self._with_parents(copy.owned(content, owner=instruction.owner, mode=instruction.mode))

        key = self._checksum_key(instruction, at) if instruction.checksum else ""
        self._take(self.works.of_files(_title(instruction), make, key=key))

    def _checksum_key(self, instruction: Add, at: Place) -> str:
        """Make the key of a layer with one file whose bytes are known by their checksum."""
        target = copy.Target.of(instruction.destination, at=at, directories=self._directories(), count=1)
        path = target.takes(name_of(instruction.sources[0]))
        parents = [[m.path, m.mode, m.uid, m.gid] for m, _ in self._with_parents([(Member(path), b"")])]
        return key_of("add", instruction.checksum, path, instruction.owner, instruction.mode, parents)

    def _app(self, name: str, sources: Sequence[str], *, line: int) -> None:
        directory, at = f"{APP_ROOT}/{name}/", self._at(line)

        def make() -> Content:
            content: Content = []
            problems = Problems(self.kubefile)
            for source in sources:
                with problems.noted(at):
                    content += ordered(self._app_source(name, source, directory, at=at))
            problems.refuse()
            return content

        made = self.works.of_files(f"APP {name}", make)
        paths = [path.removeprefix(directory) for path in made.order if path.startswith(directory)]
        self.recipe.add_app(apps.detect(name, paths))
        self._take(made)

    def _app_source(self, name: str, source: str, directory: str, *, at: Place) -> Content:
        if not is_url(source):
            return copy.place(self.context, [source.removeprefix(_LOCAL)], directory, at=at, directories=())
        file = name_of(source)
        if not file:
            hint = "give the address of a file"
            raise KubefileError(f"APP {name}: '{source}' names no file", place=at, hint=hint)
        found = self.fetcher.fetch(source, checksum="", at=at, pin=lambda sum_: _PIN.format(name, source, sum_))
        return [(Member(f"{directory}{file}", size=found.size), found.path)]

    def _run(self, instruction: Run) -> None:
        at = self._at(instruction.line)
        instruction = replace(instruction, network=instruction.network or self.network)
        below = self.base.metadata.env if self.base else {}
        env = environment({**below, **self.recipe.arguments, **self.recipe.env})

        def make() -> Content:
            return self._with_parents(self.runner.run(instruction, self.held, env, at))

        layers = [*(self.base.layers if self.base else ()), *(layer.digest for layer in self.layers)]
        key = key_of("run", instruction.command, instruction.words, instruction.network, env, layers)
        self._take(self.works.of_run(title(instruction), make, key=key))

    def _take(self, made: Made) -> None:
        """Lay a new layer over what is held so far."""
        self.layers.append(made.layer)
        self.held = merge([tuple(self.held.values()), made.layer.entries])
        for entry in made.layer.entries:
            in_store = Range(self.works.blob_path(entry.layer), entry.offset)
            self._sources[entry.path] = made.sources.get(entry.path, in_store if entry.kind == "file" else b"")

    def _directories(self) -> Mapping[str, Entry]:
        """Give the directories that the rootfs has so far."""
        return {path: entry for path, entry in self.held.items() if entry.kind == "dir"}

    def _with_parents(self, content: Content) -> Content:
        """Add the directories above that are there already, so that a new layer leaves their modes and owners."""
        known = self._directories()
        parents = {parent for member, _ in content for parent in above(member.path)}
        named = {member.path for member, _ in content}
        return content + [(known[path].member, b"") for path in sorted(parents - named) if path in known]

    def _at(self, line: int) -> Place:
        return Place(self.kubefile, line)


_PIN = "for bytes that stay the same: ADD --checksum={2} {1} application/apps/{0}/"


def _title(instruction: Copy | Add) -> str:
    names = (*(document.name for document in instruction.documents), *instruction.sources)
    image = f"--from={instruction.image} " if isinstance(instruction, Copy) and instruction.image else ""
    return f"{type(instruction).__name__.upper()} {image}{' '.join(names)} {instruction.destination}"
