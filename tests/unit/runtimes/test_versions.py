"""Which Kubernetes may follow which."""

from __future__ import annotations

import pytest

from sealpy.errors import ConfigError
from sealpy.runtimes.versions import Version, check_downgrade, check_upgrade


@pytest.mark.parametrize(
    ("server", "wanted"),
    [
        ("v1.34.4", "v1.34.4"),
        ("v1.34.4", "v1.34.5"),
        ("v1.34.4", "v1.34.10"),
        ("v1.34.4", "1.35.0"),
        ("v1.34.4+k3s1", "v1.35.0"),
        ("v1.9.11", "v1.10.0"),
    ],
)
def test_the_same_a_newer_patch_and_the_next_minor_version_may_follow(server: str, wanted: str) -> None:
    check_upgrade(server, wanted, kubelets={"a": server})


@pytest.mark.parametrize(
    ("server", "wanted", "kubelet", "message"),
    [
        ("v1.34.4", "v1.36.0", "v1.34.4", "cannot become v1.36.0 at once"),
        ("v1.34.4", "v2.0.0", "v1.34.4", "cannot become v2.0.0 at once"),
        ("v1.34.10", "v1.34.9", "v1.34.10", "v1.34.9 is older than v1.34.10"),
        ("v1.34.4", "v1.33.9", "v1.34.4", "v1.33.9 is older than v1.34.4"),
        ("v1.34.4", "v1.35.0-alpha.1", "v1.34.4", "of the image is no release"),
        ("v1.34.4", "latest", "v1.34.4", "version 'latest' of the image is no version"),
        ("v1.34.4", "v1.34.5", "v1.32.9", "an upgrade to v1.33 is unfinished"),
        ("v1.35.1", "v1.36.0", "v1.34.4", "an upgrade to v1.35 is unfinished"),
        ("v1.34.4", "v1.34.5", "v1.35.0", "newer than v1.34.5"),
    ],
)
def test_what_may_not_follow_is_refused_with_the_way_out(server: str, wanted: str, kubelet: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_upgrade(server, wanted, kubelets={"a": kubelet})
    assert message in refused.value.message
    assert refused.value.hint


def test_a_node_that_an_upgrade_was_cut_before_is_brought_too() -> None:
    check_upgrade("v1.35.1", "v1.35.1", kubelets={"a": "v1.35.1", "b": "v1.34.4"})


@pytest.mark.parametrize(("server", "wanted"), [("v1.34.5", "v1.34.4"), ("v1.34.4", "v1.34.4")])
def test_a_way_leads_back_within_a_minor_version(server: str, wanted: str) -> None:
    check_downgrade(server, wanted)


@pytest.mark.parametrize(("server", "wanted"), [("v1.35.0", "v1.34.9"), ("v1.34.4", "v1.34.5"), ("v1.34.4", "v1.35.0")])
def test_no_way_leads_back_over_a_minor_version_or_forward(server: str, wanted: str) -> None:
    with pytest.raises(ConfigError):
        check_downgrade(server, wanted)


def test_versions_are_ordered_by_number() -> None:
    assert Version.parse("v1.9.11", what="it") < Version.parse("1.10.2", what="it")
    assert str(Version.parse("1.34.4+build", what="it")) == "v1.34.4"
