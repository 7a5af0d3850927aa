"""A fleet of machines in place of real ones, and a cluster that is made on it by the actions themselves."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sealpy.actions import setup
from sealpy.actions.apply import apply, rollback
from sealpy.actions.delete import delete
from sealpy.actions.session import Report, Surroundings
from sealpy.clusterfile import Clusterfile, loads
from sealpy.connectors.reach import Ways
from sealpy.events import Event, Warned
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import Launch
from sealpy.image.store import Store
from sealpy.phases import drain_nodes, upgrade_kubernetes
from sealpy.plugin import discovery
from sealpy.sdk import HookPoint
from sealpy.testing.builders import a_stored_image
from tests.unit.actions.fleet import Door, Fleet

FIRST, OTHER_APPS, PATCH, MINOR, TOO_FAR = "v1.34.4", "v1.34.4-apps", "v1.34.5", "v1.35.1", "v1.36.0"


def image_files(version: str, *, apps: str = "") -> Mapping[str, bytes]:
    """Give the files of an image with this Kubernetes; what stands in a program is its version."""
    settings = f"apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: {version}\n"
    about = f"kind: Plugin\nmetadata: {{name: clean{apps}}}\n"
    return {
        "etc/kubeadm.yml": settings.encode(),
        "bin/kubelet": version.encode(),
        "plugins/clean.yaml": f"{about}spec: {{type: SHELL, action: PostClean, data: the image's own}}\n".encode(),
    }


def clusterfile(
    masters: Sequence[str], nodes: Sequence[str] = (), *, more: str = "", hosts: str = "", plugins: str = ""
) -> Clusterfile:
    """Write a Clusterfile for these hosts, with a plugin at every hook point where `plugins` names its lines."""
    text = "kind: Cluster\nspec:\n  image: kubernetes:v1\n"
    text += "".join(f"  {line}\n" for line in more.splitlines())
    text += f"  hosts:\n    - {{ips: [{', '.join(masters)}], roles: [master]}}\n"
    if nodes:
        text += f"    - {{ips: [{', '.join(nodes)}], roles: [node]}}\n"
    return loads(text + "".join(f"    - {line}\n" for line in hosts.splitlines()) + plugins, name="Clusterfile")


def plugins(*points: HookPoint) -> str:
    """Write a SHELL plugin for each hook point, whose script is the name of the point."""
    return "".join(
        f"---\nkind: Plugin\nmetadata: {{name: p{n}}}\nspec: {{type: SHELL, action: {point}, data: {point}}}\n"
        for n, point in enumerate(points)
    )


@dataclass
class World:
    """Hold the fleet, the operator's home and what was told."""

    home: Path
    images: Mapping[str, ClusterImage]
    image: ClusterImage
    fleet: Fleet = field(default_factory=Fleet)
    events: list[Event] = field(default_factory=list)

    def around(self, **changes: object) -> Surroundings:
        given: dict[str, object] = {
            "home": self.home,
            "emit": self.events.append,
            "secret": lambda _: None,
        }
        return Surroundings(**{**given, **changes})  # type: ignore[arg-type] # any of its fields

    def apply(self, wanted: Clusterfile, **changes: object) -> Report:
        return apply(wanted, self.image, self.around(**changes))

    def rollback(self, wanted: Clusterfile, **changes: object) -> Report:
        return rollback(wanted, self.image, self.around(**changes))

    def delete(self, wanted: Clusterfile, *, image: ClusterImage | None = None, **changes: object) -> Report:
        return delete(wanted, image, self.around(**changes))

    @property
    def warnings(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Warned)]


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, ClusterImage]:
    """Give the images that a cluster may come to."""
    store, launch = Store(tmp_path_factory.mktemp("images")), Launch(cmds=("install a", "install b"))
    files = {name: image_files(name) for name in (FIRST, PATCH, MINOR, TOO_FAR)}
    files[OTHER_APPS] = image_files(FIRST, apps="-too")
    return {
        name: a_stored_image(store, content, name=f"kubernetes:{name}", launch=launch)
        for name, content in files.items()
    }


@pytest.fixture
def make_world(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, images: Mapping[str, ClusterImage]
) -> Callable[[], World]:
    """Give worlds, one after the other; the actions of all reach the machines of the last."""
    worlds: list[World] = []

    def make() -> World:
        home = tmp_path / f"home{len(worlds)}"
        monkeypatch.setenv("KUBECONFIG", str(home / "kubeconfig"))
        worlds.append(World(home, images, images[FIRST]))
        return worlds[-1]

    monkeypatch.setattr(Ways, "to", lambda _ways, target: worlds[-1].fleet.machine(target.address))
    installed = list(discovery._registered())  # looking for entry points takes longer than a run
    monkeypatch.setattr(discovery, "_registered", lambda: iter(installed))
    monkeypatch.setattr(os, "fsync", lambda _file: None)  # nothing here has to survive a loss of power
    monkeypatch.setattr(drain_nodes, "_AGAIN", 0.01)
    monkeypatch.setattr(drain_nodes, "_PAUSE", 0.01)
    monkeypatch.setattr(upgrade_kubernetes, "_TIMEOUT", 0.0)
    monkeypatch.setattr(setup, "KubeDoor", lambda _connections, leader: Door(worlds[-1].fleet, leader))
    return make


@pytest.fixture
def world(make_world: Callable[[], World]) -> World:
    return make_world()
