from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sealpy.machines.recipe import DEBIAN, Recipe

SMALL = Recipe(
    suite="bookworm",
    packages=("systemd",),
    files={"/usr/local/sbin/prepare": "#!/bin/sh\n", "/etc/machine-id": ""},
    links={"/etc/systemd/system/getty.service": "/dev/null"},
    programs=("/usr/local/sbin/prepare",),
    removed=("etc/ssh/ssh_host_*",),
)


def test_the_same_recipe_has_the_same_name() -> None:
    assert replace(SMALL, files=dict(sorted(SMALL.files.items()))).name == SMALL.name


def test_whatever_changes_in_a_recipe_changes_its_name() -> None:
    changed = (
        replace(SMALL, suite="trixie"),
        replace(SMALL, packages=("systemd", "dbus")),
        replace(SMALL, files={**SMALL.files, "/etc/motd": ""}),
        replace(SMALL, links={}),
        replace(SMALL, commands=(("true",),)),
    )

    assert len({SMALL.name, *(recipe.name for recipe in changed)}) == len(changed) + 1


def test_files_links_and_modes_are_put_into_the_root_and_what_must_not_be_shared_is_taken_out(tmp_path: Path) -> None:
    (tmp_path / "etc/ssh").mkdir(parents=True)
    (tmp_path / "etc/ssh/ssh_host_rsa_key").write_text("the same for all")
    (tmp_path / "etc/machine-id").symlink_to("/etc/machine-id")  # one of this computer, if it were followed

    SMALL.apply(tmp_path)

    assert (tmp_path / "usr/local/sbin/prepare").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "etc/systemd/system/getty.service").readlink() == Path("/dev/null")
    assert not (tmp_path / "etc/machine-id").is_symlink()
    assert list((tmp_path / "etc/ssh").iterdir()) == []


def test_the_recipe_of_the_lab_lets_root_log_in_with_a_password() -> None:
    assert "PermitRootLogin yes" in DEBIAN.files["/etc/ssh/sshd_config.d/lab.conf"]


def test_every_program_of_the_recipe_is_one_of_its_files() -> None:
    assert set(DEBIAN.programs) <= set(DEBIAN.files)
