"""fakes and builders, for us and for plugin authors."""
