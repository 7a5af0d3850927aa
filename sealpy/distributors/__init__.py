"""one file per way to move a rootfs: stream.

A Distributor yields the steps that bring a host's rootfs to a Tree: every file of the image, and the files rendered for
this host. It asks the host once what it has, sends what is missing as one stream, and writes the mark last.
"""

from sealpy.distributors.stream import Stream
from sealpy.distributors.tree import Tree, TreeFile, image_tree, rendered_tree

__all__ = ["Stream", "Tree", "TreeFile", "image_tree", "rendered_tree"]
