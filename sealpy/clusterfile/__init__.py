"""Clusterfile YAML → Cluster (types, load, defaults, validate)."""

from sealpy.clusterfile.hosts import parse_hosts

__all__ = ["parse_hosts"]
