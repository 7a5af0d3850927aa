"""Pack a whole Kubernetes distribution into one OCI image, and make clusters from it over SSH, offline."""

__all__ = ["__version__"]

__version__ = "0.1.0"
