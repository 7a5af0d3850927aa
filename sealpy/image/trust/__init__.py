"""Trust: who signed an image, and what is in it.

A signature and a bill of materials are documents beside the image, not in it: OCI manifests whose `subject` it is. So
they change no digest, travel with the image, and any tool that knows the referrers of an image finds them. Signatures
have the form that cosign gives them, so each verifies what the other signed; no service is asked, and none is needed.

Bills (`bills`) and the way to registries (`carry`) are imported where they are used: every run looks at signatures, and
none of them at these.
"""

from sealpy.image.trust.keys import PublicKey, SigningKey
from sealpy.image.trust.kinds import SIGNATURE
from sealpy.image.trust.policy import Verification, admit
from sealpy.image.trust.signatures import Signature, sign, signatures, verify

__all__ = ["SIGNATURE", "PublicKey", "Signature", "SigningKey", "Verification", "admit", "sign", "signatures", "verify"]
