"""Host, Inventory, Scope, facts.

A Host is a machine before Kubernetes; afterwards the cluster calls the same thing a Node. The leader is the first
control-plane host (sealer's master0).
"""

from sealpy.inventory.facts import Disk, Facts, facts_script, gather_facts, parse_facts
from sealpy.inventory.hosts import Host, Inventory, check_logins
from sealpy.inventory.login import Logins
from sealpy.inventory.scope import Scope

__all__ = [
    "Disk",
    "Facts",
    "Host",
    "Inventory",
    "Logins",
    "Scope",
    "check_logins",
    "facts_script",
    "gather_facts",
    "parse_facts",
]
