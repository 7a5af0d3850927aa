"""Charts and kustomizations: how they are launched, what goes wrong with them, and when they are rendered again."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.finding import find
from sealpy.image.finding.launching import ApplyCall, Call, HelmCall, KustomizeCall, Launches
from sealpy.image.finding.programs import HELM, KUSTOMIZE, Program, ProgramFailedError, command_of, run
from sealpy.image.kube_version import VERSION_LABEL
from sealpy.image.metadata import Application, Launch, Metadata
from sealpy.image.tarball import Member, Source

POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, image: '{0}'}}]}}\n"
GO_TOOL = Path(__file__).parents[4] / ".ci" / "go-tool"
CHART = "apiVersion: v2\nname: shop\nversion: 0.1.0\n"


def files(texts: Mapping[str, str | bytes]) -> dict[str, tuple[Member, Source]]:
    data = {path: text.encode() if isinstance(text, str) else text for path, text in texts.items()}
    return {path: (Member(path, size=len(one)), one) for path, one in data.items()}


def found(texts: Mapping[str, str | bytes], metadata: Metadata | None = None) -> list[str]:
    result = find(files(texts), metadata=metadata or Metadata(), context=Path("/nowhere"))
    return [reference.familiar for reference in sorted(result.mentions)]


def problems(texts: Mapping[str, str | bytes]) -> list[str]:
    with pytest.raises(ImageError) as caught:
        found(texts)
    return [f"{problem} / {problem.hint}" for problem in caught.value.problems]


def needs(program: Program) -> pytest.MarkDecorator:
    try:
        command_of(program, needed_for="these tests")
    except ImageError as error:
        return pytest.mark.skip(reason=f"{error.message}; {error.hint}")
    return pytest.mark.skipif(condition=False, reason="it is here")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("helm install a .", HelmCall("a", "apps/x", "apps/x")),
        (
            "helm upgrade --install a ./chart --wait --timeout 5m -n web -f v.yaml --set=b=c",
            HelmCall("a", "apps/x/chart", "apps/x", "web", ("-f", "v.yaml", "--set", "b=c")),
        ),
        (
            "helm install --generate-name ./chart -fv.yaml",
            HelmCall("release-name", "apps/x/chart", "apps/x", "", ("-f", "v.yaml")),
        ),
        (
            "cd chart && KUBECONFIG=x; helm install a ../other --set r=$Registry,u=${Unknown}",
            HelmCall("a", "apps/x/other", "apps/x/chart", "", ("--set", "r=example.com,u=${Unknown}")),
        ),
        (
            "helm install a \\\n  chart \\\n  --set 'b=c d'",
            HelmCall("a", "apps/x/chart", "apps/x", "", ("--set", "b=c d")),
        ),
        ("kubectl apply -k overlays/prod", KustomizeCall("apps/x/overlays/prod")),
        ("kubectl apply --kustomize=overlays/prod --wait", KustomizeCall("apps/x/overlays/prod")),
        ("kustomize build ../y | kubectl apply -f -", KustomizeCall("apps/y")),
        ("helm repo add a https://example.com", None),
        ("helm uninstall a", None),
        ("helm install 'a", None),
        ("kubectl apply -f x.yaml # helm install a .", ApplyCall("apps/x/x.yaml")),
        ("kubectl create -n x --filename=../y/*.yaml", ApplyCall("apps/y/*.yaml")),
        ("kubectl apply -f https://example.com/x.yaml", ApplyCall("https://example.com/x.yaml")),
        ("cat x | kubectl apply -f -", None),
        ("kubectl logs -f pod", None),
        ("kubectl get -k x", None),
    ],
)
def test_launch_commands_say_which_charts_are_rendered_how(command: str, expected: Call | None) -> None:
    launch = Launch(cmds=(f"cd apps/x; {command}",))
    found = Launches.of(Metadata(env={"Registry": "example.com"}, launch=launch), None).calls
    assert found == ((expected,) if expected else ())


def test_the_command_of_an_app_runs_in_its_directory_with_its_variables() -> None:
    app = Application(name="x", cmds=("helm install x . --set a=$A",), env={"A": "own"})
    metadata = Metadata(env={"A": "1"}, applications=(app, Application(name="y", type="helm")))
    assert Launches.of(metadata, None).calls == (
        HelmCall("x", "application/apps/x", "application/apps/x", "", ("--set", "a=own")),
        HelmCall("y", "application/apps/y", "application/apps/y"),
    )


@needs(HELM)
def test_a_chart_without_values_file_is_rendered_and_its_files_are_no_manifests() -> None:
    texts = {"charts/shop/Chart.yaml": CHART, "charts/shop/templates/a.yaml": POD.format("{{ `quay.io/a/b:1` }}")}
    assert found(texts) == ["quay.io/a/b:1"]


@needs(HELM)
def test_a_chart_for_kubernetes_of_today_needs_no_word_about_its_version_and_is_rendered_for_the_one_that_is_said() -> (
    None
):
    image = "quay.io/a/b:{{ .Capabilities.KubeVersion.Minor }}"
    chart = f"{CHART}kubeVersion: '>= 1.30.0-0'\n"
    texts = {"charts/shop/Chart.yaml": chart, "charts/shop/templates/a.yaml": POD.format(image)}
    assert found(texts) == ["quay.io/a/b:34"]
    assert found(texts, Metadata(labels={VERSION_LABEL: "v1.31.2"})) == ["quay.io/a/b:31"]


@needs(HELM)
def test_a_kustomization_that_a_chart_was_made_by_is_no_manifest() -> None:
    texts = {
        "charts/shop/Chart.yaml": CHART,
        "charts/shop/templates/a.yaml": POD.format("quay.io/a/b:1"),
        "charts/shop/kustomization.yaml": "resources: [files/b.yaml]",
        "charts/shop/files/b.yaml": POD.format("quay.io/not/this:1"),
    }
    assert found(texts) == ["quay.io/a/b:1"]


@needs(HELM)
def test_a_packed_chart_is_rendered_and_another_archive_is_left_alone() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in (("shop/Chart.yaml", CHART), ("shop/templates/a.yaml", POD.format("quay.io/packed/one:1"))):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    texts = {"charts/shop-0.1.0.tgz": packed.getvalue(), "application/apps/x/data.tgz": b"no archive at all"}
    result = find(files(texts), metadata=Metadata(), context=Path("/nowhere"))
    [[mention]] = result.mentions.values()
    assert (mention.reference.familiar, mention.spot.file) == ("quay.io/packed/one:1", "charts/shop-0.1.0.tgz")


@needs(HELM)
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"templates/a.yaml": '{{ fail "give the domain" }}'}, ["charts/shop: helm:", "give the domain"]),
        ({"templates/a.yaml": 'a: "b\n'}, ["charts/shop: helm:", "templates/a.yaml"]),
        (
            {
                "Chart.yaml": f"{CHART}dependencies: [{{name: cache, version: 0.1.0, repository: 'https://example.com'}}]"
            },
            ["charts/shop: helm:", "cache", "helm dependency build charts/shop"],
        ),
        ({"Chart.yaml": "{"}, ["charts/shop: helm:"]),
        (
            {
                "values.yaml": "pinned: true",
                "values.yaml.tmpl": 'pinned: "${PIN}"',
                "values.schema.json": '{"type": "object", "properties": {"pinned": {"type": "boolean"}}}',
            },
            [
                "charts/shop: helm:",
                "/pinned",
                "values.yaml is what charts/shop/values.yaml.tmpl is filled to: take that away",
            ],
        ),
        (
            {"Chart.yaml": f"{CHART}kubeVersion: '>= 9.9.0-0'\n"},
            ["charts/shop: helm:", "requires kubeVersion: >= 9.9.0-0", f"LABEL {VERSION_LABEL}=v"],
        ),
    ],
)
def test_a_chart_that_cannot_be_rendered_is_named_with_the_words_of_helm(more: dict[str, str], said: list[str]) -> None:
    texts = {"charts/shop/Chart.yaml": CHART, **{f"charts/shop/{name}": text for name, text in more.items()}}
    [problem] = problems(texts)
    assert [part for part in said if part not in problem] == []
    assert "Use --debug" not in problem


@needs(KUSTOMIZE)
def test_a_kustomization_that_cannot_be_rendered_is_named_with_the_words_of_kustomize() -> None:
    [problem] = problems({"manifests/a/kustomization.yaml": "resources: [nothing.yaml]"})
    assert problem.startswith("manifests/a/kustomization.yaml: kustomize: ")
    assert "nothing.yaml" in problem
    assert "kubectl kustomize manifests/a" in problem


@needs(KUSTOMIZE)
def test_a_kustomization_that_nothing_launches_is_rendered_when_no_other_builds_upon_it() -> None:
    texts = {
        "manifests/base/kustomization.yaml": "resources: [a.yaml]",
        "manifests/base/a.yaml": POD.format("placeholder"),
        "manifests/top/Kustomization": "resources: [../base]\nimages: [{name: placeholder, newName: quay.io/a/b:1}]",
    }
    assert found(texts) == ["quay.io/a/b:1"]


def test_a_missing_program_is_named_with_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ImageError) as caught:
        found({"charts/shop/Chart.yaml": CHART})
    assert caught.value.message == "chart charts/shop: needs 'helm', which is not on this machine"
    assert f"go install {HELM.package}@{HELM.version}" in caught.value.hint


def test_a_program_is_found_among_the_tools_that_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept = tmp_path / "sealpy" / "tools" / f"helm-{HELM.version}" / "helm"
    kept.parent.mkdir(parents=True)
    kept.write_text("#!/bin/sh\n")
    kept.chmod(0o755)
    assert command_of(HELM, needed_for="x") == [str(kept)]


@pytest.mark.skipif(not GO_TOOL.exists(), reason="the script that builds tools for tests is not here")
@pytest.mark.parametrize("program", [HELM, KUSTOMIZE])
def test_tests_use_the_version_that_users_are_told_to_build(program: Program) -> None:
    lines = [line.split() for line in GO_TOOL.read_text("utf-8").splitlines()]
    assert [program.name, program.package, program.version] in lines


def test_what_a_program_says_is_told_without_times_and_numbers(tmp_path: Path) -> None:
    script = 'echo "E1121 15:16:54.190917   29284 run.go:72] \\"command failed\\" err=\\"why\\"" >&2; exit 1'
    with pytest.raises(ProgramFailedError, match=r'^"why"$'):
        run(["sh", "-c", script], cwd=tmp_path)
    with pytest.raises(ProgramFailedError, match="said nothing"):
        run(["sh", "-c", "exit 3"], cwd=tmp_path)


def test_a_program_sees_no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HELM_KUBECONTEXT", "production")
    said = run(["sh", "-c", "env"], cwd=tmp_path).decode()
    assert "production" not in said
    assert "KUBECONFIG=/dev/null" in said
