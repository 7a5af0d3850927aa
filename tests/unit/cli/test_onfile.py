"""What the words of `sealpy run --file` change in a Clusterfile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sealpy.cli.onfile import clusterfile_on
from sealpy.cli.wish import Wish
from sealpy.clusterfile import Clusterfile, PasswordFrom
from sealpy.errors import ConfigError

TEXT = """\
kind: Cluster
metadata: {name: shop}
spec:
  image: kubernetes:v1
  env: [A=file]
  cmd: [from the file]
  ssh: {user: admin, passwordFrom: {env: SITE_PASSWORD}}
  hosts:
    - {ips: [10.0.0.1], roles: [master]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "Clusterfile").write_text(TEXT)
    return tmp_path / "Clusterfile"


def on(file: Path, **words: Any) -> Clusterfile:
    return clusterfile_on(file, Wish(**{"image": "", "masters": "", "name": "", **words}))


def test_without_words_the_file_stands_as_it_is(file: Path) -> None:
    cluster = on(file).cluster
    assert (cluster.name, cluster.image, cluster.cmd) == ("shop", "kubernetes:v1", ("from the file",))


def test_words_are_heard_over_the_file_and_env_is_added(file: Path) -> None:
    cluster = on(file, image="kubernetes:v2", name="other", env=("B=word",), commands=("one", "two"), apps=("web",),
                 sets=("dataRoot=/data",)).cluster  # fmt: skip
    assert (cluster.name, cluster.image, cluster.data_root) == ("other", "kubernetes:v2", "/data")
    assert cluster.env == {"A": "file", "B": "word"}
    assert (cluster.cmd, cluster.app_names) == (("one", "two"), ("web",))


def test_hosts_are_added_with_the_login_that_was_typed(file: Path) -> None:
    cluster = on(file, nodes="10.0.0.2-10.0.0.3", user="root", port=2222, password="geheim").cluster
    first, added = cluster.hosts
    assert (added.ips, added.roles) == (("10.0.0.2", "10.0.0.3"), ("node",))
    assert (added.ssh.user, added.ssh.port, added.ssh.password, added.ssh.password_from) == (
        "root",
        2222,
        "geheim",
        None,
    )
    assert first.ssh.user == "admin"
    assert first.ssh.password_from == PasswordFrom("env", "SITE_PASSWORD")


def test_without_hosts_the_login_is_that_of_all(file: Path) -> None:
    cluster = on(file, user="root", jump="bastion", password="geheim", key_password="phrase").cluster
    (entry,) = cluster.hosts
    assert entry.ssh == cluster.ssh
    assert (entry.ssh.user, entry.ssh.password, entry.ssh.private_key_password) == ("root", "geheim", "phrase")
    assert [hop.host for hop in entry.ssh.jump] == ["bastion"]


def test_a_host_that_the_file_has_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        on(file, nodes="10.0.0.1")
    (problem,) = caught.value.problems
    assert str(problem) == "--set: spec.hosts[1].ips[0]: host '10.0.0.1' stands twice (first on line 9)"


def test_machines_are_not_made_for_a_file(file: Path) -> None:
    with pytest.raises(ConfigError, match="--provider"):
        on(file, provider="local", masters="1")
