from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from sealpy.machines.keys import KeyPair, KnownHosts

OTHERS = "10.0.0.1 ssh-ed25519 AAAAother\n# a comment\n"


def known(tmp_path: Path, text: str = "") -> KnownHosts:
    path = tmp_path / "known_hosts"
    if text:
        path.write_text(text)
    return KnownHosts(path, "lab")


def test_a_pair_is_one_that_openssh_reads() -> None:
    pair = KeyPair.generate()

    public = load_ssh_private_key(pair.private, password=None).public_key()
    assert public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() == pair.public
    assert pair.public.startswith("ssh-ed25519 AAAA")


def test_the_pair_of_a_lab_is_made_once_and_its_private_half_is_for_its_owner_alone(tmp_path: Path) -> None:
    made = KeyPair.at(tmp_path / "id_ed25519")

    assert KeyPair.at(tmp_path / "id_ed25519") == made
    assert (tmp_path / "id_ed25519").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "id_ed25519.pub").read_text() == f"{made.public}\n"


def test_the_key_of_a_machine_stands_where_sealpy_looks_it_up(tmp_path: Path) -> None:
    hosts = known(tmp_path)

    hosts.remember("lab-1", address="10.99.0.11", key="ssh-ed25519 AAAAone")

    assert hosts.path.read_text() == "10.99.0.11 ssh-ed25519 AAAAone sealpy-lab=lab/lab-1\n"
    assert hosts.path.stat().st_mode & 0o777 == 0o600


def test_a_new_machine_takes_the_place_of_an_old_one_at_its_address(tmp_path: Path) -> None:
    hosts = known(tmp_path, f"10.99.0.11 ssh-ed25519 AAAAold\n{OTHERS}")

    hosts.remember("lab-1", address="10.99.0.11", key="ssh-ed25519 AAAAone")
    hosts.remember("lab-1", address="10.99.0.11", key="ssh-ed25519 AAAAtwo")

    assert hosts.path.read_text() == f"{OTHERS}10.99.0.11 ssh-ed25519 AAAAtwo sealpy-lab=lab/lab-1\n"


def test_forgetting_a_machine_leaves_every_other_line_as_it_was(tmp_path: Path) -> None:
    hosts = known(tmp_path, f"{OTHERS}10.99.0.21 ssh-ed25519 AAAAx sealpy-lab=lab/lab-11\n")
    hosts.remember("lab-1", address="10.99.0.11", key="ssh-ed25519 AAAAone")

    assert hosts.machines() == {"lab-1", "lab-11"}
    assert hosts.forget("lab-1")
    assert not hosts.forget("lab-1")
    assert hosts.machines() == {"lab-11"}
    assert hosts.path.read_text() == f"{OTHERS}10.99.0.21 ssh-ed25519 AAAAx sealpy-lab=lab/lab-11\n"


def test_a_file_in_which_nothing_is_left_goes_away(tmp_path: Path) -> None:
    hosts = known(tmp_path)
    hosts.remember("lab-1", address="10.99.0.11", key="ssh-ed25519 AAAAone")

    hosts.forget("lab-1")

    assert list(tmp_path.iterdir()) == []


def test_machines_of_another_lab_are_not_ours(tmp_path: Path) -> None:
    hosts = known(tmp_path, "10.99.1.11 ssh-ed25519 AAAAx sealpy-lab=two/two-1\n")

    assert hosts.machines() == set()
