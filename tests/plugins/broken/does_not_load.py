"""A plugin that needs what is not there."""

import a_module_that_nobody_has  # type: ignore[import-not-found] # this is the mistake

PluginType = "BROKEN"
Plugin = a_module_that_nobody_has.Plugin
