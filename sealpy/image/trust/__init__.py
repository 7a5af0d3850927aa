"""Trust: who signed an image, and what is in it.

A signature and a bill of materials are documents beside the image, not in it: OCI manifests whose `subject` it is. So
they change no digest, travel with the image, and any tool that knows the referrers of an image finds them. Signatures
have the form that cosign gives them, so each verifies what the other signed; no service is asked, and none is needed.
"""

from sealpy.image.trust.bills import attach_bills, memory_of, read_bill
from sealpy.image.trust.carry import bring_documents, send_documents
from sealpy.image.trust.documents import FORMATS
from sealpy.image.trust.keys import PublicKey, SigningKey
from sealpy.image.trust.policy import Verification, admit
from sealpy.image.trust.signatures import SIGNATURE, Signature, sign, signatures, verify

__all__ = ["FORMATS", "SIGNATURE", "PublicKey", "Signature", "SigningKey", "Verification"]
__all__ += ["admit", "attach_bills", "bring_documents", "memory_of", "read_bill", "send_documents"]
__all__ += ["sign", "signatures", "verify"]
