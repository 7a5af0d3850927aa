"""What somebody else left: clusters, container engines. What an earlier run of ours began is gone on with."""

from __future__ import annotations

from collections.abc import Iterator

from sealpy.checks.model import Finding, Stage, Subject, check

__all__ = ["CHECKS"]

_ENGINES = ("containerd", "crio", "docker")
_CLUSTERS = {"k3s": "k3s-uninstall.sh", "rke2-server": "rke2-uninstall.sh", "k0scontroller": "k0s reset"}


@check("earlier-cluster", reason="two clusters on one machine break each other", stage=Stage.UNTOUCHED)
def _cluster(subject: Subject) -> Iterator[Finding]:
    for trace in sorted(subject.facts.files):
        yield Finding(f"{trace} is there: an earlier cluster", "kubeadm reset -f, or another machine")
    for unit in sorted(subject.facts.active & _CLUSTERS.keys()):
        yield Finding(f"{unit} is running: another cluster", f"{_CLUSTERS[unit]}, or another machine")


@check("container-engine", reason="the image brings its own, with its own settings", stage=Stage.UNTOUCHED)
def _engine(subject: Subject) -> Iterator[Finding]:
    for engine in _ENGINES:
        if engine in subject.facts.active:
            yield Finding(f"{engine} is running already", f"remove {engine} first: systemctl disable --now {engine}")


@check("another-cluster", reason="its keys are others: neither cluster would trust this node")
def _stranger(subject: Subject) -> Iterator[Finding]:
    leader = subject.everyone.get(subject.needs.leader)
    ours = leader is not None and subject.facts.kube_ca != "" and subject.facts.kube_ca == leader.kube_ca
    if "node" in subject.facts.marks and not ours:
        yield Finding("is a node of another cluster of this name", "sealpy delete -a, then run again")


CHECKS = (_cluster, _engine, _stranger)
