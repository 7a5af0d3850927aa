"""What kind of app some files are, and how it is launched."""

from __future__ import annotations

import pytest

from sealpy.image.building.apps import detect


@pytest.mark.parametrize(
    ("files", "kind", "command"),
    [
        (["Chart.yaml", "values.yaml", "templates/a.yaml"], "helm", "helm upgrade --install shop ."),
        (["Chart.yaml", "templates/a.yaml"], "helm", "helm upgrade --install shop ."),
        (["Chart.yaml", "charts/sub/Chart.yaml"], "helm", "helm upgrade --install shop ."),
        (["shop-1.0.tgz"], "helm", "helm upgrade --install shop ./shop-1.0.tgz"),
        (["kustomization.yaml", "a.yaml"], "kube", "kubectl apply -k ."),
        (["Kustomization", "base/a.yaml", "patch.json"], "kube", "kubectl apply -k ."),
        (["a.yaml", "b.yml.tmpl"], "kube", "kubectl apply -f a.yaml && kubectl apply -f b.yml"),
        (["overlays/prod/kustomization.yaml"], "", ""),
        (["install.sh"], "shell", "bash install.sh"),
        (["install.sh", "a.yaml"], "", ""),
        (["a.tgz", "b.tgz"], "", ""),
        ([], "", ""),
    ],
)
def test_the_files_of_an_app_tell_how_it_is_launched(files: list[str], kind: str, command: str) -> None:
    app = detect("shop", files)
    assert (app.type, app.command) == (kind, command)
