"""A plugin with neither steps nor run."""

PluginType = "BROKEN"


class Plugin:
    def execute(self) -> None:
        """Wait to be called, in vain."""
