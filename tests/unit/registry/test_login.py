"""Who may use a registry, as the registry and its clients read it."""

from __future__ import annotations

import base64

import bcrypt
import pytest

from sealpy.connectors.secret import Secret
from sealpy.errors import ConfigError
from sealpy.registry import Elsewhere, Login, RegistryPlan, mirrors, start, trust
from sealpy.registry.certificates import Authority
from sealpy.sdk import Put, Run
from sealpy.testing.builders import walk

LOGIN = Login("puller", Secret("ge heim:€"))
CERTS = "/etc/containerd/certs.d"


def plan(**changes: object) -> RegistryPlan:
    given: dict[str, object] = {"rootfs": "/r", "hosts": ("10.0.0.1",), "mirrored": ("docker.io",), **changes}
    return RegistryPlan(**given)  # type: ignore[arg-type] # as the cases say


def test_the_header_is_the_account_by_base64() -> None:
    assert base64.b64decode(LOGIN.header.removeprefix("Basic ")).decode() == "puller:ge heim:€"


def test_the_file_of_the_registry_holds_no_password_but_knows_it() -> None:
    user, _, hashed = LOGIN.htpasswd.decode().strip().partition(":")
    assert user == "puller"
    assert "heim" not in hashed
    assert bcrypt.checkpw("ge heim:€".encode(), hashed.encode())


def test_an_account_shows_no_password() -> None:
    assert "heim" not in repr(plan(login=LOGIN, elsewhere=Elsewhere(url="hub.example", login=LOGIN)))


@pytest.mark.parametrize(("user", "password"), [("a:b", "x"), ("a\nb", "x"), ("a", "x" * 73), ("a", "€" * 25)])
def test_an_account_that_cannot_be_written_down_is_refused_without_its_password(user: str, password: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Login(user, Secret(password))
    assert password not in f"{caught.value.message} {caught.value.hint}" or password == "x"


def test_the_registry_is_started_with_its_users_in_a_private_file() -> None:
    steps, _ = walk(start(plan(login=LOGIN), "10.0.0.1", Authority.create("shop")))
    (users,) = [step for step in steps if isinstance(step, Put) and step.path == "/r/etc/registry_htpasswd"]
    assert (users.mode, users.sensitive) == (0o600, True)
    without, _ = walk(start(plan(), "10.0.0.1", Authority.create("shop")))
    assert not [step for step in without if isinstance(step, Put) and "htpasswd" in step.path]


def test_clients_send_the_account_to_every_host_of_the_registry_and_keep_it_private() -> None:
    made = plan(login=LOGIN, hosts=("10.0.0.1", "10.0.0.2"))
    steps, _ = walk(trust(made, "10.0.0.3", b"certificate"))
    files = {step.path: step for step in steps if isinstance(step, Put)}
    mirror = files[f"{CERTS}/docker.io/hosts.toml"]
    assert (mirror.mode, mirror.sensitive) == (0o600, True)
    assert mirror.content.decode().count(f'Authorization = ["{LOGIN.header}"]') == 2
    assert files[f"{CERTS}/sea.hub:5000/ca.crt"].mode == 0o644


def test_what_clients_are_told_is_toml() -> None:
    import tomllib  # noqa: PLC0415

    text = mirrors(plan(login=LOGIN), "10.0.0.1")[f"{CERTS}/docker.io/hosts.toml"]
    (host,) = tomllib.loads(text)["host"].values()
    assert host["header"] == {"Authorization": [LOGIN.header]}
    assert host["override_path"] is True


def test_without_a_registry_of_its_own_a_cluster_pulls_everything_elsewhere() -> None:
    made = plan(hosts=(), mirrored=("docker.io", "hub.example:5001"), elsewhere=Elsewhere(url="hub.example:5001"))
    assert made.url == "hub.example:5001"
    steps, _ = walk(trust(made, "10.0.0.1", b""))
    files = {step.path: step.content.decode() for step in steps if isinstance(step, Put)}
    assert set(files) == {f"{CERTS}/{name}/hosts.toml" for name in ("docker.io", "hub.example:5001", "_default")}
    assert [line for line in files[f"{CERTS}/docker.io/hosts.toml"].splitlines() if line.startswith("[host.")] == [
        '[host."https://hub.example:5001/v2/docker.io"]',
        '[host."https://hub.example:5001"]',
    ]
    assert "ca =" not in "".join(files.values())


def test_beside_the_clusters_own_a_registry_elsewhere_is_known_by_its_name_alone() -> None:
    made = plan(elsewhere=Elsewhere(url="hub.example", login=LOGIN))
    files = mirrors(made, "10.0.0.1")
    assert made.url == "sea.hub:5000"
    assert LOGIN.header in files[f"{CERTS}/hub.example/hosts.toml"]
    assert LOGIN.header not in files[f"{CERTS}/docker.io/hosts.toml"]
    assert f"{CERTS}/_default/hosts.toml" not in files


def test_an_insecure_registry_has_no_certificate_and_is_asked_by_plain_http() -> None:
    made = plan(insecure=True, hosts=("10.0.0.1", "10.0.0.2"))
    steps, _ = walk(start(made, "10.0.0.1", Authority.create("shop")))
    assert not [step for step in steps if isinstance(step, Put)]
    (run,) = [step for step in steps if isinstance(step, Run)]
    assert ("RegistryInsecure", "true") in run.env
    steps, _ = walk(trust(made, "10.0.0.3", b"certificate"))
    text = "".join(step.content.decode() for step in steps if isinstance(step, Put))
    assert "https://" not in text
    assert "ca =" not in text
    assert '[host."http://10.0.0.2:5000/v2/docker.io"]' in text
