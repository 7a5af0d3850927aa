"""the private registry a cluster pulls from.

It serves the `registry/` of the rootfs over TLS, by a certificate authority made for this cluster alone. On every host
containerd is told, for each domain that the image has container images of, to ask the registry first; so manifests keep
their original names, and nothing depends on a virtual address: with several registry hosts each is listed as a mirror.
"""

from sealpy.registry.certificates import Authority
from sealpy.registry.login import Login
from sealpy.registry.private import Elsewhere, RegistryPlan, authority_path, distrust, mirrors, start, stop, trust

__all__ = [
    "Authority",
    "Elsewhere",
    "Login",
    "RegistryPlan",
    "authority_path",
    "distrust",
    "mirrors",
    "start",
    "stop",
    "trust",
]
