"""A cluster is removed whatever is missing: its image, this machine's memory of it, some of its hosts."""

from __future__ import annotations

import shutil

import pytest

from sealpy.errors import PartlyDoneError
from sealpy.sdk import HookPoint
from tests.unit.actions.conftest import World, clusterfile, plugins
from tests.unit.actions.fleet import Machine

A, B, C = (f"10.0.0.{n}" for n in range(1, 4))
CLUSTER = clusterfile([A], [B, C], plugins=plugins(HookPoint.PRE_CLEAN))


def is_clean(machine: Machine) -> bool:
    return not (machine.marks or machine.files or machine.present or machine.active or machine.kube)


def fired(world: World, script: str) -> list[str]:
    return sorted(where for where, what in world.fleet.log if what == f"plugin {script}")


@pytest.fixture
def made(world: World) -> World:
    world.apply(CLUSTER)
    world.fleet.restart()
    world.events.clear()
    return world


def test_a_cluster_is_removed_without_its_image_and_the_images_plugins_fire(made: World) -> None:
    made.delete(CLUSTER)
    assert all(is_clean(machine) for machine in made.fleet.machines.values())
    assert fired(made, "PreClean") == fired(made, "the image's own") == [A, B, C]
    assert made.warnings == []
    assert [path.name for path in made.home.glob("clusters/*/*") if path.name in {"Clusterfile", "image.json"}] == []


def test_on_another_machine_the_plugins_come_from_a_control_plane(made: World) -> None:
    shutil.rmtree(made.home)
    made.delete(CLUSTER)
    assert fired(made, "the image's own") == [A, B, C]
    assert all(is_clean(machine) for machine in made.fleet.machines.values())


def test_what_is_not_known_of_the_image_is_told(made: World) -> None:
    shutil.rmtree(made.home)
    for machine in made.fleet.machines.values():
        machine.files = {path: data for path, data in machine.files.items() if not path.endswith("image.json")}
    made.delete(CLUSTER)
    assert fired(made, "the image's own") == []
    assert made.warnings == [
        "image 'kubernetes:v1' is not here, and nothing was kept of it: its plugins do not fire",
    ]
    assert all(is_clean(machine) for machine in made.fleet.machines.values())


def test_a_worker_that_does_not_answer_is_named_and_the_rest_is_removed(made: World) -> None:
    made.fleet.machine(B).off = True
    with pytest.raises(PartlyDoneError, match=rf"cluster 'my-cluster' is removed, but not on {B}") as caught:
        made.delete(CLUSTER)
    assert caught.value.exit_code == 7
    assert is_clean(made.fleet.machine(A))
    assert is_clean(made.fleet.machine(C))
    assert made.fleet.machine(B).kube == "worker"

    made.fleet.machine(B).off = False
    made.delete(CLUSTER)
    assert is_clean(made.fleet.machine(B))


def test_without_a_control_plane_that_answers_the_workers_are_cleaned_and_no_plugin_fires(made: World) -> None:
    made.fleet.machine(A).off = True
    with pytest.raises(PartlyDoneError, match=rf"but not on {A}"):
        made.delete(CLUSTER)
    assert is_clean(made.fleet.machine(B))
    assert fired(made, "PreClean") == []
    assert any("plugins, which may need one, do not fire" in message for message in made.warnings)


def test_a_rehearsal_removes_nothing(made: World) -> None:
    planned = {step.title for step in made.delete(CLUSTER, rehearsal=True).recorded}
    assert {"reset Kubernetes", "stop registry", "uninstall containerd"} <= planned
    assert made.fleet.log == []
