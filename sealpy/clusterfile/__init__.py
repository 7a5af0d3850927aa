"""Clusterfile YAML → Cluster (types, load, defaults, validate)."""
