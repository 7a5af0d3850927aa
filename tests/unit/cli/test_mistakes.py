"""Every mistake of a Clusterfile is told at once, alike by every command, and before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.cli.app import run
from sealpy.connectors.reach import Ways
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image

Capture = pytest.CaptureFixture[str]
COMMANDS = [
    ["apply"],
    ["apply", "--dry-run"],
    ["plan"],
    ["check", "--pre", "-f", "Clusterfile"],
    ["plugin", "doctor"],
    ["run", "-f", "Clusterfile"],
]
EVERYTHING = """\
apiVersion: sealer.io/v2
kind: Cluster
metadata: {name: shop}
spec:
  image: shop:1
  imagee: shop:1
  ssh:
    prot: 22
  hosts:
    - ips: [10.0.0.1]
      roles:
        - mster
    - ips:
        - 10.0.0.300
      roles: [node]
    - ips: [10.0.0.1]
      roles: [node]
---
kind: Plugni
metadata: {name: kind}
---
kind: Plugin
metadata: {name: type}
spec:
  type: SHEL
  action: PreInitt
  on: nod
  data: date
---
kind: Plugin
metadata: {name: nobody}
spec:
  type: SHELL
  action: PreInit
  on: 10.0.0.77
  data: date
---
kind: Plugin
metadata: {name: brought}
spec: {type: OF_THE_IMAGE, action: PostInstal}
"""
# line and message of every problem, but for the image
TOLD = [
    "6: spec.imagee: this field is unknown",
    "8: spec.ssh.prot: this field is unknown",
    "12: spec.hosts[0].roles[0]: 'mster' is no role by which a host joins the cluster",
    "14: spec.hosts[1].ips[0]: host '10.0.0.300' is no IP address",
    "16: spec.hosts[2].ips[0]: host '10.0.0.1' stands twice (first on line 10)",
    "19: kind: 'Plugni' is no kind of a Clusterfile",
    "25: plugin 'type': type 'SHEL' is not known",
    "26: plugin 'type': action 'PreInitt' is not known",
    "27: plugin 'type': scope 'nod' selects no host",
    "35: plugin 'nobody': scope '10.0.0.77' selects no host",
    "40: plugin 'brought': action 'PostInstal' is not known",
]
HINTS = ["image", "port", "master", "Plugin", "SHELL", "PreInit", "node", "PostInstall"]
NOT_HERE = "5: image 'shop:1': not among the local images"
UNCHECKED = (
    "40: plugin 'brought': type 'OF_THE_IMAGE' cannot be checked: image 'shop:1', which is not here, may bring it"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a new directory, from which no machine may be reached."""

    def reach(_ways: Ways, target: object) -> None:
        raise AssertionError(f"{target} was reached for")

    monkeypatch.setattr(Ways, "to", reach)
    directory = tmp_path / "new"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


def write(here: Path, text: str) -> None:
    (here / "Clusterfile").write_text(text, encoding="utf-8")


def store(home: Path, files: dict[str, bytes] | None = None) -> None:
    content = {"etc/kubeadm.yml": b"kind: ClusterConfiguration\nkubernetesVersion: v1.34.4\n", **(files or {})}
    a_stored_image(Store(home / "images"), content, name="shop:1")


def told(capsys: Capture) -> list[str]:
    """Give place and message of every problem that was told."""
    lines = capsys.readouterr().err.splitlines()
    return [line.strip() for line in lines if line.startswith("  ") and not line.startswith("    ")]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_all_mistakes_are_told_with_an_image_that_is_not_here(
    command: list[str], here: Path, home: Path, capsys: Capture
) -> None:
    write(here, EVERYTHING)
    assert run(command) == 2
    text = capsys.readouterr().err
    found = [line.strip() for line in text.splitlines() if line.startswith("  Clusterfile:")]
    expected = [*TOLD, NOT_HERE, UNCHECKED]
    assert sorted(found) == sorted(f"Clusterfile:{line}" for line in expected)
    assert text.count("error:") == 1
    assert f"error: Clusterfile: {len(expected)} problems\n" in text
    assert [word for word in HINTS if f"did you mean '{word}'?" not in text] == []
    assert not (home / "clusters").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_all_mistakes_are_told_with_the_plugins_of_an_image_that_is_here(
    command: list[str], here: Path, home: Path, capsys: Capture
) -> None:
    brought = b'PluginType = "OF_THE_IMAGE"\nclass Plugin: ...\n'
    store(home, {"plugins/brought.py": brought, "plugins/half.py": b'PluginType = "HALF"\n'})
    write(here, EVERYTHING)
    assert run(command) == 2
    half = "plugins/half.py: no 'Plugin' at the top level of the file"
    assert told(capsys) == [*(f"Clusterfile:{line}" for line in TOLD), half]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_image_that_is_not_here_is_one_sentence_when_nothing_else_is_wrong(
    command: list[str], here: Path, capsys: Capture
) -> None:
    write(here, "kind: Cluster\nspec: {image: shop:1, hosts: [{ips: [10.0.0.1], roles: [master]}]}\n")
    assert run(command) == 5
    assert capsys.readouterr().err == (
        "error: Clusterfile:2: image 'shop:1': not among the local images\n"
        "next: bring it here: 'sealpy pull shop:1', 'sealpy load -i FILE' or 'sealpy build -t NAME'\n"
    )


def test_what_only_the_image_can_tell_is_told_as_not_checked(here: Path, capsys: Capture) -> None:
    head = "kind: Cluster\nspec: {image: shop:1, hosts: [{ips: [10.0.0.1], roles: [master]}]}\n---\nkind: Plugin\n"
    write(here, f"{head}metadata: {{name: mine}}\nspec: {{type: MINE, action: PreInit}}\n")
    assert run(["plan"]) == 5
    text = capsys.readouterr().err
    assert "error: Clusterfile:2: image 'shop:1': not among the local images\n" in text
    assert "Clusterfile:6: plugin 'mine': type 'MINE' cannot be checked: image 'shop:1', which is not here" in text


# what stands in the Clusterfile besides → what is told, and nothing that only follows from it
HOSTS = "  hosts:\n    - {ips: [10.0.0.1], roles: [master]}\n"
ON_NODE = "---\nkind: Plugin\nmetadata: {name: p}\nspec: {type: SHELL, action: PreInit, 'on': node, data: date}\n"
CASES = {
    "an address that is none": (f"{HOSTS}    - {{ips: [10.0.0.x], roles: [node]}}\n", "5", "no IP address"),
    "no addresses": (f"{HOSTS}    - {{ip: [10.0.0.2], roles: [node]}}\n", "5", "ips: this field is missing"),
    "a mistyped role": (f"{HOSTS}    - {{ips: [10.0.0.2], roles: [noed]}}\n", "5", "'noed' is no role by which"),
    "a role that is no list": (f"{HOSTS}    - {{ips: [10.0.0.2], roles: node}}\n", "5", "a list is needed"),
    "a mistyped field of a host": (f"{HOSTS}    - {{ips: [10.0.0.2], role: [node]}}\n", "5", "role: this field"),
    "a mistyped list": (HOSTS.replace("hosts", "hsts").replace("[master]", "[master, node]"), "3", "hsts: this field"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_in_the_hosts_is_not_told_again_by_a_plugin_for_them(
    case: str, here: Path, home: Path, capsys: Capture
) -> None:
    store(home)
    hosts, line, message = CASES[case]
    write(here, f"kind: Cluster\nspec:\n{hosts}  image: shop:1\n{ON_NODE}")
    assert run(["plan"]) == 2
    found = told(capsys)
    assert all(one.startswith(f"Clusterfile:{line}: spec.h") for one in found), found
    assert any(message in one for one in found)


# a document with mistakes → all that is told of it, and nothing that only follows from them
DOCUMENTS = {
    "mistyped fields": (
        "kind: Plugin\nmetadata: {name: p}\nspec: {tpye: SHEL, acton: PreInitt, 'on': nod, data: date}\n",
        ["tpye: this field", "acton: this field", "type 'SHEL'", "action 'PreInitt'", "scope 'nod'"],
    ),
    "a mistyped field with a wrong value": (
        "kind: Plugin\nmetadata: {name: p}\nspec: {timout: soon, type: SHEL, action: PreInit, data: date}\n",
        ["timout: this field", "type 'SHEL'"],
    ),
    "wrong values": (
        "kind: Plugin\nmetadata: {name: p}\nspec: {type: SHEL, action: PreInit, data: x, retry: {of: 1}, order: x}\n",
        ["of: this field", "order: a whole number", "type 'SHEL'"],
    ),
    "a mistyped kind": (
        "kind: Plugni\nmetadata: {name: p}\nspec: {type: SHEL, action: PreInit, data: date}\n",
        ["kind: 'Plugni'", "type 'SHEL'"],
    ),
    "a mistyped key at the top": (
        "kind: Plugin\nmetadata: {name: p}\nsepc: {type: SHEL, action: PreInit, data: date}\n",
        ["sepc: this field", "spec: this field is missing", "type 'SHEL'"],
    ),
    "a type that is no text": (
        "kind: Plugin\nmetadata: {name: p}\nspec: {type: [SHELL], action: PreInit, data: date}\n",
        ["type: text is needed"],
    ),
    "an action that is none": (
        "kind: Plugin\nmetadata: {name: p}\nspec: {type: SHELL, action: PreInit||PreJoin, data: date}\n",
        ["action: 'PreInit||PreJoin' has an empty part"],
    ),
    "no name": (
        "kind: Plugin\nspec: {type: SHELL, action: PreInit, data: date}\n",
        ["metadata: this field is missing"],
    ),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_one_mistake_of_a_plugin_does_not_hide_another(case: str, here: Path, home: Path, capsys: Capture) -> None:
    store(home)
    document, messages = DOCUMENTS[case]
    write(here, f"kind: Cluster\nspec:\n{HOSTS}  image: shop:1\n---\n{document}")
    assert run(["plan"]) == 2
    found = told(capsys)
    assert [message for message in messages if not any(message in one for one in found)] == []
    assert len(found) == len(messages), found


def test_a_mistyped_kind_of_the_cluster_hides_neither_its_hosts_nor_its_image(here: Path, capsys: Capture) -> None:
    plugin = "kind: Plugin\nmetadata: {name: p}\nspec: {type: SHELL, action: PreInit, 'on': nod, data: date}\n"
    write(here, f"kind: Clutser\nspec:\n{HOSTS}  image: shop:1\n---\n{plugin}")
    assert run(["plan"]) == 2
    assert told(capsys) == [
        "Clusterfile:1: kind: 'Clutser' is no kind of a Clusterfile",
        "Clusterfile:5: image 'shop:1': not among the local images",
        "Clusterfile:9: plugin 'p': scope 'nod' selects no host",
    ]


PLUGIN = "---\nkind: Plugin\nmetadata: {name: p}\nspec: {type: %s, action: %s, data: date}\n"
ENV, REGISTRY = "  env: [NOT_SET_ANYWHERE]\n", "  registry: {localRegistry: {username: admin}}\n"
APPS = "---\nkind: Application\nmetadata: {name: a}\nspec: {launchApps: [webb]}\n"
# what stands in a Clusterfile that can be read whole → everything that is told of it
READ = {
    "variables, accounts and plugins": (
        f"{ENV}{REGISTRY}{PLUGIN % ('SHEL', 'PreInit')}",
        ["env NOT_SET_ANYWHERE: no value is given", "registry.localRegistry: there is a username", "type 'SHEL'"],
    ),
    "apps, variables and plugins": (
        f"{ENV}{APPS}{PLUGIN % ('SHELL', 'PreInitt')}",
        ["app 'webb' is not in the image", "env NOT_SET_ANYWHERE: no value", "action 'PreInitt' is not known"],
    ),
}


@pytest.mark.parametrize("case", READ)
@pytest.mark.parametrize("command", [["plan"], ["check", "--pre", "-f", "Clusterfile"]], ids=" ".join)
def test_what_is_wrong_with_a_file_that_can_be_read_is_told_at_once(
    command: list[str], case: str, here: Path, home: Path, capsys: Capture
) -> None:
    store(home)
    more, messages = READ[case]
    write(here, f"kind: Cluster\nspec:\n{HOSTS}  image: shop:1\n{more}")
    assert run(command) == 2
    found = told(capsys)
    assert len(found) == len(messages), found
    assert [message for message in messages if not any(message in one for one in found)] == []
    assert all(one.startswith("Clusterfile:") for one in found)


def test_passwords_are_looked_for_though_the_image_is_not_here_but_not_by_the_doctor(
    here: Path, tmp_path: Path, capsys: Capture
) -> None:
    mark = tmp_path / "ran"
    vault = f"passwordFrom: {{command: 'touch {mark}; false'}}"
    write(here, f"kind: Cluster\nspec:\n{HOSTS}  ssh: {{{vault}}}\n  image: shop:1\n")
    assert run(["plugin", "doctor"]) == 5
    assert not mark.exists()
    assert run(["plan"]) == 2
    text = capsys.readouterr().err
    assert "passwordFrom command" in text
    assert "not among the local images" in text


@pytest.mark.parametrize("hosts", ["", "  hosts: [{ips: [10.0.0.1], roles: [master]}]\n"])
def test_the_hosts_of_an_application_are_those_of_its_cluster(
    hosts: str, here: Path, home: Path, capsys: Capture
) -> None:
    a_stored_image(Store(home / "images"), {"web.yaml": b"kind: x\n"}, name="shop:1", type="app-installer")
    plugin = "kind: Plugin\nmetadata: {name: p}\nspec: {type: SHELL, action: PreGuest, 'on': node, data: date}\n"
    write(here, f"kind: Cluster\nspec:\n  image: shop:1\n{hosts}---\n{plugin}")
    assert run(["plugin", "doctor"]) == 0
    assert "        on hosts that are not known here\n" in capsys.readouterr().out


def test_words_are_looked_at_though_the_image_is_not_here(capsys: Capture) -> None:
    assert run(["run", "elsewhere:9", "-m", "10.0.0.1", "-n", "10.0.0.2-10.0.0.1"]) == 2
    told_of = capsys.readouterr().err
    assert "error: command line: 2 problems\n" in told_of
    assert "image 'elsewhere:9': not among the local images" in told_of
    assert "range '10.0.0.2-10.0.0.1' runs backwards" in told_of


BROKEN = """\
kind: Cluster
metadata: {name: Shop}
spec:
  image: shop:1
  imagePullPolicy: Always
  evn:
    - NOT_SET_ANYWHERE
  ssh:
    prot: 22
    pk: /nowhere/key
  hosts:
    - {ips: [10.0.0.1], roles: [mster]}
    - {ips: [10.0.0.1], roles: [node], ssh: {passwordFrom: {env: NO_PASSWORD}}}
  registry:
    localRegistry: {username: admin}
  appNames: [webb]
---
kind: Config
metadata: {name: text}
spec: {path: a, process: value, data: no mapping}
---
kind: Config
metadata: {name: db}
spec:
  path: b
  dataFrom: {env: NO_DATA}
---
kind: Config
metadata: {name: below}
spec: {path: a, appName: nop, data: x}
---
kind: Application
metadata: {name: a}
spec:
  configs:
    - name: shopp
      env: [NOR_THIS]
"""
TOLD_OF_BROKEN = [
    "2: metadata.name: 'Shop' cannot be the name of a cluster",
    "5: spec.imagePullPolicy: this field is unknown",
    "6: spec.evn: this field is unknown",
    "7: env NOT_SET_ANYWHERE: no value is given, and there is no such variable here",
    "9: spec.ssh.prot: this field is unknown",
    "10: private key '/nowhere/key': no such file",
    "12: spec.hosts[0].roles[0]: 'mster' is no role by which a host joins the cluster",
    "13: passwordFrom env 'NO_PASSWORD': the variable is not set",
    "13: spec.hosts[1].ips[0]: host '10.0.0.1' stands twice (first on line 12)",
    "14: registry.localRegistry: there is a username, but no password",
    "16: launch: app 'webb' is not in the image",
    "18: Config 'text': its data is no mapping, whose values could be processed",
    "26: Config 'db': dataFrom env 'NO_DATA': the variable is not set",
    "28: Config 'below': app 'nop' is not in the image",
    "36: Application 'a': app 'shopp' is not in the image",
    "37: env NOR_THIS: no value is given, and there is no such variable here",
]


@pytest.mark.parametrize("command", [["plan"], ["apply"], ["run", "-f", "Clusterfile"]], ids=" ".join)
def test_mistakes_of_a_cluster_hide_none_in_its_references_logins_accounts_and_apps(
    command: list[str], here: Path, home: Path, capsys: Capture
) -> None:
    store(home)
    write(here, BROKEN)
    assert run(command) == 2
    assert sorted(told(capsys)) == sorted(f"Clusterfile:{line}" for line in TOLD_OF_BROKEN)


@pytest.mark.parametrize(
    "broken", ["ssh: {pot: 22, pkk: /nowhere/key, x: y}", "hosts: [{ips: [10.0.0.x], roles: [master]}]"]
)
def test_nothing_is_said_of_logins_of_which_a_part_cannot_be_read(
    broken: str, here: Path, home: Path, capsys: Capture
) -> None:
    store(home)
    rest = HOSTS.replace("roles: [master]", "roles: [master], ssh: {pk: /nowhere/key}") if "ssh" in broken else ""
    write(here, f"kind: Cluster\nspec:\n  image: shop:1\n  {broken}\n{rest}")
    assert run(["plan"]) == 2
    assert not any("private key" in one or "has the role" in one for one in told(capsys))


def test_a_password_of_the_command_line_takes_the_place_of_one_that_is_not_found_in_a_broken_file(
    here: Path, home: Path, capsys: Capture
) -> None:
    store(home)
    write(here, f"kind: Cluster\nspec:\n{HOSTS}  imagee: shop:1\n  ssh: {{passwordFrom: {{env: NO_PASSWORD}}}}\n")
    assert run(["run", "-f", "Clusterfile", "-p", "word"]) == 2
    assert not any("NO_PASSWORD" in one for one in told(capsys))


def test_a_login_that_is_wrong_hides_no_template(here: Path, home: Path, capsys: Capture) -> None:
    store(home, {"etc/x.conf.tmpl": b"{{ .NotThere }"})
    write(here, LOGINS.replace("[NOR_THIS]", "[]").replace("    - NOT_SET_ANYWHERE\n", ""))
    assert run(["plan"]) == 2
    found = told(capsys)
    assert any("private key '/nowhere/key'" in one for one in found)
    assert any("etc/x.conf.tmpl" in one for one in found), found


LOGINS = """\
kind: Cluster
spec:
  image: shop:1
  ssh:
    pk: /nowhere/key
  env:
    - COLOR=red
    - NOT_SET_ANYWHERE
  hosts:
    - {ips: [10.0.0.1], roles: [master]}
    - {ips: [10.0.0.2], roles: [node], ssh: {port: 2222}}
    - ips: [10.0.0.3]
      roles: [node]
      env: [NOR_THIS]
      ssh:
        pk: .
        passwordFrom: {env: NO_PASSWORD}
"""
NO_ACCOUNT = "  registry:\n    localRegistry: {username: admin, passwordFrom: {env: NO_ACCOUNT}}\n"
# what the command is given besides the file → all that is told
TOLD_OF_LOGINS = {
    "": [
        "Clusterfile:5: private key '/nowhere/key': no such file",
        "Clusterfile:8: env NOT_SET_ANYWHERE: no value is given, and there is no such variable here",
        "Clusterfile:14: env NOR_THIS: no value is given, and there is no such variable here",
        "Clusterfile:16: private key '.': is a directory",
        "Clusterfile:17: passwordFrom env 'NO_PASSWORD': the variable is not set",
        "Clusterfile:19: passwordFrom env 'NO_ACCOUNT': the variable is not set",
    ],
    "--set ssh.pk=/elsewhere/key -e COLOR": [
        "Clusterfile:8: env NOT_SET_ANYWHERE: no value is given, and there is no such variable here",
        "Clusterfile:14: env NOR_THIS: no value is given, and there is no such variable here",
        "Clusterfile:16: private key '.': is a directory",
        "Clusterfile:17: passwordFrom env 'NO_PASSWORD': the variable is not set",
        "Clusterfile:19: passwordFrom env 'NO_ACCOUNT': the variable is not set",
        "--env: env COLOR: no value is given, and there is no such variable here",
        "--set: private key '/elsewhere/key': no such file",
    ],
}


@pytest.mark.parametrize("more", TOLD_OF_LOGINS)
def test_what_no_login_can_do_without_is_told_once_with_its_line_and_before_any_connection(
    more: str, here: Path, home: Path, capsys: Capture
) -> None:
    store(home)
    write(here, LOGINS + NO_ACCOUNT)
    assert run(["plan", *more.split()]) == 2
    assert told(capsys) == TOLD_OF_LOGINS[more]


@pytest.mark.parametrize(
    "command",
    [
        ["run", "shop:1", "-m", "10.0.0.1", "-n", "10.0.0.2"],
        ["check", "--pre", "-m", "10.0.0.1", "-n", "10.0.0.2"],
        ["init", "shop:1", "-m", "10.0.0.1", "-n", "10.0.0.2"],
    ],
    ids=" ".join,
)
def test_a_key_of_the_command_line_is_told_once_by_its_option(
    command: list[str], here: Path, home: Path, capsys: Capture
) -> None:
    store(home)
    (here / "id_ed25519").touch()
    assert run([*command, "--pk", "id_ed25591"]) == 2
    assert capsys.readouterr().err.splitlines()[:2] == [
        f"error: --pk: private key '{here}/id_ed25591': no such file",
        f"next: did you mean '{here}/id_ed25519'?",
    ]


def test_a_key_of_the_command_line_takes_the_place_of_that_in_the_file_but_not_of_a_hosts_own(
    here: Path, home: Path, capsys: Capture
) -> None:
    store(home)
    write(here, LOGINS.replace("[NOR_THIS]", "[]").replace("    - NOT_SET_ANYWHERE\n", ""))
    assert run(["run", "-f", "Clusterfile", "--pk", "/elsewhere/key"]) == 2
    assert told(capsys) == [
        "Clusterfile:15: private key '.': is a directory",
        "Clusterfile:16: passwordFrom env 'NO_PASSWORD': the variable is not set",
        "--pk: private key '/elsewhere/key': no such file",
    ]


def test_a_key_a_variable_and_an_image_that_are_not_here_are_told_together(capsys: Capture) -> None:
    assert run(["run", "elsewhere:9", "-m", "10.0.0.1", "--pk", "/nowhere/key", "-e", "NOT_SET_ANYWHERE"]) == 2
    assert told(capsys) == [
        "image 'elsewhere:9': not among the local images",
        "--env: env NOT_SET_ANYWHERE: no value is given, and there is no such variable here",
        "--pk: private key '/nowhere/key': no such file",
    ]


def test_an_image_that_the_command_line_names_has_no_line_of_the_file(here: Path, capsys: Capture) -> None:
    write(here, f"kind: Cluster\nspec:\n{HOSTS}  image: shop:1\n")
    assert run(["run", "-f", "Clusterfile", "other:2"]) == 5
    assert "error: image 'other:2': not among the local images\n" in capsys.readouterr().err
    assert run(["plan", "--set", "image=other:2"]) == 5
    assert "error: --set: image 'other:2': not among the local images\n" in capsys.readouterr().err


def test_what_is_wrong_with_the_image_itself_is_told_with_the_line_that_names_it(
    here: Path, home: Path, capsys: Capture
) -> None:
    a_stored_image(Store(home / "images"), {"a": b"b"}, name="shop:1")
    write(here, f"kind: Cluster\nspec:\n{HOSTS}  image: shop:1\n{PLUGIN % ('SHEL', 'PreInit')}")
    assert run(["plan"]) == 2
    assert told(capsys) == [
        "Clusterfile:5: shop:1: no etc/kubeadm.yml",
        "Clusterfile:9: plugin 'p': type 'SHEL' is not known",
    ]


def test_every_wrong_word_of_the_command_line_is_told_by_its_option(home: Path, capsys: Capture) -> None:
    store(home)
    words = ["-m", "10.0.0.1-3", "-n", "10.0.0.5/24,10.0.0.6", "--name", "Shop", "-e", "=x", "--jump", "ops@:22"]
    assert run(["run", "shop:1", *words]) == 2
    assert sorted(told(capsys)) == [
        "--env: '' sets nothing",
        "--jump: 'ops@:22' is no jump host",
        "--masters: range '10.0.0.1-3' has no second address",
        "--name: 'Shop' cannot be the name of a cluster",
        "--nodes: host '10.0.0.5/24' is no IP address",
    ]


def test_an_image_that_is_not_here_does_not_hide_that_no_control_plane_is_named(capsys: Capture) -> None:
    assert run(["run", "elsewhere:9", "-n", "10.0.0.2"]) == 2
    assert told(capsys) == ["image 'elsewhere:9': not among the local images", "no control plane is named"]
