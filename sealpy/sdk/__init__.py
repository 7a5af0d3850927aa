"""all that a plugin author imports; standard library only.

A plugin is a Python file with two module-level names: `PluginType`, the type that a document of `kind: Plugin` names,
and `Plugin`, a class, instance or function. See `StepPlugin` and `ImperativePlugin` for the two styles.
`sealpy.sdk.data` reads the data of a document line by line, `sealpy.sdk.nodes` asks for the cluster's nodes.
"""

from sealpy.sdk.hooks import HookPoint
from sealpy.sdk.plugin import ImperativePlugin, PluginContext, PluginFailure, PluginHost, StepPlugin
from sealpy.sdk.steps import (
    Ask,
    Call,
    Fetch,
    On,
    Payload,
    PlainStep,
    Put,
    Result,
    Run,
    Send,
    Step,
    StepFailedError,
    Steps,
    Wait,
)

__all__ = [
    "Ask",
    "Call",
    "Fetch",
    "HookPoint",
    "ImperativePlugin",
    "On",
    "Payload",
    "PlainStep",
    "PluginContext",
    "PluginFailure",
    "PluginHost",
    "Put",
    "Result",
    "Run",
    "Send",
    "Step",
    "StepFailedError",
    "StepPlugin",
    "Steps",
    "Wait",
]
