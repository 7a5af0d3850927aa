"""ClusterImage: reference, manifest, store, remote, build."""
