"""What is settled before any host is touched: the environment of each host, the registry, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sealpy.actions.session import Surroundings
from sealpy.actions.setup import prepare
from sealpy.clusterfile import Clusterfile, loads
from sealpy.context import Context
from sealpy.engine import Connections
from sealpy.errors import ClusterfileError, ImageError, SealpyError
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import Application, ContainerImageUse
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image
from sealpy.testing.connector import FakeConnector

HOSTS = """\
  hosts:
    - {ips: [10.0.0.1, 10.0.0.2], roles: [master]}
    - {ips: [10.0.0.3], roles: [node], env: [COLOR=host, DISK=ssd]}
"""
VERSIONED = {"cluster.alpha.sealer.io/cluster-runtime-version": "v1.34.4"}
KUBEADM = b"apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"


def clusterfile(spec: str = "", *, hosts: str = HOSTS, more: str = "") -> Clusterfile:
    lines = "".join(f"  {line}\n" for line in spec.splitlines())
    return loads(f"kind: Cluster\nspec:\n  image: kubernetes:v1\n{lines}{hosts}{more}", name="Clusterfile")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


def image(store: Store, files: Mapping[str, bytes] | None = None, **metadata: Any) -> ClusterImage:
    return a_stored_image(store, {"etc/kubeadm.yml": KUBEADM, **(files or {})}, **metadata)


def context(found: Clusterfile, of: ClusterImage, secrets: list[str] | None = None) -> Context:
    """Give the context of a run."""
    told = [] if secrets is None else secrets
    around = Surroundings(home=Path("/nonexistent"), emit=lambda _: None, secret=told.append)
    prepared = prepare(found, of, around)
    return prepared.make_context(Connections(FakeConnector), around.emit)


# ---- the environment of a host


def test_the_host_is_heard_over_the_cluster_and_the_cluster_over_the_image(store: Store) -> None:
    ctx = context(
        clusterfile("env: [COLOR=cluster, SIZE=cluster]"),
        image(store, env={"COLOR": "image", "SIZE": "image", "SHAPE": "image"}),
    )
    assert {name: ctx.env["10.0.0.1"][name] for name in ("COLOR", "SIZE", "SHAPE")} == {
        "COLOR": "cluster",
        "SIZE": "cluster",
        "SHAPE": "image",
    }
    assert (ctx.env["10.0.0.3"]["COLOR"], ctx.env["10.0.0.3"]["DISK"]) == ("host", "ssd")
    assert "DISK" not in ctx.env["10.0.0.1"]


def test_what_is_computed_cannot_be_set(store: Store) -> None:
    given = "env: [HostIP=1.2.3.4, RegistryDomain=evil, RegistryURL=evil:1, ContainerRuntime=docker]"
    env = context(clusterfile(given), image(store)).env["10.0.0.2"]
    assert {name: env[name] for name in sorted(env)} == {
        "ContainerRuntime": "containerd",
        "HostIP": "10.0.0.2",
        "LocalRegistryDomain": "sea.hub",
        "LocalRegistryPort": "5000",
        "LocalRegistryURL": "sea.hub:5000",
        "RegistryDomain": "sea.hub",
        "RegistryPort": "5000",
        "RegistryURL": "sea.hub:5000",
    }


@pytest.mark.parametrize(
    ("cidrs", "kubernetes", "dns"),
    [
        ("10.96.0.0/16", "10.96.0.1", "10.96.0.10"),
        ("fd00:10::/108, 10.96.0.0/16", "fd00:10::1", "fd00:10::a"),
        ("10.96.0.7/12", "10.96.0.1", "10.96.0.10"),
    ],
)
def test_the_addresses_of_services_come_from_the_first_range(
    cidrs: str, kubernetes: str, dns: str, store: Store
) -> None:
    env = context(clusterfile(f"env: ['SvcCIDR={cidrs}']"), image(store)).env["10.0.0.1"]
    assert (env["KubeSvcIP"], env["DNSSvcIP"]) == (kubernetes, dns)


@pytest.mark.parametrize(
    ("cidr", "told"), [("10.96.0.0/33", "is no range of addresses"), ("10.96.0.0/29", "is too small for services")]
)
def test_a_range_of_services_that_cannot_be_is_refused(cidr: str, told: str, store: Store) -> None:
    with pytest.raises(ClusterfileError, match=f"^env SvcCIDR: '{cidr}' {told}$"):
        context(clusterfile(f"env: [SvcCIDR={cidr}]"), image(store))


def test_hosts_of_ipv6_are_told_so(store: Store) -> None:
    hosts = "  hosts: [{ips: ['fd00::1'], roles: [master]}]\n"
    env = context(clusterfile(hosts=hosts), image(store)).env["fd00::1"]
    assert (env["HostIP"], env["HostIPFamily"]) == ("fd00::1", "IPv6")


# ---- the registry of the cluster


def test_the_registry_answers_for_the_domains_that_the_image_has_below_paths_of_their_own(store: Store) -> None:
    uses = tuple(ContainerImageUse(image=name) for name in ("nginx:1", "quay.io/a/b:1", "ghcr.io/lost:1"))
    repositories = "registry/docker/registry/v2/repositories"
    files = {f"{repositories}/{domain}/x/_layers/link": b"" for domain in ("docker.io", "quay.io")}
    plan = context(clusterfile(), image(store, files, container_images=uses)).registry
    assert (plan.mirrored, plan.any_domain) == (("docker.io", "quay.io"), False)


def test_an_image_whose_registry_has_dropped_the_domains_is_asked_for_any(store: Store) -> None:
    uses = (ContainerImageUse(image="nginx:1"),)
    files = {"registry/docker/registry/v2/repositories/library/nginx/_layers/link": b""}
    plan = context(clusterfile(), image(store, files, container_images=uses)).registry
    assert (plan.mirrored, plan.any_domain) == ((), True)


def test_an_image_built_upon_one_of_the_ancestor_is_asked_for_both(store: Store) -> None:
    uses = (ContainerImageUse(image="nginx:1"), ContainerImageUse(image="quay.io/a/b:1"))
    names = ("library/nginx", "quay.io/a/b", "a/b")
    files = {f"registry/docker/registry/v2/repositories/{name}/_layers/link": b"" for name in names}
    plan = context(clusterfile(), image(store, files, container_images=uses)).registry
    assert (plan.mirrored, plan.any_domain) == (("quay.io",), True)


@pytest.mark.parametrize(("ha", "hosts"), [("true", ("10.0.0.1", "10.0.0.2")), ("false", ("10.0.0.1",))])
def test_the_registry_runs_on_all_control_planes_or_on_the_leader_alone(
    ha: str, hosts: tuple[str, ...], store: Store
) -> None:
    cert = "cert: {subjectAltName: {ips: [10.9.9.9]}}"
    spec = f"registry: {{localRegistry: {{ha: {ha}, domain: my.hub, port: 5001, {cert}}}}}"
    plan = context(clusterfile(spec), image(store)).registry
    assert (plan.hosts, plan.url, plan.ips) == (hosts, "my.hub:5001", ("10.9.9.9",))


# ---- files and documents


def test_each_host_has_its_own_rendered_files_and_the_registrys_where_it_runs(store: Store) -> None:
    files = {
        "etc/motd.tmpl": b"{{ .HostIP }} {{ .COLOR }}",
        "registry/blob": b"x",
        "application/apps/shop/site.tmpl": b"{{ .COLOR }}",
    }
    app = Application(name="shop", env={"COLOR": "app"})
    ctx = context(clusterfile("env: [COLOR=red]"), image(store, files, applications=(app,)))

    def read(address: str, path: str) -> object:
        return ctx.tree(address).files[path].item.source

    assert read("10.0.0.1", "etc/motd") == b"10.0.0.1 red"
    assert read("10.0.0.3", "etc/motd") == b"10.0.0.3 host"
    assert read("10.0.0.1", "application/apps/shop/site") == b"app"
    assert [("registry/blob" in ctx.tree(address).files) for address in ("10.0.0.1", "10.0.0.3")] == [True, False]


def test_every_secret_is_told_before_anything_else_happens(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_PASSWORD", "elsewhere")
    secrets: list[str] = []
    ctx = context(clusterfile("ssh: {passwordFrom: {env: SITE_PASSWORD}, sudoPasswd: sudo}"), image(store), secrets)
    assert set(secrets) == {"elsewhere", "sudo"}
    assert "elsewhere" not in ctx.document


# ---- what is refused


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("containerRuntime: {type: docker}", "Clusterfile:4: container runtime 'docker'"),
    ],
)
def test_what_a_run_would_pass_over_in_silence_is_refused_with_its_place(spec: str, told: str, store: Store) -> None:
    with pytest.raises(ClusterfileError) as caught:
        context(clusterfile(spec), image(store))
    assert caught.value.message.startswith(told)
    assert "out of the file" in caught.value.hint


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"type": "app-installer"}, "kubernetes:v1: type 'app-installer' is not the image of a cluster"),
        ({"labels": {**VERSIONED, "app.alpha.sealer.io/supported-kube-version": "< 1.30"}}, "and this is v1.34.4"),
        ({"labels": {"cluster.alpha.sealer.io/cluster-runtime-type": "k3s"}}, "cluster-runtime-type 'k3s'"),
        ({"labels": {"cluster.alpha.sealer.io/container-runtime-type": "docker"}}, "container-runtime-type 'docker'"),
    ],
)
def test_an_image_of_another_kind_is_refused(metadata: dict[str, Any], told: str, store: Store) -> None:
    with pytest.raises(ImageError) as caught:
        context(clusterfile(), image(store, **metadata))
    assert told in caught.value.message


def test_an_image_without_kubeadms_documents_is_refused(store: Store) -> None:
    with pytest.raises(ImageError, match=r"kubernetes:v1: no etc/kubeadm\.yml"):
        context(clusterfile(), a_stored_image(store, {"etc/motd": b""}))


def test_what_is_refused_is_refused_before_a_password_is_looked_for(store: Store) -> None:
    with pytest.raises(SealpyError, match="docker"):
        context(
            clusterfile("containerRuntime: {type: docker}\nssh: {passwordFrom: {env: NOBODY_SET_IT}}"), image(store)
        )
