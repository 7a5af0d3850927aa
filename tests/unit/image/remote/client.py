"""A store with images, and the door to a registry that misbehaves when it is told to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sealpy.events import Event, Warned
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import Descriptor, Platform
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.remote.credentials import Credentials
from sealpy.image.remote.pull import Pulled, pull
from sealpy.image.remote.push import Pushed, push
from sealpy.image.remote.remotes import Remotes
from sealpy.image.remote.settings import Setting
from sealpy.image.remote.tls import Tls
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image
from sealpy.testing.registry import FakeRegistry

BIG = os.urandom(300_000)


@dataclass(slots=True)
class Client:
    """Talk to registries with files of our own, and keep what is told."""

    directory: Path
    registry: FakeRegistry
    events: list[Event] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    @property
    def authfile(self) -> Path:
        return self.directory / "auth.json"

    @property
    def warnings(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Warned)]

    def remotes(self, *, settings: Mapping[str, Setting] | None = None, tls: Tls | None = None) -> Remotes:
        return Remotes(
            Credentials([self.authfile], keep_secret=self.secrets.append),
            emit=self.events.append,
            settings=settings,
            tls=tls,
            keep_secret=self.secrets.append,
            pause=self.pauses.append,
        )

    def name(self, text: str = "team/shop:1") -> Reference:
        return Reference.parse(f"{self.registry.address}/{text}")

    def store(self, name: str = "here") -> Store:
        return Store(self.directory / name)

    def image(self, text: str = "team/shop:1", *, big: bytes = BIG) -> ClusterImage:
        """Put an image into the local store."""
        return a_stored_image(self.store(), {"etc/motd": b"hi\n", "big": big}, name=str(self.name(text)))

    def push(self, image: ClusterImage, to: Reference | None = None, *, remotes: Remotes | None = None) -> Pushed:
        progress = Progress(self.events.append, "push")
        remotes = remotes or self.remotes()
        return push(image.store, remotes, image.descriptor, to or image.reference, progress=progress)

    def push_index(self, store: Store, index: Descriptor, name: str) -> Pushed:
        progress = Progress(self.events.append, "push")
        return push(store, self.remotes(), index, self.name(name), progress=progress)

    def pull(
        self,
        name: Reference | None = None,
        *,
        into: str = "there",
        platforms: tuple[Platform, ...] | None = (),
        remotes: Remotes | None = None,
    ) -> Pulled:
        progress = Progress(self.events.append, "pull")
        sources = (remotes or self.remotes()).sources(name or self.name())
        return pull(self.store(into), sources, progress=progress, platforms=platforms)
