"""Fill the build context of the Kubernetes base image: programs and container images, from releases or from source.

`recipes` says what is to be made and how (data: versions.toml and recipes.toml), `origins` makes one component into an
entry of the `cache`, `assembly` puts the entries together. A second run finds everything in the cache.
"""
