"""ClusterImage: reference, manifest, store, remote, build.

What an image is lies here; each shelf is one thing that is done with images.

building: from a Kubefile to an image. finding: which container images it needs. store: the images of this machine.
remote: those of registries. archive: those in files, on their way. trust: who signed them, and what is in them.
"""
