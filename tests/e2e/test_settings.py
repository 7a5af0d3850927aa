"""What a Clusterfile says beside its hosts, on a real machine: files, a Secret, apps, kubeadm, the registry."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import ssl
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import CHECKOUT, Done, Machine, Sealpy, booted

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

LAB = "settings"
EXAMPLE = CHECKOUT / "examples" / "clusterfiles" / "settings.yaml"
ROOTFS = "/var/lib/sealpy/data/settled/rootfs"
SECRET = "marker-of-the-registry"
SECRETS = (SECRET, "marker-of-the-database", "from-the-site")  # the last one stands in the file, in a Config


@pytest.fixture(scope="module")
def machine(sealpy: Sealpy) -> Iterator[Machine]:
    with booted(sealpy, LAB, nodes=1) as (found,):
        yield found


@pytest.fixture(scope="module")
def made(sealpy: Sealpy, images: str, machine: Machine) -> Iterator[Done]:
    assert images
    patch = pytest.MonkeyPatch()
    patch.setenv("SITE_PASSWORD", SECRET)
    patch.setenv("DATABASE_PASSWORD", SECRETS[1])
    yield apply(sealpy, machine)
    patch.undo()


def apply(sealpy: Sealpy, machine: Machine, *more: str) -> Done:
    where = ("--set", f"hosts[0].ips=[{machine.address}]", "--set", f"ssh.pk={machine.private_key}")
    return sealpy("apply", "-f", str(EXAMPLE), *where, "-e", "GREETING=hello", "-e", "DATABASE_PASSWORD", *more)


def status_of(machine: Machine, authorization: str) -> int:
    """Ask the registry from here over TLS, and give the status of its answer."""
    trusting = ssl._create_unverified_context()  # noqa: S323 - the authority is the cluster's own
    connection = http.client.HTTPSConnection(machine.address, 5000, context=trusting, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/v2/", headers={"Authorization": authorization} if authorization else {})
        return connection.getresponse().status


def pull(sealpy: Sealpy, machine: Machine, name: str) -> None:
    """Let the kubelet ask the registry for an image that is there already, and run it."""
    image = "--image=docker.io/library/web:1 --image-pull-policy=Always"
    sealpy.on(
        machine.name, f"kubectl run {name} {image} && kubectl wait --for=condition=Ready --timeout=90s pod/{name}"
    )


def test_the_files_are_on_the_machine_and_the_secret_in_the_cluster(
    sealpy: Sealpy, made: Done, machine: Machine
) -> None:
    assert made.code == 0
    assert "site: north" in sealpy.on(machine.name, f"cat {ROOTFS}/etc/site.yaml")
    assert sealpy.on(machine.name, f"stat -c %a {ROOTFS}/manifests/database.yaml") == "600"
    data = json.loads(sealpy.on(machine.name, "kubectl get secret database -o json"))["data"]
    assert data == {"username": "c2hvcA==", "settings": "ZnJvbS10aGUtc2l0ZQ=="}


def test_the_app_is_launched_as_the_application_says(sealpy: Sealpy, made: Done, machine: Machine) -> None:
    assert made.code == 0
    assert sealpy.on(machine.name, "kubectl get deployment web -o jsonpath='{.spec.replicas}'") == "1"


def test_kubeadm_and_the_pod_network_know_the_same_range_and_no_name_is_lost(
    sealpy: Sealpy, made: Done, machine: Machine
) -> None:
    assert made.code == 0
    assert sealpy.on(machine.name, "kubectl get nodes -o jsonpath='{.items[0].spec.podCIDR}'").startswith("172.20.")
    pods = sealpy.on(machine.name, "kubectl get pods -l app=web -o jsonpath='{.items[0].status.podIP}'")
    assert pods.startswith("172.20.")
    names = sealpy.on(machine.name, "openssl x509 -in /etc/kubernetes/pki/apiserver.crt -noout -ext subjectAltName")
    assert all(name in names for name in ("kube.example.com", "apiserver.cluster.local", machine.address))
    assert "- --v=2" in sealpy.on(machine.name, "cat /etc/kubernetes/manifests/kube-apiserver.yaml")


def test_the_registry_lets_nobody_in_without_the_account_and_the_machine_pulls_with_it(
    sealpy: Sealpy, made: Done, machine: Machine
) -> None:
    assert made.code == 0
    assert status_of(machine, "") == 401
    assert status_of(machine, "Basic " + base64.b64encode(f"puller:{SECRET}".encode()).decode()) == 200
    mirrors = "/etc/containerd/certs.d/docker.io/hosts.toml"
    assert sealpy.on(machine.name, f"stat -c %a {mirrors}") == "600"
    pull(sealpy, machine, "with-the-account")


def test_no_secret_is_in_anything_that_is_kept_or_told(sealpy: Sealpy, made: Done, machine: Machine) -> None:
    kept = sealpy.on(machine.name, "kubectl get configmaps -A -o yaml")
    assert "DATABASE_PASSWORD" in kept
    for secret in SECRETS:
        assert secret not in json.dumps(made.results) + made.stderr
        looked = f"grep -rlsF {secret} {sealpy.home}/clusters {sealpy.home}/logs || true"
        assert subprocess.run(["sh", "-c", looked], capture_output=True, text=True, check=False).stdout == ""
        assert secret not in kept
        found = sealpy.on(machine.name, f"grep -rlsF {secret} /var/lib/sealpy /etc /run --exclude-dir=netns || true")
        assert found == "", "a header holds it by base64, the registry by bcrypt, the Secret by base64"


def test_a_second_apply_finds_nothing_to_change(sealpy: Sealpy, made: Done, machine: Machine) -> None:
    assert made.code == 0
    again = apply(sealpy, machine)
    assert again.text == "cluster 'settled': nothing to change"
    assert (again.finished["changed"], again.finished["sent"]) == (0, 0)


def test_the_registry_speaks_plain_http_when_the_file_says_so(sealpy: Sealpy, made: Done, machine: Machine) -> None:
    assert made.code == 0
    apply(sealpy, machine, "--set", "registry.localRegistry.insecure=true")
    connection = http.client.HTTPConnection(machine.address, 5000, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/v2/")
        assert connection.getresponse().status == 401
    pull(sealpy, machine, "by-plain-http")
    again = apply(sealpy, machine, "--set", "registry.localRegistry.insecure=true")
    assert again.finished["changed"] == 0
