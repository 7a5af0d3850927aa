"""a thin typed doorway to the kubernetes client."""
