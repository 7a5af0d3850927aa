"""When each hook point fires: in which operations, and at which moment of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sealpy.sdk import HookPoint

__all__ = ["ADD", "APPLICATION", "CREATE", "DELETE", "MOMENTS", "REMOVE", "ROLLBACK", "UPGRADE", "Moment"]

P = HookPoint

CREATE, ADD, REMOVE, DELETE = "create", "add hosts", "remove hosts", "delete all"
UPGRADE, ROLLBACK = "upgrade", "rollback"  # to another image, forward and back
APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Moment:
    """Name the operations in which a hook point fires, and say when."""

    operations: tuple[str, ...]
    when: str


MOMENTS: Mapping[HookPoint, Moment] = {
    P.ORIGINALLY: Moment((CREATE, ADD), "before anything is put on the hosts"),
    P.PRE_INSTALL_CLUSTER: Moment((CREATE,), "when the image's files are on the hosts"),
    P.PRE_SCALEUP: Moment((ADD,), "when the image's files are on the new hosts"),
    P.PRE_INIT: Moment((CREATE,), "when the image's files are on the hosts"),
    P.PRE_JOIN: Moment((ADD,), "when the image's files are on the new hosts"),
    P.PRE_INIT_HOST: Moment((CREATE, ADD), "when the image's files are on the hosts"),
    P.PRE_INSTALL: Moment((CREATE,), "when container engine and registry run, before Kubernetes"),
    P.POST_INIT_HOST: Moment((CREATE, ADD), "when the hosts are nodes and ready"),
    P.POST_INSTALL_CLUSTER: Moment((CREATE,), "when the hosts are nodes and ready"),
    P.POST_SCALEUP: Moment((ADD,), "when the new hosts are nodes and ready"),
    P.PRE_GUEST: Moment((CREATE, ADD, APPLICATION), "when nodes have their labels, before applications are launched"),
    P.POST_INSTALL: Moment((CREATE, APPLICATION), "when applications serve, at the end"),
    P.POST_JOIN: Moment((ADD,), "when the new nodes have their labels, at the end"),
    P.PRE_UNINSTALL: Moment((DELETE,), "first of all"),
    P.PRE_CLEAN: Moment((REMOVE, DELETE), "while the hosts are nodes"),
    P.PRE_CLEAN_HOST: Moment((REMOVE, DELETE), "while the hosts are nodes"),
    P.POST_CLEAN: Moment(
        (REMOVE, DELETE), "when Kubernetes and the container engine are gone, before the image's files"
    ),
    P.POST_CLEAN_HOST: Moment(
        (REMOVE, DELETE), "when Kubernetes and the container engine are gone, before the image's files"
    ),
    P.POST_UNINSTALL: Moment((DELETE,), "when Kubernetes and the container engine are gone, before the image's files"),
    P.UPGRADE_HOST: Moment((UPGRADE,), "when the other image's files are on the hosts"),
    P.UPGRADE: Moment((UPGRADE,), "when the registry serves the other image, before Kubernetes changes"),
    P.ROLLBACK: Moment((ROLLBACK,), "before the older image's files are put on the hosts"),
}
