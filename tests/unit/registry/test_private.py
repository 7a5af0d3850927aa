"""What containerd is told: whom to ask for the images of which domain."""

from __future__ import annotations

from sealpy.registry.private import RegistryPlan, mirrors

CERTS = "/etc/containerd/certs.d"


def asked(plan: RegistryPlan, domain: str, *, host: str = "10.0.0.1") -> list[str]:
    """List the addresses that are asked for a domain, in order."""
    lines = mirrors(plan, host)[f"{CERTS}/{domain}/hosts.toml"].splitlines()
    return [line.split('"')[1] for line in lines if line.startswith("[host.")]


def plan(*mirrored: str, hosts: tuple[str, ...] = ("10.0.0.1",), any_domain: bool = False) -> RegistryPlan:
    return RegistryPlan(rootfs="/r", hosts=hosts, mirrored=mirrored, any_domain=any_domain)


def test_each_domain_is_asked_for_below_a_path_of_its_own() -> None:
    made = plan("docker.io", "quay.io", "registry:5000", "Mixed.Example.com")
    assert asked(made, "docker.io") == ["https://sea.hub:5000/v2/docker.io"]
    assert asked(made, "quay.io") == ["https://sea.hub:5000/v2/quay.io"]
    assert asked(made, "registry:5000") == ["https://sea.hub:5000/v2/registry_5000"]
    assert asked(made, "Mixed.Example.com") == ["https://sea.hub:5000/v2/mixed.example.com"]
    assert "override_path = true" in mirrors(made, "10.0.0.1")[f"{CERTS}/quay.io/hosts.toml"]


def test_names_that_carry_the_registry_itself_are_asked_for_as_they_are() -> None:
    made = plan("docker.io", "sea.hub:5000")
    assert asked(made, "sea.hub:5000") == ["https://sea.hub:5000"]
    assert len(mirrors(made, "10.0.0.1")) == 2


def test_images_of_the_ancestor_are_found_by_their_path_and_only_after_those_of_the_domain() -> None:
    made = plan("docker.io", any_domain=True)
    assert asked(made, "docker.io") == ["https://sea.hub:5000/v2/docker.io", "https://sea.hub:5000"]
    assert asked(made, "_default") == ["https://sea.hub:5000"]
    assert f"{CERTS}/_default/hosts.toml" not in mirrors(plan("docker.io"), "10.0.0.1")


def test_other_hosts_of_the_registry_are_asked_next() -> None:
    made = plan("docker.io", hosts=("10.0.0.1", "fd00::2"))
    assert asked(made, "docker.io") == ["https://sea.hub:5000/v2/docker.io", "https://[fd00::2]:5000/v2/docker.io"]
