"""What is taken for a secret, and that none is saved with a cluster."""

from __future__ import annotations

import time

import pytest

from sealpy.clusterfile import dumps, loads, secret_values, without_secrets
from sealpy.clusterfile.secrets import holds_secret, is_secret

HOSTS = "hosts: [{ips: [10.0.0.1], roles: [master], env: [ROOT_PASSWORD=Marker-2, SIZE=1]}]"
EVERY_SECRET = f"""\
kind: Cluster
metadata: {{name: shop}}
spec:
  image: kubernetes:v1
  env: [DB_PASSWORD=Marker-1, COLOR=red, 'URL=postgres://u:Marker-1@db', FROM_HERE, PASSWORD_FILE=/etc/pw]
  cmd_args: {{token: Marker-3, size: "2"}}
  ssh: {{passwd: Marker-4, pkPasswd: Marker-4, sudoPasswd: Marker-4, jump: [{{host: b.site, passwd: Marker-4}}]}}
  registry: {{localRegistry: {{username: u, password: Marker-5}}}}
  {HOSTS}
---
kind: Config
metadata: {{name: secret}}
spec: {{path: manifests/a.yaml, process: value|toSecret, data: {{dsn: Marker-6}}}}
---
kind: Config
metadata: {{name: values}}
spec: {{path: etc/b.yaml, strategy: merge, data: "redis:\\n  mysql-passwd: Marker-7\\n"}}
---
kind: Config
metadata: {{name: elsewhere}}
spec: {{path: etc/c.yaml, dataFrom: {{command: pass show c}}}}
---
kind: Config
metadata: {{name: plain}}
spec: {{path: etc/d.yaml, data: "size: 1"}}
---
kind: Application
metadata: {{name: apps}}
spec:
  configs:
    - name: web
      env: [API_TOKEN=Marker-8, MODE=fast]
      files: [{{path: values.yaml, strategy: merge, data: "secretKey: Marker-9"}}]
"""


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("PASSWORD", "x", True),
        ("MYSQL_ROOT_PASSWORD2", "x", True),
        ("redis-passwd", "x", True),
        ("DB_PASS", "x", True),
        ("awsSecretAccessKey", "x", True),
        ("ACCESSKEYSECRET", "x", True),
        ("GITHUB_TOKEN", "x", True),
        ("API_KEY", "x", True),
        ("clientSecret", "x", True),
        ("DSN", "postgres://shop:x@db/shop", True),
        ("HTTPS_PROXY", "http://proxy:3128", False),
        ("PASSWORD_FILE", "/run/pw", False),
        ("SECRET_NAME", "db", False),
        ("TOKEN_TTL", "2h", False),
        ("BYPASS", "10.0.0.0/8", False),
        ("CREATE_SECRET", "true", False),
        ("DB_PASSWORD", "", False),
        ("DB_PASSWORD", "$OTHER", False),
        ("PodCIDR", "100.64.0.0/16", False),
        ("ACCESSKEYID", "AK1", False),
    ],
)
def test_a_variable_is_told_a_secret_by_the_end_of_its_name_or_by_its_value(
    name: str, value: str, *, secret: bool
) -> None:
    assert is_secret(name, value) is secret


@pytest.mark.parametrize(
    "text",
    [
        "auth:\n  password: abc",
        '{"db": {"passwd":"abc"}}',
        "password=abc\n",
        "env:\n- name: DB_PASSWORD\n  value: abc",
        "dsn: mysql://root:abc@db:3306/",
        "kind: Secret\ndata: {a: YWJj}",
        "kind: 'Secret'",
        "tls:\n  private-key: |\n    abc",
        "-----BEGIN RSA PRIVATE KEY-----",
        "header: 'Authorization: Bearer abc'",
        "helm install db . --set auth.password=abc",
    ],
)
def test_a_text_is_told_to_hold_a_secret(text: str) -> None:
    assert holds_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "size: 1",
        "passwordSecret:\n  name: db",
        "existingSecretName: db",
        "kind: SecretStore",
        "automountServiceAccountToken: false",
        "configMapAndSecretChangeDetectionStrategy: Watch",
        "env:\n- name: DB_PASSWORD\n  valueFrom: {secretKeyRef: {name: db, key: password}}",
        "password: {{ .DB_PASSWORD }}",
        'password: "$DB_PASSWORD"',
        "password: ''",
        "image: sea.hub:5000/library/token:v1@sha256:abc",
    ],
)
def test_a_text_that_only_refers_to_one_does_not_hold_it(text: str) -> None:
    assert not holds_secret(text)


def test_a_text_of_one_line_of_a_megabyte_is_looked_through_at_once() -> None:
    begun = time.process_time()
    assert not holds_secret("binary: " + "Ab0-" * 250_000)
    assert time.process_time() - begun < 5


def test_no_secret_is_saved_and_what_is_saved_reads_back() -> None:
    found = loads(EVERY_SECRET, name="Clusterfile")
    text = dumps(found)
    assert "Marker" not in text
    assert loads(text, name="saved") == without_secrets(found)
    assert dumps(loads(text, name="saved")) == text


def test_the_names_the_references_and_all_that_is_no_secret_stay() -> None:
    kept = without_secrets(loads(EVERY_SECRET, name="Clusterfile"))
    cluster, apps = kept.cluster, kept.applications[0].configs
    assert cluster.env == {"COLOR": "red", "PASSWORD_FILE": "/etc/pw"}
    assert cluster.env_from == ("FROM_HERE", "DB_PASSWORD", "URL", "token")
    assert cluster.cmd_args == {"size": "2", "token": ""}
    assert (cluster.hosts[0].env, cluster.hosts[0].env_from) == ({"SIZE": "1"}, ("ROOT_PASSWORD",))
    assert (apps[0].env, apps[0].env_from, bool(apps[0].files[0].withheld)) == ({"MODE": "fast"}, ("API_TOKEN",), True)
    assert [(one.name, one.data, bool(one.withheld)) for one in kept.configs] == [
        ("secret", "", True),
        ("values", "", True),
        ("elsewhere", "", False),
        ("plain", "size: 1", False),
    ]


def test_what_must_not_be_shown_is_told() -> None:
    told = set(secret_values(loads(EVERY_SECRET, name="Clusterfile")))
    assert {"Marker-1", "Marker-2", "Marker-7", "Marker-8", "Marker-9"} <= told
    assert not {"red", "fast", "1", "/etc/pw"} & told


def test_of_a_name_that_stands_twice_the_last_one_counts() -> None:
    text = EVERY_SECRET.replace("FROM_HERE,", "A=1, A, B, B=2,")
    cluster = loads(text, name="Clusterfile").cluster
    assert ("A" in cluster.env, "A" in cluster.env_from) == (False, True)
    assert (cluster.env["B"], "B" in cluster.env_from) == ("2", False)


def test_a_secret_that_is_saved_with_a_program_or_without_its_value_is_told() -> None:
    script = "---\nkind: Plugin\nmetadata: {name: a}\nspec: {type: SHELL, action: PreInit, data: 'login --token=abc'}\n"
    notices = {str(notice) for notice in loads(EVERY_SECRET + script, name="Clusterfile").notices}
    assert "Clusterfile:5: spec.env: 'DB_PASSWORD' looks like a secret, and is saved without its value" in notices
    assert "Clusterfile:37: spec.data: what looks like a secret in it is saved with the cluster" in notices
