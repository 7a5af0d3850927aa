from __future__ import annotations

import pytest

from sealpy.errors import ConfigError
from sealpy.machines.names import Names


def test_everything_of_a_lab_has_a_name_that_tells_the_lab_and_the_machine() -> None:
    names = Names("lab")

    assert names.machine(2) == "lab-2"
    assert names.unit("lab-2") == "sealpy-lab-2"
    assert names.link("lab-2") == "sv-lab-2"
    assert names.bridge == "sb-lab"
    assert names.table == "sealpy-lab"


def test_what_has_a_name_is_found_again_by_it() -> None:
    names = Names("lab")

    assert names.index("lab-12") == 12
    assert names.machine_of_unit("sealpy-lab-12") == "lab-12"
    assert names.machine_of_link("sv-lab-12") == "lab-12"


@pytest.mark.parametrize("name", ["lab", "lab-", "lab-0", "lab-01", "lab-x", "lab-1-1", "other-1", "lab-1000"])
def test_what_is_no_machine_of_the_lab_is_not_taken_for_one(name: str) -> None:
    assert Names("lab").index(name) is None
    assert Names("lab").machine_of_unit(f"sealpy-{name}") is None


def test_a_lab_named_like_a_machine_of_another_lab_shares_nothing_with_it() -> None:
    lab, odd = Names("a"), Names("a-1")

    assert lab.link(lab.machine(1)) != odd.bridge
    assert lab.machine_of_unit(odd.unit(odd.machine(1))) is None
    assert odd.machine_of_unit(lab.unit(lab.machine(1))) is None
    assert lab.machine_of_link(odd.link(odd.machine(1))) is None


def test_links_of_a_lab_with_a_long_name_fit_into_the_fifteen_characters_of_the_kernel() -> None:
    names = Names("a-rather-long-name-for-a-lab")

    assert len(names.bridge) <= 15
    assert len(names.link(names.machine(200))) <= 15
    assert names.machine_of_link(names.link(names.machine(200))) == names.machine(200)
    assert names.bridge != Names("a-rather-long-name-for-a-lob").bridge


@pytest.mark.parametrize("name", ["", "Lab", "1lab", "lab-", "la b", "../lab", "lab/x", "base-1", "a" * 41])
def test_a_name_that_is_none_is_refused_before_anything_is_made(name: str) -> None:
    with pytest.raises(ConfigError, match="not a name for a lab") as caught:
        Names(name)

    assert caught.value.hint
