"""Host, Inventory, Scope, facts.

A Host is a machine before Kubernetes; afterwards the cluster calls the same thing a Node. The leader is the first
control-plane host (sealer's master0).
"""

from sealpy.inventory.facts import Disk, Facts, facts_script, gather_facts, parse_facts
from sealpy.inventory.hosts import Host, Inventory
from sealpy.inventory.login import Logins
from sealpy.inventory.scope import Scope

__all__ = ["Disk", "Facts", "Host", "Inventory", "Logins", "Scope", "facts_script", "gather_facts", "parse_facts"]
