"""one file per way to move a rootfs: stream.

A Distributor yields the steps that bring a host's rootfs to a Tree: every file of the image, and the files rendered for
this host. It asks the host once what it has, sends what is missing as one stream, and writes the mark last.
"""

from sealpy.distributors.beside import keeping, registry_there
from sealpy.distributors.edit import Edit, edited, refuse_absent
from sealpy.distributors.stream import Stream
from sealpy.distributors.tree import Tree, TreeFile, content, image_file, image_tree, is_rendered, rendered_tree

__all__ = [
    "Edit",
    "Stream",
    "Tree",
    "TreeFile",
    "content",
    "edited",
    "image_file",
    "image_tree",
    "is_rendered",
    "keeping",
    "refuse_absent",
    "registry_there",
    "rendered_tree",
]
