from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.clusterfile import Clusterfile, Jump, PasswordFrom, Ssh, dumps, load, load_plugins, loads
from sealpy.errors import ClusterfileError

MINIMAL = "kind: Cluster\nspec:\n  image: kubernetes:v1.34.4\n"


def cluster(spec: str) -> Clusterfile:
    """Read a Cluster whose spec has these further lines."""
    lines = "".join(f"  {line}\n" for line in spec.splitlines())
    return loads(MINIMAL + lines, name="Clusterfile")


def problems(text: str) -> list[str]:
    with pytest.raises(ClusterfileError) as caught:
        loads(text, name="f")
    return [str(problem) for problem in caught.value.problems]


def test_what_is_not_written_has_its_default() -> None:
    found = loads(MINIMAL, name="f").cluster
    assert (found.name, found.data_root) == ("my-cluster", "/var/lib/sealpy/data")
    assert found.ssh == Ssh(), "what is not written is for ~/.ssh/config to say"
    assert (found.registry.local.domain, found.registry.local.port) == ("sea.hub", 5000)
    assert (found.registry.local.ha, found.registry.local.insecure, found.registry.external) == (True, False, None)


@pytest.mark.parametrize("typed", ["0123", "123456", "yes", "1e3", "1:30", "2021-01-02", "on", "0x10", "=", "1_000"])
def test_a_text_is_what_was_typed(typed: str) -> None:
    assert cluster(f"ssh: {{passwd: {typed}}}").cluster.ssh.password == typed


@pytest.mark.parametrize("empty", ["", "~", "null"])
def test_a_key_without_a_value_is_as_good_as_not_written(empty: str) -> None:
    assert cluster(f"ssh:\n  passwd: {empty}\nhosts: {empty}").cluster == loads(MINIMAL, name="f").cluster


def test_quotes_make_a_text_of_null() -> None:
    assert cluster("ssh: {passwd: 'null'}").cluster.ssh.password == "null"


@pytest.mark.parametrize("version", ["sealer.io/v2", "sealer.io/v1", "sealer.cloud/v2", "sealer.aliyun.com/v1alpha1",
                                     "sealer.aliyun.com/v2alpha1", "zlink.aliyun.com/v1alpha1", "sealer.com/v1alpha1",
                                     "sealer.cmss.com/v1"])  # fmt: skip
def test_every_api_version_of_the_ancestor_is_read(version: str) -> None:
    assert loads(f"apiVersion: {version}\n{MINIMAL}", name="f").cluster.image == "kubernetes:v1.34.4"


def test_of_an_env_name_that_stands_twice_the_last_one_counts() -> None:
    assert cluster("env: [A=1, B=2, A=3]").cluster.env == {"A": "3", "B": "2"}


def test_the_login_of_a_host_is_put_over_that_of_the_cluster() -> None:
    found = cluster(
        "ssh: {user: admin, passwd: a, port: 2222, pk: /k}\n"
        "hosts:\n"
        "  - {ips: [10.0.0.1], roles: [master]}\n"
        "  - {ips: [10.0.0.2], roles: [node], ssh: {port: 22, passwordFrom: {env: PW}}}\n"
    )
    first, second = (entry.ssh for entry in found.cluster.hosts)
    assert first == Ssh(user="admin", password="a", port=2222, private_key="/k")
    assert second == Ssh(user="admin", password_from=PasswordFrom("env", "PW"), port=22, private_key="/k")


def test_a_password_given_later_goes_to_hosts_that_have_none_of_their_own() -> None:
    found = cluster(
        "hosts:\n"
        "  - {ips: [10.0.0.1], roles: [master]}\n"
        "  - {ips: [10.0.0.2], roles: [node], ssh: {passwordFrom: {file: /pw}}}\n"
    ).with_password("given")
    assert [entry.ssh.password for entry in found.cluster.hosts] == ["given", ""]
    assert found.cluster.secrets == ("given",)


def test_all_literal_secrets_are_known_for_redaction() -> None:
    found = cluster(
        "ssh: {passwd: a, pkPasswd: b, sudoPasswd: c}\n"
        "registry: {localRegistry: {password: d}, externalRegistry: {domain: x, password: e}}\n"
        "hosts: [{ips: [10.0.0.1], roles: [master], ssh: {passwd: f}}]"
    )
    assert set(found.cluster.secrets) == set("abcdef")


def test_no_secret_is_in_the_representation() -> None:
    found = cluster("ssh: {passwd: geheim1, pkPasswd: geheim2, sudoPasswd: geheim3}")
    assert "geheim" not in repr(found)


def test_names_of_the_api_server_come_from_the_environment() -> None:
    assert cluster("env: ['CertSANs=a.example, 10.0.0.9']").cluster.cert_sans == ("a.example", "10.0.0.9")


def test_a_host_without_a_role_of_kubernetes_is_a_notice() -> None:
    found = cluster("hosts:\n  - ips: [10.0.0.1]\n    roles: [storage]")
    assert [str(notice) for notice in found.notices] == [
        "Clusterfile:5: spec.hosts[0]: these hosts get the files, but join no cluster"
    ]


@pytest.mark.parametrize(
    ("spec", "place", "instead"),
    [
        ("ssh: {user: admin, passwd: geheim}", "4: spec.ssh.passwd", "passwordFrom"),
        ("ssh: {pkPasswd: geheim}", "4: spec.ssh.pkPasswd", "pkPasswdFrom"),
        ("hosts:\n  - ips: [10.0.0.1]\n    roles: [node]\n    ssh: {sudoPasswd: geheim}",
         "7: spec.hosts[0].ssh.sudoPasswd", "sudoPasswdFrom"),
        ("registry: {localRegistry: {password: geheim}}", "4: spec.registry.localRegistry.password", "passwordFrom"),
        ("ssh: {passwd: geheim, sudoPasswd: geheim}", "4: spec.ssh.passwd", "passwordFrom"),
    ],
)  # fmt: skip
def test_passwords_in_the_file_are_one_notice_that_does_not_show_them(spec: str, place: str, instead: str) -> None:
    (notice,) = cluster(spec).notices
    assert str(notice) == f"Clusterfile:{place}: whoever reads this file reads the password"
    assert notice.hint == f"write {instead}: {{env: NAME}}, {{file: PATH}} or {{command: …}} instead"


def test_an_account_that_travels_readable_is_a_notice() -> None:
    (notice,) = cluster("registry: {localRegistry: {insecure: true, username: a, passwordFrom: {env: X}}}").notices
    assert str(notice) == "Clusterfile:4: spec.registry.localRegistry.insecure: the account travels readable"


def test_a_password_that_is_referred_to_is_no_notice() -> None:
    assert cluster("ssh: {passwordFrom: {env: SITE_PASSWORD}}").notices == ()


REFUSED = [
    ("", "f: the file is empty"),
    ("# nothing\n---\n", "f: the file is empty"),
    ("- a\n", "f:1: a list stands where a document is expected"),
    ("FROM scratch\n", "f:1: 'FROM scratch' stands where a document is expected"),
    (f"apiVersion: apps/v1\n{MINIMAL}", "f:1: apiVersion: 'apps/v1' is another kind of Cluster than this one"),
    (f"{MINIMAL}---\n{MINIMAL}", "f:5: kind: a second document of kind Cluster (the first on line 1)"),
    (f"{MINIMAL}  Hosts: []\n", "f:4: spec.Hosts: this field is unknown"),
    (f"{MINIMAL}  image: other\n", "f:4: key 'image' stands twice (first on line 3)"),
    (f"{MINIMAL}  env: {{{{ .env }}}}\n", "f:4: a mapping stands where a key is expected"),
    (f"{MINIMAL}\tenv: []\n", "f:4: the line is indented by a tab"),
    (f"{MINIMAL}// comment\n", "f:4: '//' begins no comment"),
    (f"{MINIMAL}  env: &a [*a]\n", "f:4: an alias makes it endless"),
    ("a: " + "[" * 200_000 + "]" * 200_000, "f:1: too many levels stand in each other"),
    ("kind: Cluster\nspec: " + "[" * 200 + "]" * 200, "f:2: too many levels stand in each other"),
    ("kind: \x01\n", "f: the file holds signs that no text has"),
    (f"{MINIMAL}  hosts: [{{ips: []}}]\n", "f:4: spec.hosts[0].ips: it must not be empty"),
    (f"{MINIMAL}  ssh: {{port: 0}}\n", "f:4: spec.ssh.port: the number is out of range"),
    (f"{MINIMAL}  ssh: {{passwd: a, passwordFrom: {{env: B}}}}\n", "f:4: spec.ssh: 'passwd' is given twice"),
    (f"{MINIMAL}  ssh: {{passwordFrom: {{env: B, file: c}}}}\n", "f:4: spec.ssh.passwordFrom: one source is needed"),
    (f"{MINIMAL}  dataRoot: /\n", "f:4: spec.dataRoot: '/' cannot hold data"),
    (f"{MINIMAL}  dataRoot: /a/../..\n", "f:4: spec.dataRoot: '/a/../..' cannot hold data"),
    (f"{MINIMAL}metadata: {{name: ../x}}\n", "f:4: metadata.name: '../x' cannot be the name of a cluster"),
    (f"{MINIMAL}metadata: {{name: ''}}\n", "f:4: metadata.name: '' cannot be the name of a cluster"),
    (f"{MINIMAL}  provider: CONTAINER\n", "f:4: spec.provider: 'CONTAINER' is not supported"),
    (f"{MINIMAL}  masters: {{count: 3}}\n", "f:4: spec.masters: sealpy makes no machines"),
    (f'{MINIMAL}  env: ["A=\\0"]\n', "f:4: spec.env[0]: 'A' holds a NUL"),
    (f"{MINIMAL}  registry: {{externalRegistry: {{domain: 'https://x'}}}}\n", "'https://x' is no domain"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_no_clusterfile_is_refused_with_its_line(text: str, message: str) -> None:
    assert message in problems(text)[0]


@pytest.mark.parametrize("typed", [".inf", ".Inf", ".INF", "+.Inf", "-.INF", ".nan", ".NaN", ".NAN"])
def test_numbers_without_end_are_read_as_yaml_writes_them(typed: str) -> None:
    found = loads(f"kind: KubeletConfiguration\nweight: {typed}\n---\n{MINIMAL}", name="f").kubeadm[0].body["weight"]
    assert str(found) == typed.lower().replace(".", "").replace("+", "")


def test_an_alias_of_an_alias_cannot_fill_the_memory() -> None:
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "an alias makes it endless" in problems("kind: Cluster\n" + "\n".join(lines))[0]


def test_a_file_is_read_whatever_its_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "Clusterfile"
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load(file).cluster.image == "kubernetes:v1.34.4"


def test_a_file_that_cannot_be_read_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ClusterfileError, match="no such file or directory") as caught:
        load(tmp_path / "missing")
    assert caught.value.hint
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ClusterfileError, match="the file is no text"):
        load(tmp_path / "binary")


def hint_for(path: Path) -> str:
    with pytest.raises(ClusterfileError) as caught:
        load(path)
    return caught.value.hint


def test_a_file_that_is_not_there_is_looked_for_beside_it(tmp_path: Path) -> None:
    (tmp_path / "one-machine.yaml").write_text(MINIMAL)
    assert hint_for(tmp_path / "one-machin.yaml") == f"did you mean '{tmp_path}/one-machine.yaml'?"
    assert "sealpy init" in hint_for(tmp_path / "Clusterfile")
    assert "sealpy init" in hint_for(tmp_path / "no" / "one-machine.yaml")


def test_a_directory_is_refused_and_the_file_in_it_named(tmp_path: Path) -> None:
    assert hint_for(tmp_path) == f"name the file in it: -f {tmp_path}/NAME"
    (tmp_path / "Clusterfile").write_text(MINIMAL)
    assert hint_for(tmp_path) == f"name the file in it: -f {tmp_path}/Clusterfile"


def test_a_dash_is_no_file_and_the_way_to_pipe_is_told() -> None:
    assert hint_for(Path("-")) == "to read what is piped into sealpy: -f /dev/stdin"


# a field that is unknown → the one that is meant: never another secret than the one in the word
MEANT = [("ssh: {passwdFrom: {env: A}}", "passwordFrom"), ("ssh: {password: x}", "passwd")]
MEANT += [("ssh: {pkPasswordFrom: {env: A}}", "pkPasswdFrom"), ("ssh: {sudoPasswordFrom: {env: A}}", "sudoPasswdFrom")]
MEANT += [("ssh: {username: x}", "user"), ("registry: {externalRegistry: {passwd: x}}", "password")]


@pytest.mark.parametrize(("spec", "meant"), MEANT)
def test_of_a_wrong_word_for_a_login_the_right_secret_is_named(spec: str, meant: str) -> None:
    with pytest.raises(ClusterfileError) as caught:
        cluster(spec)
    assert f"did you mean '{meant}'?" in [problem.hint for problem in caught.value.problems]


# what stands where a list is needed → what to write, which is read when it is typed
LISTS = [("hosts:\n  - {ips: 10.0.0.2, roles: [node]}", "write [10.0.0.2]")]
LISTS += [("hosts:\n  - {ips: '10.0.0.2, fd00::3', roles: [node]}", "write [10.0.0.2, fd00::3]")]
LISTS += [("env: DB_PASSWORD=hunter2", 'write it in brackets and quotes: ["…"]')]


@pytest.mark.parametrize(("spec", "hint"), LISTS)
def test_how_a_list_is_written_is_told_without_showing_a_secret(spec: str, hint: str) -> None:
    with pytest.raises(ClusterfileError) as caught:
        cluster(spec)
    assert hint in [problem.hint for problem in caught.value.problems]


def test_a_file_of_plugins_holds_plugins_only(tmp_path: Path) -> None:
    file = tmp_path / "disk.yaml"
    file.write_text(
        "# a comment\n---\nkind: Plugin\nmetadata: {name: a}\nspec: {type: SHELL, action: PreInit|PreJoin}\n"
    )
    (plugin,) = load_plugins(file)
    assert (plugin.name, plugin.type, plugin.actions) == ("a", "SHELL", ("PreInit", "PreJoin"))
    assert str(plugin.place) == f"{file}:3"
    with pytest.raises(ClusterfileError) as caught:
        load_plugins(MINIMAL, name="image:plugins/x.yaml")
    assert str(caught.value.problems[0]).startswith("image:plugins/x.yaml:1: kind: 'Cluster' does not belong")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n---\n"])
def test_a_file_of_plugins_may_be_empty(text: str) -> None:
    assert load_plugins(text) == ()


UNUSUAL = [
    ("on: master", "spec.on: the key stands without quotes"),
    ("'on': role=node", "spec.on: 'role=node' is read as a role"),
    ("scope: master | node", "spec.scope: blanks round '|' are left out"),
    ("action: PreInit | PreJoin", "spec.action: blanks round '|' are left out"),
    ("scope: master/node", "spec.scope: '/' is read as '|'"),
    ("scope: master0", "spec.scope: 'master0' is read as the first master"),
]


@pytest.mark.parametrize(("line", "notice"), UNUSUAL)
def test_what_is_unusual_in_a_plugin_is_understood_with_one_notice(line: str, notice: str) -> None:
    (plugin,) = load_plugins(f"kind: Plugin\nmetadata: {{name: a}}\nspec:\n  type: SHELL\n  {line}\n", name="p")
    (found,) = plugin.notices
    assert str(found).startswith(f"p:5: {notice}")


def plugin_problem(line: str) -> str:
    with pytest.raises(ClusterfileError) as caught:
        load_plugins(f"kind: Plugin\nmetadata: {{name: a}}\nspec:\n  {line}\n", name="p")
    (problem,) = caught.value.problems
    return f"{problem} ({problem.hint})"


@pytest.mark.parametrize(
    ("typed", "seconds"), [("90", 90), ("90s", 90), ("0.5s", 0.5), ("10m", 600), ("1h30m", 5400), ("1h1m1s", 3661)]
)
def test_a_length_of_time_is_written_as_people_do(typed: str, seconds: float) -> None:
    (plugin,) = load_plugins(f"kind: Plugin\nmetadata: {{name: a}}\nspec: {{timeout: {typed}}}\n")
    assert plugin.timeout == seconds


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("timeout: soon", "p:4: spec.timeout: 'soon' is no length of time (write 90s, 10m or 1h30m)"),
        ("timeout: 0", "p:4: spec.timeout: '0' leaves no time (write 90s, 10m or 1h30m)"),
        ("timeout: -5s", "p:4: spec.timeout: '-5s' is no length of time (write 90s, 10m or 1h30m)"),
        ("retry: {attempts: 0}", "p:4: spec.retry.attempts: the number is out of range (it must be at least 1)"),
        ("retry: {atempts: 2}", "p:4: spec.retry.atempts: this field is unknown (did you mean 'attempts'?)"),
        (
            "failurePolicy: ignor",
            "p:4: spec.failurePolicy: 'ignor' is not one of 'Fail' or 'Ignore' (did you mean 'Ignore'?)",
        ),
        ("parallel: all", "p:4: spec.parallel: a whole number is needed, not text (write digits only)"),
    ],
)
def test_what_a_plugin_asks_for_is_checked_when_it_is_read(line: str, problem: str) -> None:
    assert plugin_problem(line) == problem


@pytest.mark.parametrize("action", ["PreInit|PreJoin", "[PreInit, PreJoin]", "\n  - PreInit\n  - PreJoin"])
def test_actions_are_a_text_with_bars_or_a_list(action: str) -> None:
    (plugin,) = load_plugins(f"kind: Plugin\nmetadata: {{name: a}}\nspec:\n  action: {action}\n")
    assert plugin.actions == ("PreInit", "PreJoin")


@pytest.mark.parametrize(
    "written",
    [
        "'ops@first:2222, [fd00::2]'",
        "['ops@first:2222', '[fd00::2]']",
        "[{host: first, user: ops, port: 2222}, {host: 'fd00::2'}]",
    ],
)
def test_jump_hosts_are_a_chain_written_as_one_text_or_as_a_list(written: str) -> None:
    found = loads(f"{MINIMAL}  ssh: {{user: admin, jump: {written}}}\n", name="f").cluster
    assert found.ssh.jump == (Jump(host="first", ssh=Ssh(user="ops", port=2222)), Jump(host="fd00::2"))


def test_a_jump_host_has_a_login_of_its_own_and_a_host_may_go_another_way() -> None:
    found = loads(
        f"{MINIMAL}  ssh: {{passwd: a, jump: [{{host: j, passwd: hop}}]}}\n"
        "  hosts:\n    - {ips: [10.0.0.1]}\n    - {ips: [10.0.0.2], ssh: {jump: []}}\n",
        name="f",
    ).cluster
    first, second = found.hosts
    assert first.ssh.jump == (Jump(host="j", ssh=Ssh(password="hop")),)
    assert second.ssh.jump == ()
    assert found.secrets == ("a", "hop")
    assert "hop" not in dumps(Clusterfile(cluster=found))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("'a,,b'", "f:4: spec.ssh.jump: '' is no jump host"),
        ("'a b'", "f:4: spec.ssh.jump: 'a b' is no jump host"),
        ("[{user: ops}]", "f:4: spec.ssh.jump[0].host: this field is missing"),
        ("[{host: a_b}]", "f:4: spec.ssh.jump[0].host: 'a_b' is no name and no address"),
        ("[{host: a, sudoPasswd: x}]", "f:4: spec.ssh.jump[0].sudoPasswd: this field is unknown"),
        ("[{host: a, passwd: x, passwordFrom: {env: X}}]", "f:4: spec.ssh.jump[0]: 'passwd' is given twice"),
    ],
)
def test_a_jump_host_that_is_none_is_refused_with_its_place(written: str, message: str) -> None:
    with pytest.raises(ClusterfileError) as caught:
        loads(f"{MINIMAL}  ssh: {{jump: {written}}}\n", name="f")
    assert str(caught.value.problems[0]).startswith(message)
