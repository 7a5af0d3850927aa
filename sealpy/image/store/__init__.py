"""The images of this machine: an OCI layout, its blobs, who uses them and whether they are whole."""

from sealpy.image.store.images import BlobWriter, Store, StoredImage, Waste

__all__ = ["BlobWriter", "Store", "StoredImage", "Waste"]
