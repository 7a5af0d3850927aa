"""What a Clusterfile changes in an image: files of each host, environment and commands of apps, what is launched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from sealpy.actions.session import Surroundings
from sealpy.actions.setup import Preparation, prepare
from sealpy.clusterfile import loads
from sealpy.context import Context
from sealpy.engine import Connections
from sealpy.errors import ClusterfileError, SealpyError, TemplateError
from sealpy.image.metadata import Application, Launch
from sealpy.image.remains import remains_of
from sealpy.image.store import Store
from sealpy.phases.launch_apps import LaunchApps
from sealpy.sdk import Run
from sealpy.testing.builders import a_stored_image, good_facts, walk
from sealpy.testing.connector import FakeConnector

CLUSTER = """\
kind: Cluster
metadata: {name: shop}
spec:
  image: kubernetes:v1
  env: [COLOR=red, docker-dir=/data, 'SIGNS=$HOME `id` "x" ;|&']
  hosts:
    - {ips: [10.0.0.1], roles: [master]}
    - {ips: [10.0.0.2], roles: [node], env: [COLOR=blue]}
"""
KUBEADM = b"apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {podSubnet: 10.9.0.0/16}\n"
APPS = (
    Application(name="web", type="kube", files=("web.yaml",), env={"REPLICAS": "1", "MODE": "image"}),
    Application(name="db", cmds=("helm install db .",)),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


def prepared(store: Store, more: str, files: Mapping[str, bytes] | None = None, **metadata: Any) -> Preparation:
    image = a_stored_image(store, {"etc/kubeadm.yml": KUBEADM, **(files or {})}, **{"applications": APPS, **metadata})
    around = Surroundings(home=Path("/nonexistent"), emit=lambda _: None, secret=lambda _: None)
    return prepare(loads(f"{CLUSTER}{more}", name="Clusterfile"), image, around)


def context(store: Store, more: str = "", files: Mapping[str, bytes] | None = None, **metadata: Any) -> Context:
    return prepared(store, more, files, **metadata).make_context(Connections(FakeConnector), lambda _: None)


def read(ctx: Context, address: str, path: str) -> str:
    source = ctx.tree(address).files[path].item.source
    return (source if isinstance(source, bytes) else ctx.image.read(path)).decode()


def config(spec: str, name: str = "a") -> str:
    return f"---\nkind: Config\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def application(spec: str) -> str:
    return f"---\nkind: Application\nmetadata: {{name: apps}}\nspec: {spec}\n"


def test_what_is_kept_of_the_image_holds_nothing_that_its_user_wants(store: Store) -> None:
    ctx = context(store, application("{configs: [{name: web, env: [A=marker], launch: {cmds: [run marker]}}]}"))
    assert "marker" in repr(ctx.image.metadata.applications)
    assert "marker" not in remains_of(ctx.image)


# ---- Config


def test_a_config_is_put_over_what_is_rendered_for_the_host(store: Store) -> None:
    files = {"etc/app.yaml.tmpl": b"color: {{ .COLOR }}\nsize: 1\n"}
    ctx = context(store, config("{path: etc/app.yaml, strategy: merge, data: 'size: 2'}"), files)
    assert read(ctx, "10.0.0.1", "etc/app.yaml") == "color: red\nsize: 2\n"
    assert read(ctx, "10.0.0.2", "etc/app.yaml") == "color: blue\nsize: 2\n"


def test_a_config_of_a_template_is_rendered(store: Store) -> None:
    ctx = context(store, config("{path: etc/motd.tmpl, data: 'Hello {{ .COLOR }} {{ .HostIP }}'}"))
    assert read(ctx, "10.0.0.2", "etc/motd") == "Hello blue 10.0.0.2"


def test_a_config_makes_files_where_there_are_none_with_their_directories(store: Store) -> None:
    ctx = context(store, config("{path: ./some/where/a.txt, data: x}"))
    files = ctx.tree("10.0.0.1").files
    assert [(path, files[path].item.member.kind) for path in files if path.startswith("some")] == [
        ("some", "dir"),
        ("some/where", "dir"),
        ("some/where/a.txt", "file"),
    ]
    assert list(files) == sorted(files, key=lambda path: path.split("/"))


def test_configs_are_applied_in_the_order_they_were_written_and_of_an_app_below_it(store: Store) -> None:
    more = config("{path: etc/a.yaml, data: 'a: 1'}") + config("{path: etc/a.yaml, strategy: merge, data: 'b: 2'}", "b")
    ctx = context(store, more + config("{path: web.yaml, appName: web, data: 'c: 3'}", "c"))
    assert yaml.safe_load(read(ctx, "10.0.0.1", "etc/a.yaml")) == {"a": 1, "b": 2}
    assert read(ctx, "10.0.0.1", "application/apps/web/web.yaml") == "c: 3"


def test_a_secret_made_of_a_config_is_for_root_alone(store: Store) -> None:
    spec = "{path: manifests/s.yaml, process: value|toBase64|toSecret, data: {password: 0123}}"
    ctx = context(store, config(spec, "db"))
    made = yaml.safe_load(read(ctx, "10.0.0.1", "manifests/s.yaml"))
    assert (made["kind"], made["metadata"], made["data"]) == ("Secret", {"name": "db"}, {"password": "MDEyMw=="})
    assert ctx.tree("10.0.0.1").files["manifests/s.yaml"].item.member.mode == 0o600


def test_what_kubeadm_is_told_can_be_changed_by_a_config(store: Store) -> None:
    more = config("{path: etc/kubeadm.yml, strategy: merge, data: {networking: {dnsDomain: shop.local}}}")
    ctx = context(store, more)
    assert "shop.local" in read(ctx, "10.0.0.1", "etc/kubeadm.yml")
    plan = ctx.runtime.plan  # type: ignore[attr-defined] # a Kubeadm
    networking = plan.documents["ClusterConfiguration"]["networking"]
    assert networking == {"podSubnet": "10.9.0.0/16", "dnsDomain": "shop.local"}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (config("{path: etc/unit, strategy: merge, data: 'a: 1'}"), "Config 'a': cannot be merged into 'etc/unit'"),
        (config("{path: etc, data: x}"), "Config 'a': 'etc' is a dir of the image"),
        (config("{path: etc/unit/x, data: x}"), "Config 'a': 'etc/unit' is no directory of the image"),
        (config("{path: etc/bin, strategy: merge, data: 'a: 1'}"), "cannot be merged into 'etc/bin': the file is no t"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_before_any_host_is_touched(more: str, told: str, store: Store) -> None:
    files = {"etc/unit": b"[Unit]\nA=b\n", "etc/bin": b"\xff\xfe"}
    with pytest.raises(ClusterfileError) as caught:
        prepared(store, more, files).check()
    assert caught.value.message.startswith(f"Clusterfile:9: {told}") or told in caught.value.message
    assert caught.value.hint


def test_every_template_that_lacks_a_value_is_told_at_once(store: Store) -> None:
    files = {"etc/a.tmpl": b"{{ .NOBODY }}", "manifests/b.tmpl": b"\n{{ fi }}", "charts/c.tmpl": b"\xff"}
    with pytest.raises(TemplateError) as caught:
        prepared(store, "", files).check()
    assert [str(problem) for problem in caught.value.problems] == [
        "charts/c.tmpl: the template is no text",
        "etc/a.tmpl:1: '.NOBODY' has no value",
        "manifests/b.tmpl:2: function 'fi' does not exist",
    ]


# ---- Application


def launched(ctx: Context) -> list[Run]:
    ctx.facts["10.0.0.1"] = good_facts()
    steps, _ = walk(LaunchApps().steps(ctx, "10.0.0.1"))
    return [step for step in steps if isinstance(step, Run) and step.argv[1:3] == ("-c", 'cd "$1" && eval "$2"')]


def commands(ctx: Context) -> list[str]:
    return [step.argv[-1] for step in launched(ctx)]


LAUNCHING = Launch(app_names=("web",), cmds=("echo done",))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", ["kubectl apply -f web.yaml", "echo done"]),
        (application("{launchApps: [db, web]}"), ["helm install db .", "kubectl apply -f web.yaml"]),
        (application("{launchApps: ['']}"), []),
        (application("{cmds: [one, two]}"), ["one", "two"]),
        (application("{cmds: [one], launchApps: [db]}"), ["one"]),
        (
            application("{configs: [{name: web, launch: {cmds: [one, 'two &&', three]}}]}"),
            ["one && two && three", "echo done"],
        ),
    ],
)
def test_what_is_launched_is_what_the_application_says(more: str, expected: list[str], store: Store) -> None:
    assert commands(context(store, more, launch=LAUNCHING)) == expected


def test_the_cluster_is_heard_over_the_application(store: Store) -> None:
    more = application("{cmds: [from the application]}").replace("---\n", "  cmd: [from the cluster]\n---\n", 1)
    assert commands(context(store, more, launch=LAUNCHING)) == ["from the cluster"]


def test_the_environment_of_an_app_reaches_its_templates_and_its_commands_and_no_other(store: Store) -> None:
    more = application("{configs: [{name: web, env: [REPLICAS=3, COLOR=app]}]}")
    files = {
        "application/apps/web/web.yaml.tmpl": b"{{ .REPLICAS }} {{ .COLOR }} {{ .MODE }}",
        "application/apps/db/x.tmpl": b"{{ .COLOR }} {{ or .REPLICAS 0 }}",
    }
    ctx = context(store, more, files, launch=LAUNCHING)
    assert read(ctx, "10.0.0.1", "application/apps/web/web.yaml") == "3 app image"
    assert read(ctx, "10.0.0.1", "application/apps/db/x") == "red 0"
    web, done = launched(ctx)
    assert (dict(web.env)["REPLICAS"], dict(web.env)["COLOR"], dict(web.env)["MODE"]) == ("3", "app", "image")
    assert "REPLICAS" not in dict(done.env)


def test_files_of_an_app_are_put_or_merged_below_it(store: Store) -> None:
    merged, put = (
        "{path: v.yaml, strategy: merge, data: 'b: {d: 2}'}",
        "{path: n.txt, strategy: overwrite, data: hello}",
    )
    spec = f"{{configs: [{{name: web, files: [{merged}, {put}]}}]}}"
    ctx = context(store, application(spec), {"application/apps/web/v.yaml": b"a: 1\nb: {c: 1}\n"})
    assert yaml.safe_load(read(ctx, "10.0.0.1", "application/apps/web/v.yaml")) == {"a": 1, "b": {"c": 1, "d": 2}}
    assert read(ctx, "10.0.0.1", "application/apps/web/n.txt") == "hello"


@pytest.mark.parametrize(
    ("more", "told", "hint"),
    [
        (application("{launchApps: [wbe]}"), "12: launch: app 'wbe' is not in the image", "did you mean 'web'?"),
        (application("{configs: [{name: wbe}]}"), "12: Application 'apps': app 'wbe'", "did you mean 'web'?"),
        (config("{path: a, appName: elsewhere, data: b}"), "10: Config 'a': app 'elsewhere'", "known here: db, web"),
    ],
)
def test_an_app_that_the_image_does_not_have_is_refused_with_its_place(
    more: str, told: str, hint: str, store: Store
) -> None:
    with pytest.raises(ClusterfileError) as caught:
        context(store, more)
    assert caught.value.message.startswith(f"Clusterfile:{told}")
    assert caught.value.hint == hint


def test_arguments_of_commands_are_found_in_the_environment_whatever_they_hold(store: Store) -> None:
    more = "  cmd_args: ['file=a b; rm -rf /']\n  cmd: ['kubectl apply -f \"$(file)\" $(date)']\n"
    (step,) = launched(context(store, more))
    assert step.argv[-1] == 'kubectl apply -f "${file}" $(date)'
    assert dict(step.env)["file"] == "a b; rm -rf /"


# ---- the environment


def test_a_name_that_no_shell_has_reaches_templates_and_not_scripts(store: Store) -> None:
    ctx = context(store, "", {"etc/d.tmpl": b'{{ index . "docker-dir" }}'})
    assert read(ctx, "10.0.0.1", "etc/d") == "/data"
    assert "docker-dir" not in ctx.env["10.0.0.1"]
    assert "docker-dir" not in ctx.registry.env
    assert ctx.env["10.0.0.1"]["SIGNS"] == '$HOME `id` "x" ;|&'


NETWORKING = "---\nkind: ClusterConfiguration\nnetworking: {podSubnet: 10.7.0.0/16, serviceSubnet: 10.8.0.0/16}\n"


def test_ranges_of_kubeadm_reach_the_templates_of_the_network(store: Store) -> None:
    files = {"manifests/flannel.yaml.tmpl": b'{{ or .PodCIDR "100.64.0.0/16" }} {{ .KubeSvcIP }}'}
    ctx = context(store, NETWORKING, files, env={"PodCIDR": "10.1.0.0/16"})
    assert read(ctx, "10.0.0.2", "manifests/flannel.yaml") == "10.7.0.0/16 10.8.0.1"


def test_two_ranges_that_contradict_each_other_are_refused(store: Store) -> None:
    found = loads(CLUSTER.replace("COLOR=red", "PodCIDR=10.1.0.0/16") + NETWORKING, name="Clusterfile")
    around = Surroundings(home=Path("/nonexistent"), emit=lambda _: None, secret=lambda _: None)
    with pytest.raises(SealpyError) as caught:
        prepare(found, a_stored_image(store, {"etc/kubeadm.yml": KUBEADM}), around)
    assert caught.value.message == (
        "Clusterfile:10: networking.podSubnet is '10.7.0.0/16', but env PodCIDR is '10.1.0.0/16'"
    )


def test_documents_for_kubeadm_that_do_not_fit_the_image_are_refused_before_any_host_is_touched(store: Store) -> None:
    kubeadm = KUBEADM + b"kubernetesVersion: v1.34.4\n"
    more = "---\nkind: ClusterConfiguration\nkubernetesVersion: v1.19.8\n"
    with pytest.raises(SealpyError, match=r"the image holds 'v1\.34\.4'"):
        prepared(store, more, {"etc/kubeadm.yml": kubeadm}).check()
