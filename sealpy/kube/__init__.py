"""a thin typed doorway to the kubernetes client.

Nothing else imports the client: what is needed of the cluster has a method here, takes and gives plain data, and raises
KubeError with the server's own words.
"""

from sealpy.kube.api import Kube, Node, NodeTaint, Pod
from sealpy.kube.door import KubeDoor

__all__ = ["Kube", "KubeDoor", "Node", "NodeTaint", "Pod"]
