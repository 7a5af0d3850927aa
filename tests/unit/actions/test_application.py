"""An application is launched on a living cluster: what is carried, what fires, what a second time finds to do."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping

import pytest

from sealpy.actions.application import Asked, launch
from sealpy.actions.session import Report
from sealpy.clusterfile import Clusterfile, loads
from sealpy.connectors.interruption import Interruption
from sealpy.errors import (
    ConfigError,
    ImageError,
    InterruptedRunError,
    KubeError,
    PhaseError,
    PreflightError,
    SealpyError,
)
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import Application, ContainerImageUse, Launch
from sealpy.image.remains import kept_remains, remains_of
from sealpy.image.store import Store
from sealpy.phases.save_application import APPLICATIONS
from sealpy.testing.builders import a_stored_image
from tests.unit.actions.conftest import World, clusterfile
from tests.unit.actions.fleet import Door

A, B, C, D, E = (f"10.0.0.{n}" for n in range(1, 6))
CLUSTER = clusterfile([A, B], [C])
ROOT = "registry/docker/registry/v2"
BLOB = f"{ROOT}/blobs/sha256/ab/abcd/data"
TAG = f"{ROOT}/repositories/quay.io/web/nginx/_manifests/tags/1/current/link"
PLUGIN = "kind: Plugin\nmetadata: {{name: {name}}}\nspec: {{type: SHELL, action: {at}, 'on': node, data: {name}}}\n"
FILES = {
    "application/apps/shop/shop.yaml.tmpl": b"color: {{ .COLOR }}, on {{ .HostIP }}",
    "plugins/own.yaml": PLUGIN.format(name="own", at="PreGuest|PostInstall").encode(),
    BLOB: b"a blob",
    TAG: b"sha256:abcd",
}
QUAY = "put /etc/containerd/certs.d/quay.io/hosts.toml"
KEY = "shop-10219eb6"


def shop(world: World, files: Mapping[str, bytes] = FILES, *, name: str = "shop:1", **metadata: object) -> ClusterImage:
    given: dict[str, object] = {
        "type": "app-installer",
        "applications": (Application(name="shop", type="kube", files=("shop.yaml",)),),
        "launch": Launch(app_names=("shop",), cmds=("echo done",)),
        "container_images": (ContainerImageUse(image="quay.io/web/nginx:1"),),
        "env": {"COLOR": "red"},
    }
    return a_stored_image(Store(world.home / "apps"), files, name=name, **{**given, **metadata})


def asked(world: World, image: ClusterImage, *, spec: str = "", more: str = "", known: Clusterfile = CLUSTER) -> Asked:
    lines = "".join(f"  {line}\n" for line in spec.splitlines())
    wanted = loads(f"kind: Cluster\nspec:\n  image: {image.reference.familiar}\n{lines}{more}", name="app.yaml")
    return Asked(clusterfile=wanted, image=image, cluster=known, base=world.image)


def run(world: World, wanted: Asked, **changes: object) -> Report:
    world.fleet.restart()
    world.events.clear()
    return launch(wanted, world.around(**changes))


@pytest.fixture
def living(world: World) -> World:
    """Give a cluster of two control planes and a worker."""
    world.apply(CLUSTER)
    return world


def of(world: World, word: str) -> list[str]:
    return [where for where, what in world.fleet.log if word in what]


def launched(world: World) -> list[str]:
    return [what.removeprefix("launch ") for _, what in world.fleet.log if what.startswith("launch ")]


# ---- the way to a launched application


def test_it_is_carried_served_and_launched_between_its_plugins(living: World) -> None:
    run(living, asked(living, shop(living)))
    words = (QUAY, "receive", "link images", "plugin own", "launch kubectl apply -f shop.yaml", "launch echo", "plugin")
    log = iter(what for _, what in living.fleet.log)
    assert all(any(word in what for what in log) for word in words), living.fleet.log
    assert of(living, "plugin own") == [C, C]
    assert sorted(of(living, QUAY)) == [A, B, C]
    assert of(living, "link images") == of(living, f"link images of {KEY}")
    assert sorted(of(living, "link images")) == [A, B]
    assert {what for _, what in living.fleet.log if "kubeadm" in what or "registry" in what} == {"mark registry"}


def test_the_same_again_finds_nothing_to_change_and_fires_nothing(living: World) -> None:
    wanted = asked(living, shop(living))
    run(living, wanted)
    report = run(living, wanted)
    assert (report.changed, living.fleet.log, report.plugins) == (0, [], ())
    assert max(report.round_trips.values()) <= 3
    assert run(living, wanted, rehearsal=True).recorded == ()


def test_a_rehearsal_tells_all_of_it_and_changes_nothing(living: World) -> None:
    wanted = asked(living, shop(living))
    before = living.fleet.copy().state
    planned = run(living, wanted, rehearsal=True)
    assert (living.fleet.log, living.fleet.state) == ([], before)
    done = run(living, wanted)
    assert len(planned.recorded) == done.changed
    assert any(one.title == "launch shop" for one in planned.recorded)


def test_what_the_registry_has_is_taken_from_it_and_not_sent(living: World) -> None:
    for host in (A, B):
        living.fleet.machine(host).registry = {BLOB: hashlib.sha256(b"a blob").hexdigest()}
    wanted = asked(living, shop(living))
    planned = run(living, wanted, rehearsal=True)
    assert [one.host for one in planned.recorded if one.title == "take 1 file that the registry has"] == [A, B]
    run(living, wanted)
    assert sorted(of(living, "take 1 files")) == [A, B]
    for host in (A, B):
        sent = living.fleet.received[host]
        assert f"files/{TAG}" in sent
        assert f"files/{BLOB}" not in sent
    assert not [path for path in living.fleet.received[C] if "registry" in path]


def test_a_name_that_the_registry_has_with_other_contents_is_told(living: World) -> None:
    living.fleet.machine(A).registry = {TAG: "0" * 64}
    run(living, asked(living, shop(living)))
    assert living.warnings == [
        "container image 'quay.io/web/nginx:1' of shop:1 is another one than the registry has",
    ]


def test_without_plugins_only_the_hosts_that_launch_and_serve_get_its_files(living: World) -> None:
    files = {path: data for path, data in FILES.items() if "plugin" not in path}
    run(living, asked(living, shop(living, files)))
    assert sorted(of(living, "receive")) == [A, B]


def test_what_was_launched_is_saved_in_the_cluster(living: World) -> None:
    image = shop(living)
    run(living, asked(living, image))
    saved = living.fleet.config_maps[APPLICATIONS]
    assert {key: json.loads(text) for key, text in saved.items()} == {
        KEY: {
            "image": "docker.io/library/shop:1",
            "digest": image.digest,
            "apps": ["shop"],
            "commands": ["echo done"],
        }
    }
    other = a_stored_image(Store(living.home / "apps"), {"a": b"b"}, name="blog:1", type="app-installer")
    run(living, asked(living, other))
    assert sorted(living.fleet.config_maps[APPLICATIONS])[1:] == [KEY]


def test_the_next_version_takes_the_place_of_the_one_before(living: World) -> None:
    run(living, asked(living, shop(living)))
    newer = shop(living, {**FILES, "application/apps/shop/shop.yaml.tmpl": b"new"}, name="shop:2")
    run(living, asked(living, newer))
    assert launched(living) == ["kubectl apply -f shop.yaml", "echo done"]
    assert of(living, "plugin own") == [C, C]
    assert json.loads(living.fleet.config_maps[APPLICATIONS][KEY])["image"] == "docker.io/library/shop:2"
    assert len(living.fleet.machine(A).applications) == 1


@pytest.mark.parametrize(
    ("spec", "more", "commands"),
    [
        ("env: [COLOR=blue]", "", ["kubectl apply -f shop.yaml", "echo done"]),
        ("cmd: [echo other]", "", ["echo other"]),
        ("appNames: [shop]", "", []),  # what ran already with the same files does not run again
        (
            "",
            "---\nkind: Config\nmetadata: {name: c}\nspec: {path: etc/x, data: y}\n",
            ["kubectl apply -f shop.yaml", "echo done"],
        ),
        (
            "",
            "---\nkind: Application\nmetadata: {name: a}\nspec: {configs: [{name: shop, launch: {cmds: [sh x.sh]}}]}\n",
            ["sh x.sh"],
        ),
    ],
)
def test_what_is_asked_for_otherwise_is_launched_again(
    spec: str, more: str, commands: list[str], living: World
) -> None:
    image = shop(living)
    run(living, asked(living, image))
    wanted = asked(living, image, spec=spec, more=more)
    run(living, wanted)
    assert launched(living) == commands
    assert run(living, wanted).changed == 0


def test_plugins_of_the_file_fire_and_those_of_the_cluster_do_not(world: World) -> None:
    known = clusterfile([A], [C], plugins="---\n" + PLUGIN.format(name="clusters", at="PostInstall"))
    world.apply(known)
    wanted = asked(world, shop(world), more="---\n" + PLUGIN.format(name="mine", at="PostInstall"), known=known)
    run(world, wanted)
    assert [what for _, what in world.fleet.log if "plugin" in what] == ["plugin own", "plugin mine", "plugin own"]


def test_a_plugin_for_another_moment_is_told_that_it_does_not_fire(living: World) -> None:
    wanted = asked(living, shop(living), more="---\n" + PLUGIN.format(name="mine", at="PreInit"))
    run(living, wanted)
    assert living.warnings == ["app.yaml:5: plugin 'mine': 'PreInit' does not fire for an application"]


def test_variables_come_from_the_base_the_image_the_cluster_and_the_file_in_this_order(world: World) -> None:
    metadata = world.image.metadata.model_copy(update={"env": {"A": "base", "B": "base", "C": "base", "D": "base"}})
    base = dataclasses.replace(world.image, metadata=metadata)
    known = clusterfile([A], more="env: [C=cluster, D=cluster]")
    world.apply(known)
    files = {"application/apps/shop/shop.yaml.tmpl": b"{{ .A }} {{ .B }} {{ .C }} {{ .D }}"}
    image = shop(world, files, env={"B": "image", "C": "image", "D": "image"})
    wanted = dataclasses.replace(asked(world, image, spec="env: [D=file]", known=known), base=base)
    run(world, wanted)
    assert world.fleet.received[A]["files/application/apps/shop/shop.yaml"] == b"base image cluster file"


# ---- which cluster, and what it is like now


def test_hosts_that_joined_from_elsewhere_are_found_in_what_the_cluster_saved(living: World) -> None:
    living.apply(clusterfile([A, B], [C, D]))
    run(living, asked(living, shop(living)))  # of which only three hosts are known here
    assert sorted(of(living, QUAY)) == [A, B, C, D]
    assert sorted(of(living, "plugin own")) == [C, C, D, D]


def test_what_was_kept_of_the_image_of_the_cluster_is_enough(living: World) -> None:
    kept = kept_remains(living.home / "clusters" / "my-cluster" / "image.json")
    wanted = asked(living, shop(living))
    run(living, dataclasses.replace(wanted, base=kept))
    assert run(living, wanted).changed == 0, "and it is the same as with the image"


def test_where_nothing_is_kept_a_control_plane_is_asked(world: World) -> None:
    metadata = world.image.metadata.model_copy(update={"env": {"SIZE": "base"}})
    world.image = dataclasses.replace(world.image, metadata=metadata)
    world.apply(CLUSTER)
    path = "/var/lib/sealpy/data/my-cluster/image.json"
    assert world.fleet.machine(A).files[path] == remains_of(world.image).encode()
    image = shop(world, {"application/apps/shop/shop.yaml.tmpl": b"{{ .SIZE }}"})
    run(world, dataclasses.replace(asked(world, image), base=None))
    assert world.fleet.received[A]["files/application/apps/shop/shop.yaml"] == b"base"


def test_another_leader_launches_nothing_again(living: World) -> None:
    wanted = asked(living, shop(living))
    run(living, wanted)
    living.apply(clusterfile([B], [C]))
    run(living, dataclasses.replace(wanted, cluster=clusterfile([B], [C])))
    assert living.fleet.log == []


def test_a_host_that_joins_later_is_told_of_the_domains_too(living: World) -> None:
    run(living, asked(living, shop(living)))
    living.fleet.restart()
    living.apply(clusterfile([A, B], [C, D]))
    assert of(living, QUAY) == [D]


def test_the_domains_outlive_the_control_planes_that_knew_them_first(living: World) -> None:
    run(living, asked(living, shop(living)))
    living.apply(clusterfile([A, B, D], [C]))
    living.apply(clusterfile([D], [C]))
    living.fleet.restart()
    living.apply(clusterfile([D], [C, E]))
    assert of(living, QUAY) == [E]
    living.fleet.restart()
    assert living.apply(clusterfile([D], [C, E])).changed == 0


def test_an_apply_of_the_cluster_leaves_it_alone(living: World) -> None:
    wanted = asked(living, shop(living))
    run(living, wanted)
    living.fleet.restart()
    assert (living.apply(CLUSTER).changed, living.fleet.log) == (0, [])
    living.apply(clusterfile([A, B], [C], more="env: [X=y]"))
    assert APPLICATIONS in living.fleet.config_maps


def test_images_are_linked_again_where_the_files_of_the_cluster_were_sent_anew(living: World) -> None:
    wanted = asked(living, shop(living))
    run(living, wanted)
    living.fleet.machine(B).marks["rootfs"] = "another"
    run(living, wanted)
    assert [where for where, what in living.fleet.log if "link images" in what] == [B]
    assert launched(living) == []


def test_deleting_the_cluster_leaves_nothing_of_it(living: World) -> None:
    run(living, asked(living, shop(living)))
    living.delete(CLUSTER)
    for host in (A, B, C):
        machine = living.fleet.machine(host)
        assert (machine.applications, machine.marks, machine.files, machine.present) == ({}, {}, {}, set())


# ---- what is refused


def refused(world: World, wanted: Asked) -> SealpyError:
    for host in (A, B, C):
        world.fleet.machine(host)
    before = world.fleet.copy().state
    with pytest.raises(SealpyError) as caught:
        run(world, wanted)
    assert (world.fleet.log, world.fleet.state) == ([], before), "nothing was changed"
    return caught.value


def test_a_cluster_that_is_not_there_is_told_with_how_to_make_it(world: World) -> None:
    error = refused(world, asked(world, shop(world)))
    assert isinstance(error, ConfigError)
    assert error.message == "cluster 'my-cluster' is not there"
    assert "make it first: sealpy run IMAGE --name my-cluster -m …" in error.hint


def test_an_application_for_another_kubernetes_is_refused(living: World) -> None:
    for host in (A, B):
        living.fleet.machine(host).prepared = "v1.29.2"
    labels = {"app.alpha.sealer.io/supported-kube-version": ">= 1.30"}
    error = refused(living, asked(living, shop(living, labels=labels)))
    assert isinstance(error, ImageError)
    assert error.message == "shop:1: it is for Kubernetes >= 1.30, and this is v1.29.2"


def test_an_application_for_another_processor_is_refused_unless_that_is_skipped(living: World) -> None:
    image = shop(living)
    other = dataclasses.replace(image, config=image.config.model_copy(update={"architecture": "arm64"}))
    error = refused(living, asked(living, other))
    assert isinstance(error, PreflightError)
    assert list(error.problems) == [A, B, C]
    assert "processor is x86_64, the image is for arm64 [arch]" in str(error.problems[A][0])
    run(living, asked(living, other), skip=frozenset({"arch"}))


def test_a_cluster_whose_machines_do_not_answer_is_told(living: World) -> None:
    living.fleet.machine(B).off = True
    error = refused(living, asked(living, shop(living)))
    assert isinstance(error, PhaseError)
    assert list(error.errors) == [B]
    assert "nothing was changed on any host" in error.hint


def test_a_cluster_whose_api_server_does_not_answer_is_told(living: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealpy.actions.state._PATIENCE", 0.0)
    living.fleet.machine(A).kube = ""
    assert isinstance(refused(living, asked(living, shop(living))), KubeError)


def test_the_first_interrupt_ends_the_wait_for_the_api_server(living: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealpy.actions.state._PATIENCE", 600.0)
    stop = Interruption()

    def refuse(_door: Door) -> None:
        stop.ask()
        raise KubeError("the API server does not answer")

    monkeypatch.setattr(Door, "open", refuse)
    with pytest.raises(InterruptedRunError, match="stopped by the operator"):
        run(living, asked(living, shop(living)), interruption=stop)
    assert living.fleet.log == []


def test_hosts_of_the_file_that_the_cluster_does_not_have_are_refused(living: World) -> None:
    spec = f"hosts: [{{ips: [{A}], roles: [master]}}, {{ips: [{D}], roles: [node]}}]"
    error = refused(living, asked(living, shop(living), spec=spec))
    assert error.message == f"{D}: not of cluster 'my-cluster', and an application lets nobody join"


@pytest.mark.parametrize(
    ("spec", "more", "told"),
    [
        ("appNames: [shoop]", "", "app 'shoop' is not in the image"),
        ("", "---\n" + PLUGIN.format(name="p", at="PreGest"), "PreGest"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_before_anybody_is_asked(
    spec: str, more: str, told: str, living: World
) -> None:
    error = refused(living, asked(living, shop(living), spec=spec, more=more))
    assert told in f"{error.message} {getattr(error, 'problems', '')}"
    assert {machine.round_trips for machine in living.fleet.machines.values()} == {0}


def test_a_disk_without_room_for_what_is_sent_is_told_before_it_is(living: World) -> None:
    living.fleet.machine(A).free_kib = 1000
    with pytest.raises(PhaseError) as caught:
        run(living, asked(living, shop(living)))
    assert "0 MiB free on /var/lib, 1024 are needed" in caught.value.errors[A].message
    assert A not in of(living, "receive")


def test_container_images_that_are_listed_and_not_there_are_told(living: World) -> None:
    uses = (ContainerImageUse(image="quay.io/web/nginx:1"), ContainerImageUse(image="redis:7"))
    run(living, asked(living, shop(living, container_images=uses)))
    assert living.warnings == ["shop:1 lists container images that it does not hold: redis:7"]


def test_a_new_registry_without_the_images_of_applications_is_told(living: World) -> None:
    run(living, asked(living, shop(living)))
    living.events.clear()
    wanted = clusterfile([A, B, D], [C])
    living.apply(wanted)
    assert "the registry here lacks the images of applications" in living.warnings
    run(living, dataclasses.replace(asked(living, shop(living)), cluster=wanted))
    assert of(living, "link images") == [D]
    living.events.clear()
    living.apply(wanted)
    assert living.warnings == []


def test_where_the_registry_is_elsewhere_it_is_told_what_must_be_there(world: World) -> None:
    known = clusterfile([A], more="registry: {externalRegistry: {domain: hub.site}}")
    world.apply(known)
    run(world, asked(world, shop(world), known=known))
    assert world.warnings == [
        "the cluster pulls from 'hub.site', which sealpy does not fill: it must have what shop:1 runs"
    ]
    assert of(world, "link images") == []
    assert of(world, QUAY) == [A]


def test_a_variable_by_reference_is_found_here_and_hidden(living: World, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"application/apps/shop/shop.yaml.tmpl": b"{{ .DB_PASSWORD }}"}
    wanted = asked(living, shop(living, files), spec="env: [DB_PASSWORD]")
    error = refused(living, wanted)
    assert error.message.startswith("app.yaml:4: env DB_PASSWORD: no value is given")
    monkeypatch.setenv("DB_PASSWORD", "geheim")
    secrets: list[str] = []
    run(living, wanted, secret=secrets.append)
    assert "geheim" in secrets
    assert living.fleet.received[A]["files/application/apps/shop/shop.yaml"] == b"geheim"


def test_a_command_that_holds_a_secret_is_not_saved(living: World) -> None:
    run(living, asked(living, shop(living), spec="cmd: ['login --password=geheim', 'echo done']"))
    assert "geheim" not in living.fleet.config_maps[APPLICATIONS][KEY]
    assert "echo done" in living.fleet.config_maps[APPLICATIONS][KEY]
