"""run phases: steps, executor, fan-out; knows nothing of Kubernetes.

A phase or a runtime does not do: it yields steps and receives results. The executor performs each step on its host, or,
in a rehearsal, performs the reading ones and records the changing ones. Time, progress, the journal, Ctrl-C and
redaction therefore live in one place: where steps are performed.
"""

from sealpy.engine.connections import Connections
from sealpy.engine.executor import Executor, Forgive, Outcomes, Recorded, strict
from sealpy.engine.journal import Journal
from sealpy.engine.phase import Phase, run_phases, telling

__all__ = [
    "Connections",
    "Executor",
    "Forgive",
    "Journal",
    "Outcomes",
    "Phase",
    "Recorded",
    "run_phases",
    "strict",
    "telling",
]
