"""ClusterImage: reference, manifest, store, build."""
