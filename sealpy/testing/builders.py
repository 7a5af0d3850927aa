"""A cluster to test phases and plugins in: a context without machines, facts as they should be, steps by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sealpy.connectors.target import Target
from sealpy.context import Context
from sealpy.distributors import Stream, Tree
from sealpy.engine import Connections
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import Descriptor, ImageConfig, Manifest
from sealpy.image.metadata import Metadata
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.tarball import walk as members
from sealpy.inventory import Facts, Host, Inventory
from sealpy.kube import KubeDoor
from sealpy.registry import RegistryPlan
from sealpy.runtimes import ClusterPlan
from sealpy.runtimes.kubeadm import Kubeadm
from sealpy.sdk import Result, Step, Steps
from sealpy.testing.connector import FakeConnector

__all__ = ["DIRECTORY", "a_context", "a_host", "a_stored_image", "an_image", "good_facts", "walk"]

DIRECTORY = "/var/lib/sealpy/data/my-cluster"
_DIGEST = "sha256:" + "0" * 64


def a_host(address: str, *roles: str, **more: Any) -> Host:
    """Make a host."""
    return Host(target=Target(address=address), roles=roles or ("master",), **more)


def an_image(**metadata: Any) -> ClusterImage:
    """Make an image that has metadata and no files."""
    blob = Descriptor(media_type="application/octet-stream", digest=_DIGEST, size=0)
    return ClusterImage(
        store=Store(Path("/nonexistent")),
        reference=Reference.parse("kubernetes:v1"),
        descriptor=blob,
        manifest=Manifest(config=blob, layers=()),
        config=ImageConfig(architecture="amd64", os="linux"),
        metadata=Metadata(**metadata),
        layers={},
        files={},
    )


def a_stored_image(
    store: Store, files: Mapping[str, bytes], *, name: str = "kubernetes:v1", **metadata: Any
) -> ClusterImage:
    """Put an image with these files into a store."""
    layer = write_layer(store, members(files))
    return assemble(store, name, base=None, layers=[layer], metadata=Metadata(**metadata))


def good_facts(name: str = "host-1", **changes: Any) -> Facts:
    """Make the facts of a machine that nothing is wrong with."""
    facts = Facts(
        uid=0,
        name=name,
        arch="x86_64",
        init="systemd",
        time=1_800_000_000,
        cpus=4,
        memory_kib=8 << 20,
        machine_id=f"id of {name}",
        cgroup="v2",
        macs=(f"mac of {name}",),
        kernel="6.1.0-18-amd64",
        controllers=frozenset({"cpu", "memory", "pids"}),
        default_route="10.0.0.254 eth0",
        nameservers=("10.0.0.53",),
        interfaces=(("lo", "127.0.0.1/8"), *(("eth0", f"10.0.0.{number}/24") for number in range(1, 10))),
        ways=(("default", "eth0"), ("10.0.0.0/24", "eth0")),
        active=frozenset({"chrony"}),
        free_kib={"/var/lib": 100 << 20},
        features=frozenset({"overlay", "bridge", "kmsg"}),
    )
    return dataclasses.replace(facts, **changes)


def a_context(hosts: Iterable[Host] = (), *, image: ClusterImage | None = None, **changes: Any) -> Context:
    """Make a context for these hosts, by default one master 10.0.0.1 and one worker 10.0.0.2, with good facts."""
    inventory = Inventory(tuple(hosts) or (a_host("10.0.0.1", "master"), a_host("10.0.0.2", "node")))
    rootfs = f"{DIRECTORY}/rootfs"
    env = {host.address: {"HostIP": host.address} for host in inventory}
    plan = ClusterPlan(
        name="my-cluster",
        rootfs=rootfs,
        leader=inventory.leader,
        masters=inventory.masters,
        registry_url="sea.hub:5000",
        env=env,
    )
    given: dict[str, Any] = {
        "name": "my-cluster",
        "image": image or an_image(),
        "inventory": inventory,
        "env": env,
        "directory": DIRECTORY,
        "home": Path("/nonexistent"),
        "document": "kind: Cluster\n",
        "registry": RegistryPlan(rootfs=rootfs, hosts=(inventory.leader,), mirrored=("docker.io",)),
        "runtime": Kubeadm(plan),
        "distributor": Stream(DIRECTORY),
        "tree": lambda _address: Tree({}),
        "kube": KubeDoor(Connections(FakeConnector), inventory.leader),
        "emit": lambda _event: None,
        "operation": inventory.addresses,
        "facts": {host.address: good_facts(f"host-{host.address}") for host in inventory},
    }
    return Context(**{**given, **changes})


def walk(steps: Steps, answer: Callable[[Step], Result] = lambda _step: Result()) -> tuple[list[Step], object]:
    """Pull every step from a generator, answer each; gives the steps and what the generator returned."""
    seen: list[Step] = []
    try:
        step = next(steps)
        while True:
            seen.append(step)
            step = steps.send(answer(step))
    except StopIteration as end:
        return seen, end.value
