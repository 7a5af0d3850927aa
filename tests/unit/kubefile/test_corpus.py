"""Kubefiles that people published, which lie beside the checkout: each is read, or refused for the right reason.

They are not ours to keep, so where they are not there the tests say so and are skipped; the cases in
`tests/golden/kubefile` hold every form that occurs in them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.errors import KubefileError
from sealpy.kubefile import From, Kubefile, loads

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "kubefiles"
FILES = sorted(CORPUS.glob("*.Kubefile"))

REFUSED = {
    "AliyunContainerService-ackdistro-from-build-arg": "1: FROM: variable 'TAG' has no value",
    "labring-actions-cluster-image-sealos-entrypoint": "4: 'ENTRYPOINT' has no meaning in a cluster image",
    "labring-actions-cluster-image-sealos-entrypoint-no-blank": "5: 'ENTRYPOINT' has no meaning in a cluster image",
    "labring-actions-cluster-image-sealos-stray-word": "6: 'OSExternalEndpoint' is no instruction",
    "labring-laf-sealos-cmd-json-over-lines": "3: 'USER' has no meaning in a cluster image",
    "labring-laf-sealos-no-eol": "3: 'USER' has no meaning in a cluster image",
    "sealerio-sealer.cool-docs-bad-app-url": "3: APP: 'elasticsearch.tgz' has no scheme",
    "sealerio-sealer.cool-docs-cmd-unquoted-list": "2: CMD: the list is not written as JSON",
    "sealerio-sealer.cool-docs-cni": "1: no FROM: nothing says what the image is based on",
    "sealerio-sealer.cool-docs-labels": "1: no FROM: nothing says what the image is based on",
}

pytestmark = pytest.mark.skipif(not FILES, reason=f"the published Kubefiles are not in {CORPUS}")


def outcome(path: Path) -> Kubefile | str:
    """Give what a file means, or every reason why it is refused; each says what to write instead."""
    try:
        return loads(path.read_bytes().decode(), name=path.name)
    except KubefileError as error:
        return "; ".join(str(problem).removeprefix(f"{path.name}:") for problem in error.problems if problem.hint)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_published_kubefile_is_read_or_refused_for_the_right_reason(path: Path) -> None:
    found = outcome(path)
    if path.stem in REFUSED:
        assert found == REFUSED[path.stem]
    else:
        assert isinstance(found, Kubefile), found
        assert isinstance(next(i for i in found.instructions if type(i).__name__ != "Arg"), From)


def test_every_file_that_should_be_refused_is_there() -> None:
    assert {path.stem for path in FILES} >= REFUSED.keys()
    assert len(FILES) == 53


def test_a_base_that_is_named_by_a_variable_is_read_when_the_argument_is_given() -> None:
    text = (CORPUS / "AliyunContainerService-ackdistro-from-build-arg.Kubefile").read_text()
    assert loads(text, build_args={"TAG": "v1"}).instructions[0] == From(line=1, image="ack-distro:v1")
