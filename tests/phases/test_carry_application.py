"""How the container images of an application come into the registry of a cluster, and how hosts find them there."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
from pathlib import Path

from sealpy.connectors.secret import Secret
from sealpy.context import Context
from sealpy.distributors import Tree
from sealpy.distributors.tree import file
from sealpy.phases.carry_application import _SERVE, MirrorDomains, ServeImages
from sealpy.phases.start_registry import registry_of
from sealpy.registry import Login, RegistryPlan, mirrors
from sealpy.sdk import On, Put, Run
from sealpy.testing.builders import a_context, a_host, good_facts, walk

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"
HOSTS = (a_host(A), a_host(B), a_host(C, "node"))
CERTS = "/etc/containerd/certs.d"


def plan(*domains: str, any_domain: bool = False, login: Login | None = None) -> RegistryPlan:
    return RegistryPlan(rootfs="/cluster/rootfs", hosts=(A, B), mirrored=domains, any_domain=any_domain, login=login)


def context(*, registry: RegistryPlan | None = None, knows: RegistryPlan | None = None) -> Context:
    """Give a cluster whose hosts know the mirrors of `knows`."""
    ctx = a_context(HOSTS, registry=registry or plan("docker.io"))
    for host in (A, B, C):
        texts = mirrors(knows, host) if knows else {}
        digests = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in texts.items()}
        ctx.facts[host] = dataclasses.replace(ctx.facts[host], digests=digests)
    return ctx


def puts(ctx: Context, application: RegistryPlan, host: str) -> dict[str, Put]:
    steps, _ = walk(MirrorDomains(application).steps(ctx, host))
    return {step.path: step for step in steps if isinstance(step, Put)}


def noted(ctx: Context, application: RegistryPlan) -> set[tuple[str, str]]:
    steps, _ = walk(MirrorDomains(application).steps(ctx, A))
    runs = [(step.address, step.step) for step in steps if isinstance(step, On)]
    return {(host, step.argv[5]) for host, step in runs if isinstance(step, Run)}


# ---- into the registry


def test_files_are_linked_beside_those_that_are_there_as_often_as_one_likes(tmp_path: Path) -> None:
    shop, cluster = tmp_path / "applications" / "shop" / "rootfs", tmp_path / "rootfs"
    for path, text in ((shop / "registry/new/blob", "new"), (shop / "registry/tag", "two"), (cluster / "bin", "x")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (cluster / "registry").mkdir()
    (cluster / "registry" / "tag").write_text("one")
    (cluster / "registry" / "old").write_text("old")
    for _ in range(2):
        subprocess.run(["sh", "-c", _SERVE, "sh", str(shop), str(cluster)], check=True)
        found = {
            path.relative_to(cluster).as_posix(): path.read_text() for path in cluster.rglob("*") if path.is_file()
        }
        assert found == {"bin": "x", "registry/new/blob": "new", "registry/tag": "two", "registry/old": "old"}
        assert (cluster / "registry" / "new" / "blob").samefile(shop / "registry" / "new" / "blob")


def test_it_is_done_once_for_these_files_beside_these_of_the_cluster() -> None:
    ctx = context()
    ctx.tree = lambda _address: Tree.of({"registry": file("registry", b"x")})
    steps, _ = walk(ServeImages({A: "cluster"}).steps(ctx, A))
    link, mark = steps
    assert isinstance(link, Run)
    assert isinstance(mark, Run)
    assert link.title == "put its container images into the registry"
    ctx.facts[A] = good_facts(marks={"registry": mark.argv[-1]})
    assert walk(ServeImages({A: "cluster"}).steps(ctx, A))[0] == []
    assert len(walk(ServeImages({A: "another"}).steps(ctx, A))[0]) == 2


# ---- found by the hosts


def test_a_domain_that_the_hosts_do_not_know_is_told_to_each_and_noted_on_control_planes() -> None:
    ctx = context(knows=plan("docker.io"))
    for host in (A, B, C):
        written = puts(ctx, plan("docker.io", "quay.io"), host)
        assert list(written) == [f"{CERTS}/quay.io/hosts.toml"]
        assert (
            written[f"{CERTS}/quay.io/hosts.toml"].content
            == mirrors(plan("quay.io"), host)[f"{CERTS}/quay.io/hosts.toml"].encode()
        )
    assert noted(ctx, plan("quay.io")) == {(A, "serves-quay.io"), (B, "serves-quay.io")}


def test_what_is_noted_is_from_then_on_a_domain_of_the_cluster() -> None:
    ctx = context(knows=plan("docker.io", "quay.io"))
    assert registry_of(ctx) == plan("docker.io")
    ctx.facts[B] = dataclasses.replace(ctx.facts[B], marks={"serves-quay.io": "done"})
    assert registry_of(ctx) == plan("docker.io", "quay.io")
    ctx.facts[B] = dataclasses.replace(ctx.facts[B], marks={"serves-any": "done"})
    assert registry_of(ctx) == plan("docker.io", any_domain=True)


def test_images_without_domains_are_looked_for_behind_every_domain() -> None:
    ctx = context(knows=plan("docker.io"))
    written = puts(ctx, plan("docker.io", any_domain=True), C)
    assert sorted(written) == [f"{CERTS}/_default/hosts.toml", f"{CERTS}/docker.io/hosts.toml"]
    assert noted(ctx, plan(any_domain=True)) == {(A, "serves-any"), (B, "serves-any")}


def test_where_the_cluster_looks_so_already_a_new_domain_does_likewise() -> None:
    ctx = context(knows=plan("docker.io", any_domain=True))
    wanted = mirrors(plan("quay.io", any_domain=True), A)[f"{CERTS}/quay.io/hosts.toml"]
    written = puts(ctx, plan("quay.io"), A)
    assert {path: put.content for path, put in written.items()} == {f"{CERTS}/quay.io/hosts.toml": wanted.encode()}


def test_a_login_of_the_registry_is_for_root_alone() -> None:
    login = Login("robot", Secret("geheim"))
    ctx = context(registry=plan("docker.io", login=login), knows=plan("docker.io", login=login))
    (put,) = puts(ctx, plan("quay.io"), A).values()
    assert (put.mode, put.sensitive) == (0o600, True)


def test_an_application_without_container_images_needs_nothing() -> None:
    assert MirrorDomains(plan()).skip(context()) == "it needs no domain"
    assert ServeImages({}).skip(context()) == "it holds no container images"
