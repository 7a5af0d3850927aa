"""What is worth telling of Clusterfile and plugins is told once in each run, and stops nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.actions.apply import apply
from sealpy.actions.delete import delete
from sealpy.actions.session import Report, Surroundings
from sealpy.clusterfile import Clusterfile, loads
from sealpy.connectors.reach import Ways
from sealpy.errors import PhaseError
from sealpy.events import Event, RunStarted, Warned
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image
from sealpy.testing.connector import FakeConnector

CLUSTERFILE = """\
kind: Cluster
spec:
  image: kubernetes:v1
  ssh: {passwd: geheim}
  hosts: [{ips: [10.0.0.1], roles: [master]}]
---
kind: Plugin
metadata: {name: mine}
spec: {type: SHELL, action: PostInstall, scope: master | node, data: date}
"""
PLUGIN = """\
kind: Plugin
metadata: {name: theirs}
spec: {type: SHELL, action: PostInstall, scope: master0, data: date}
"""
FILES = {
    "etc/kubeadm.yml": b"",
    "plugins/theirs.yaml": PLUGIN.encode(),
    "plugins/mine.yaml": CLUSTERFILE.split("---\n")[1].encode(),
}


@pytest.mark.parametrize("action", [apply, delete])
@pytest.mark.parametrize("rehearsal", [False, True])
def test_each_notice_of_clusterfile_and_image_is_one_warning_with_its_place(
    action: Callable[[Clusterfile, ClusterImage, Surroundings], Report],
    rehearsal: bool,  # noqa: FBT001 - a parameter of the test
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events: list[Event] = []
    monkeypatch.setattr(Ways, "to", lambda _ways, target: FakeConnector(target.address))
    image = a_stored_image(Store(tmp_path / "images"), FILES)
    around = Surroundings(home=tmp_path, emit=events.append, secret=lambda _: None, rehearsal=rehearsal)

    with pytest.raises(PhaseError):  # the machine does not say that commands run as root
        action(loads(CLUSTERFILE, name="Clusterfile"), image, around)

    assert isinstance(events[0], RunStarted)
    assert [(event.message, event.hint) for event in events if isinstance(event, Warned)] == [
        (
            "Clusterfile:4: spec.ssh.passwd: whoever reads this file reads the password",
            "write passwordFrom: {env: NAME}, {file: PATH} or {command: …} instead",
        ),
        ("Clusterfile:9: spec.scope: blanks round '|' are left out", "write a|b"),
        ("image:plugins/theirs.yaml:3: spec.scope: 'master0' is read as the first master", ""),
    ]
