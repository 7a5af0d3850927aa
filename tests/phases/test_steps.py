"""Which steps each phase takes, from what it knows: nothing is performed."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from sealpy.context import Context, digest_of
from sealpy.engine import Phase
from sealpy.image.metadata import Application, Launch
from sealpy.kube import Node, NodeTaint
from sealpy.phases.init_control_plane import InitControlPlane
from sealpy.phases.install_container_engine import InstallContainerEngine
from sealpy.phases.install_network import InstallNetwork
from sealpy.phases.issue_ticket import IssueTicket
from sealpy.phases.join_control_planes import JoinControlPlanes
from sealpy.phases.join_workers import JoinWorkers
from sealpy.phases.label_nodes import parse_taint, wanted_labels, wanted_taints
from sealpy.phases.launch_apps import LaunchApps
from sealpy.phases.prepare_kubernetes import PrepareKubernetes
from sealpy.phases.start_registry import PrepareAuthority, StartRegistry
from sealpy.phases.trust_registry import TrustRegistry
from sealpy.phases.write_hosts import WriteHosts
from sealpy.registry import Authority
from sealpy.runtimes import JoinTicket
from sealpy.sdk import On, Put, Result, Run, Step
from sealpy.testing.builders import a_context, a_host, an_image, good_facts, walk

MASTER, WORKER = "10.0.0.1", "10.0.0.2"
TICKET = JoinTicket(token="abcdef.0123456789abcdef", authority="a certificate", certificate_key="11")


def titles(phase: Phase[Context], ctx: Context, host: str) -> list[str]:
    return [title_of(step) for step in walk(phase.steps(ctx, host))[0]]


def title_of(step: Step) -> str:
    return step.step.title if hasattr(step, "step") else step.title


def as_node(ctx: Context, *hosts: str, **marks: str) -> None:
    for host in hosts:
        before = ctx.facts[host]
        ctx.facts[host] = good_facts(before.name, marks={**before.marks, "node": "x", **marks}, kube_ca="one")


def test_the_container_engine_is_installed_once_for_an_image_and_an_environment() -> None:
    ctx = a_context()
    steps, _ = walk(InstallContainerEngine().steps(ctx, MASTER))
    install, mark = steps
    assert isinstance(install, Run)
    assert install.argv == ("bash", "/var/lib/sealpy/data/my-cluster/rootfs/scripts/containerd.sh")
    assert ("HostIP", MASTER) in install.env
    assert isinstance(mark, Run)
    done = {"container-engine": mark.argv[-1]}
    ctx.facts[MASTER] = good_facts(marks=done, active=frozenset({"containerd"}))
    assert titles(InstallContainerEngine(), ctx, MASTER) == []
    ctx.facts[MASTER] = good_facts(marks=done)
    assert titles(InstallContainerEngine(), ctx, MASTER)[0] == "install containerd", "it was stopped since"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_names_are_written_where_they_do_not_stand_as_they_should() -> None:
    ctx = a_context()
    (write,), _ = walk(WriteHosts().steps(ctx, WORKER))
    assert isinstance(write, Run)
    assert write.argv[-1] == "10.0.0.1 sea.hub # sealpy\n10.0.0.1 apiserver.cluster.local # sealpy"
    ctx.facts[WORKER] = good_facts(own_hosts=sha256(write.argv[-1] + "\n"))
    assert titles(WriteHosts(), ctx, WORKER) == []
    ctx.facts[WORKER] = good_facts(own_hosts=sha256("10.0.0.9 sea.hub # sealpy\n"))
    assert titles(WriteHosts(), ctx, WORKER) == ["write /etc/hosts"], "somebody edited our lines"


def test_a_control_plane_that_has_joined_is_its_own_api_server() -> None:
    ctx = a_context([a_host(MASTER), a_host("10.0.0.3")])
    as_node(ctx, MASTER, "10.0.0.3")
    write = walk(WriteHosts().steps(ctx, "10.0.0.3"))[0][0]
    assert isinstance(write, Run)
    assert "10.0.0.3 apiserver.cluster.local" in write.argv[-1]


def test_the_registry_gets_an_authority_a_certificate_and_its_script() -> None:
    ctx = a_context()
    _, authority = walk(PrepareAuthority().steps(ctx, MASTER))
    assert isinstance(authority, Authority)
    ctx.authority = authority
    steps, _ = walk(StartRegistry().steps(ctx, MASTER))
    start = steps[2]
    assert isinstance(start, Run)
    assert start.argv[-2:] == ("5000", "sea.hub")
    key = steps[1]
    assert isinstance(key, Put)
    assert (key.path.rpartition("/")[2], key.mode, key.sensitive) == ("sea.hub.key", 0o600, True)


def test_a_registry_that_runs_and_is_trusted_needs_nobody() -> None:
    ctx = a_context()
    ctx.authority = Authority.create("x")
    mark = walk(StartRegistry().steps(ctx, MASTER))[0][-1]
    assert isinstance(mark, Run)
    puts = [step for step in walk(TrustRegistry().steps(ctx, WORKER))[0] if isinstance(step, Put)]
    digests = {put.path: hashlib.sha256(put.content).hexdigest() for put in puts}
    fingerprint = ctx.authority.fingerprint
    leader = {"marks": {mark.argv[-2]: mark.argv[-1]}, "registry_ca": fingerprint, "digests": digests}
    ctx.authority = None
    ctx.facts[MASTER] = good_facts("a", **leader, ports=frozenset({5000}))
    ctx.facts[WORKER] = good_facts("b", digests=digests)
    assert PrepareAuthority().skip(ctx) == "the registry runs, and every host trusts it"
    assert titles(StartRegistry(), ctx, MASTER) == titles(TrustRegistry(), ctx, WORKER) == []
    ctx.facts[WORKER] = good_facts("b", digests={**digests, puts[-1].path: "edited"})
    assert PrepareAuthority().skip(ctx) == "", "somebody edited a mirror"
    ctx.facts[WORKER] = good_facts("b", digests=digests)
    ctx.facts[MASTER] = good_facts("a", **leader)
    assert PrepareAuthority().skip(ctx) == "", "the registry does not answer any more"


def test_an_authority_that_is_there_is_taken_not_made_anew() -> None:
    ctx = a_context()
    old = Authority.create("x")
    ctx.facts[MASTER] = good_facts(registry_ca=old.fingerprint)

    def answer(step: Step) -> Result:
        return Result(stdout=old.key if "key" in title_of(step) else old.certificate)

    steps, authority = walk(PrepareAuthority().steps(ctx, MASTER), answer)
    assert authority == old
    assert len(steps) == 2


def test_a_mirror_is_written_for_each_domain_and_containerd_is_not_restarted() -> None:
    ctx = a_context()
    ctx.authority = Authority.create("x")
    puts = [step for step in walk(TrustRegistry().steps(ctx, WORKER))[0] if isinstance(step, Put)]
    mirrors = {put.path: put.content.decode() for put in puts if put.path.endswith("hosts.toml")}
    assert list(mirrors) == [
        "/etc/containerd/certs.d/sea.hub:5000/hosts.toml",
        "/etc/containerd/certs.d/docker.io/hosts.toml",
    ]
    assert '[host."https://sea.hub:5000/v2/docker.io"]' in mirrors["/etc/containerd/certs.d/docker.io/hosts.toml"]


def test_what_was_left_half_made_is_reset_before_kubernetes_is_prepared() -> None:
    ctx = a_context()
    assert titles(PrepareKubernetes(), ctx, WORKER) == ["install kubelet and kubeadm"]
    ctx.facts[WORKER] = good_facts(files=frozenset({"/etc/kubernetes/pki/"}), marks={"rootfs": "x"})
    assert titles(PrepareKubernetes(), ctx, WORKER)[0] == "reset what was left half made"
    as_node(ctx, MASTER, WORKER)
    assert PrepareKubernetes().hosts(ctx) == ()


def test_the_first_control_plane_issues_the_ticket_and_no_secret_is_in_an_argument() -> None:
    ctx = a_context()
    ca = Authority.create("kubernetes").certificate
    steps, ticket = walk(InitControlPlane().steps(ctx, MASTER), lambda _step: Result(stdout=ca))
    assert isinstance(ticket, JoinTicket)
    words = " ".join(word for step in steps if isinstance(step, Run) for word in step.argv)
    assert ticket.authority.encode() == ca, "byte for byte, as hosts are known by its sum"
    assert ticket.token not in words
    assert ticket.certificate_key not in words
    (configuration,) = [step for step in steps if isinstance(step, Put)]
    assert (configuration.mode, configuration.sensitive) == (0o600, True)
    assert any(isinstance(step, Run) and step.argv[:2] == ("rm", "-f") for step in steps), "the file goes afterwards"


def test_only_those_join_who_are_no_nodes_yet() -> None:
    ctx = a_context([a_host(MASTER), a_host("10.0.0.3"), a_host(WORKER, "node"), a_host("10.0.0.4", "node")])
    as_node(ctx, MASTER, WORKER)
    assert InitControlPlane().skip(ctx) == "the leader is a control plane already"
    assert JoinControlPlanes().hosts(ctx) == ("10.0.0.3",)
    assert JoinWorkers().hosts(ctx) == ("10.0.0.4",)
    assert IssueTicket().skip(ctx) == ""
    ctx.ticket = TICKET
    assert titles(JoinWorkers(), ctx, "10.0.0.4")[-1] == "note: node is done"
    assert IssueTicket().skip(ctx) == "the new control plane issued one"


def test_the_network_is_launched_first_and_not_again_with_the_apps() -> None:
    image = an_image(
        applications=(
            Application(name="flannel", type="kube", files=("flannel.yaml",)),
            Application(name="web", type="kube", files=("web.yaml",)),
        ),
        labels={"cluster.alpha.sealer.io/kube-cni-flannel": "true"},
        launch=Launch(app_names=("flannel", "web")),
    )
    ctx = a_context(image=image)
    assert titles(InstallNetwork(), ctx, MASTER) == ["launch flannel", "note: launch flannel is done"]
    assert titles(LaunchApps(), ctx, MASTER) == ["launch web", "note: launch web is done"]
    assert InstallNetwork().skip(a_context()) != ""


def test_apps_are_launched_in_their_directory_with_the_clusters_own_kubeconfig() -> None:
    image = an_image(
        applications=(Application(name="web", cmds=("make", "install")),), launch=Launch(app_names=("web",))
    )
    launch = walk(LaunchApps().steps(a_context(image=image), MASTER))[0][0]
    assert isinstance(launch, Run)
    assert launch.argv[-2:] == ("/var/lib/sealpy/data/my-cluster/rootfs/application/apps/web", "make install")
    assert ("KUBECONFIG", "/etc/kubernetes/admin.conf") in launch.env


def test_each_launch_command_is_run_once_even_if_the_next_one_failed() -> None:
    ctx = a_context(launch=("install a", "install b", "install a"))
    steps = [step.step if isinstance(step, On) else step for step in walk(LaunchApps().steps(ctx, MASTER))[0]]
    assert [title_of(step) for step in steps[::2]] == ["install a", "install b", "install a"]
    first, third = steps[1], steps[5]
    assert isinstance(first, Run)
    assert isinstance(third, Run)
    ctx.facts[MASTER] = good_facts(marks={first.argv[-2]: first.argv[-1]})
    assert titles(LaunchApps(), ctx, MASTER)[::2] == ["install b", "install a"]
    ctx.facts[MASTER] = good_facts(marks={step.argv[-2]: step.argv[-1] for step in (first, third)})
    assert titles(LaunchApps(), ctx, MASTER)[::2] == ["install b"]


@pytest.mark.parametrize("given", [{"launch": ("", " ")}, {"apps": ("",)}])
def test_blank_commands_and_apps_launch_nothing(given: dict[str, Any]) -> None:
    image = an_image(launch=Launch(cmds=("date",)))
    ctx = a_context(image=image, **given)
    assert LaunchApps().skip(ctx) != ""
    assert titles(LaunchApps(), ctx, MASTER) == []


def test_roles_become_labels_under_their_old_and_their_new_name() -> None:
    assert wanted_labels(a_host(WORKER, "node", "db", labels={"disk": "fast"})) == {
        "node-role.kubernetes.io/worker": "",
        "node-role.kubernetes.io/node": "",
        "node-role.kubernetes.io/db": "",
        "disk": "fast",
    }


def test_taints_are_added_to_those_there_and_removed_one_by_one() -> None:
    there = (NodeTaint("node-role.kubernetes.io/control-plane", "", "NoSchedule"), NodeTaint("a", "1", "NoExecute"))
    assert wanted_taints(a_host(MASTER), there) is None
    assert wanted_taints(a_host(MASTER, taints=("a=1:NoExecute",)), there) is None
    assert wanted_taints(a_host(MASTER, taints=("b=:NoSchedule",)), there) == (*there, parse_taint("b:NoSchedule"))
    assert wanted_taints(a_host(MASTER, taints=("a-",)), there) == there[:1]
    assert wanted_taints(a_host(MASTER, taints=("a:NoSchedule-",)), there) is None


def test_a_node_is_one_only_of_the_leaders_cluster() -> None:
    ctx = a_context()
    as_node(ctx, MASTER)
    ctx.facts[WORKER] = good_facts(marks={"node": "worker"}, kube_ca="two")
    assert ctx.is_node(MASTER)
    assert not ctx.is_node(WORKER)


def test_a_ready_node_has_no_reason() -> None:
    node = Node(name="a", address=MASTER, labels={}, taints=(), reason="")
    assert not node.reason


def test_equal_inputs_have_equal_digests() -> None:
    assert digest_of("a", ("b",)) == digest_of("a", ("b",))
    assert digest_of("a", "b") != digest_of("ab")
