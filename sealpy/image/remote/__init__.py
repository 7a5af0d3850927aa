"""Remote: an image registry elsewhere, spoken to by the OCI distribution protocol.

`Remotes` knows all registries that a command talks to; `Remotes.repository` gives the door to one repository. What is
moved is never moved twice: a blob that is there already is not sent, and one that was cut goes on where it ended.

Source: https://github.com/opencontainers/distribution-spec, version 1.1.
"""

from enum import StrEnum

__all__ = ["PullPolicy"]


class PullPolicy(StrEnum):
    """Name when an image is pulled, in the ancestor's words."""

    ALWAYS = "always"
    MISSING = "missing"
    IFNEWER = "ifnewer"
    NEVER = "never"
