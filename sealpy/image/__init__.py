"""ClusterImage: what an image is, read and written. Each shelf below is one thing that is done with images.

building: from a Kubefile to an image. finding: which container images it needs. store: the images of this machine.
remote: those of registries. archive: those in files, on their way. trust: who signed them, and what is in them.
"""
