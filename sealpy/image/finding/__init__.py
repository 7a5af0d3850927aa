"""find the container images that the files of a cluster image name.

`find` searches what a build adds to a rootfs: `manifests/imageList`, YAML and JSON below `manifests/` and
`application/apps/`, templates filled with the variables of the image, helm charts and kustomizations as helm and
kustomize render them with what the launch commands say. Each image comes with every place that names it, and by which
rule. What looks like an image and was not taken is a Doubt, so that nothing is missed in silence.
"""

from __future__ import annotations

from sealpy.image.finding.mention import IMAGE_LIST, Doubt, Found, Mention, listed
from sealpy.image.finding.rules import IMAGE_RULES
from sealpy.image.finding.search import find

__all__ = ["IMAGE_LIST", "IMAGE_RULES", "Doubt", "Found", "Mention", "find", "listed"]
