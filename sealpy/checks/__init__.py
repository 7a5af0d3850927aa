"""one file per topic of preflight: machine, kernel, disk, network, leftovers, together.

A check looks at facts alone: it asks no host, and so is tested with facts as data. It has an id, by which `--skip`
leaves it out, a severity, the reason why it matters, and with each finding the way to mend it.
"""

from sealpy.checks.model import Check, Found, Needs, Severity, Stage, Subject
from sealpy.checks.table import CHECKS, FIXED, inspect, refuse_unknown

__all__ = [
    "CHECKS",
    "FIXED",
    "Check",
    "Found",
    "Needs",
    "Severity",
    "Stage",
    "Subject",
    "inspect",
    "refuse_unknown",
]
