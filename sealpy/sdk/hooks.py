"""Both phase vocabularies of sealer, as one set of hook points."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["HookPoint"]


class HookPoint(StrEnum):
    """Name a moment at which plugins fire; the value is what a user writes as `action`."""

    # classic names: run on the hosts of the operation that `on` selects
    ORIGINALLY = "Originally"
    PRE_INIT = "PreInit"
    PRE_INSTALL = "PreInstall"
    PRE_GUEST = "PreGuest"
    POST_INSTALL = "PostInstall"
    PRE_JOIN = "PreJoin"
    POST_JOIN = "PostJoin"
    PRE_CLEAN = "PreClean"
    POST_CLEAN = "PostClean"
    # kebab names of hosts: run on the hosts in `scope`
    PRE_INIT_HOST = "pre-init-host"
    POST_INIT_HOST = "post-init-host"
    PRE_CLEAN_HOST = "pre-clean-host"
    POST_CLEAN_HOST = "post-clean-host"
    UPGRADE_HOST = "upgrade-host"
    # kebab names of the cluster: run on the leader
    PRE_INSTALL_CLUSTER = "pre-install"
    POST_INSTALL_CLUSTER = "post-install"
    PRE_SCALEUP = "pre-scaleup"
    POST_SCALEUP = "post-scaleup"
    PRE_UNINSTALL = "pre-uninstall"
    POST_UNINSTALL = "post-uninstall"
    UPGRADE = "upgrade"
    ROLLBACK = "rollback"

    @property
    def on_leader(self) -> bool:
        """Tell whether this hook point runs on the leader alone."""
        return self.value.islower() and not self.value.endswith("-host")
