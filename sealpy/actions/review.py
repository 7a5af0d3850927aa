"""Find everything that is wrong with what was asked, before any host is touched, and tell it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sealpy.actions.customize import check_apps, check_data
from sealpy.actions.hooks import Hooks, image_files
from sealpy.actions.mistakes import Mistakes
from sealpy.actions.references import check_references, with_references
from sealpy.actions.registries import check_accounts
from sealpy.actions.session import Surroundings
from sealpy.actions.setup import Preparation, prepare
from sealpy.clusterfile import Cluster, Clusterfile, Readable, Ssh
from sealpy.errors import ImageError, PluginError, counted
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import APP_INSTALLER
from sealpy.inventory import Inventory, check_logins
from sealpy.plugin import Gathered, PluginFiles, gather, read_directories

__all__ = ["Overview", "look_over", "prepared", "require"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Hold what a Clusterfile, its image and plugin files say together, and all that is wrong with them.

    `inventory` tells which hosts have which roles, and nothing of logins; None when nobody knows.
    """

    gathered: Gathered
    inventory: Inventory | None
    mistakes: Mistakes


def look_over(read: Readable, image: ClusterImage | ImageError | None, directories: Sequence[Path]) -> Overview:
    """Look at everything that is written, whatever is wrong with a part of it; nothing is run and no secret is read.

    `image` is an error when it cannot be opened, None when none was named.
    """
    mistakes = Mistakes.of(read)
    if read.whole is None:
        with mistakes.gathering():
            read.clusterfile()
    if isinstance(image, ImageError):
        mistakes.add(image)
    inventory: Inventory | None = None
    with mistakes.gathering():
        inventory = _inventory(read, image)
    here: Sequence[tuple[str, bytes]] = ()
    with mistakes.gathering():
        here = read_directories(directories)
    inside = image_files(image) if isinstance(image, ClusterImage) else ()
    unseen = read.cluster.image if read.cluster and isinstance(image, ImageError) else ""
    files = PluginFiles(image=inside, here=here, unseen=unseen)
    gathered = gather(read.plugins, files, inventory, mended=read.mended)
    if gathered.problems:
        message = f"{counted(len(gathered.problems), 'problem')} with plugins; nothing was changed"
        mistakes.add(PluginError(message, problems=gathered.problems))
    return Overview(gathered=gathered, inventory=inventory, mistakes=mistakes)


def prepared(clusterfile: Clusterfile, image: ClusterImage, surroundings: Surroundings) -> tuple[Preparation, Hooks]:
    """Prepare a run on a cluster and find its plugins; raises one error with everything that is wrong."""
    preparation, hooks = _review(Readable.of(clusterfile), image, surroundings)
    if preparation is None:
        raise AssertionError("what cannot be prepared was told")
    return preparation, hooks


def require(
    read: Readable, image: ClusterImage | ImageError | None, surroundings: Surroundings
) -> tuple[Clusterfile, ClusterImage]:
    """Give Clusterfile and image, when the one was read and the other opened.

    Else raises one error with that and everything else that can be known to be wrong.
    """
    if read.whole is not None and isinstance(image, ClusterImage):
        return read.whole, image
    _review(read, image, surroundings)
    raise AssertionError("what cannot be read or opened was told")


def _review(
    read: Readable, image: ClusterImage | ImageError | None, surroundings: Surroundings
) -> tuple[Preparation | None, Hooks]:
    seen = look_over(read, image, surroundings.plugins)
    preparation: Preparation | None = None
    with seen.mistakes.gathering():
        preparation = _preparation(read, image, seen, surroundings)
    if preparation is not None:
        with seen.mistakes.gathering():
            preparation.check()
    else:
        _look_at_the_rest(read, image, seen, surroundings)
    seen.mistakes.check(unchecked=seen.gathered.unchecked)
    return preparation, Hooks(seen.gathered.bound)


def _preparation(
    read: Readable, image: ClusterImage | ImageError | None, seen: Overview, surroundings: Surroundings
) -> Preparation | None:
    if read.whole is None or not isinstance(image, ClusterImage):
        return None
    if seen.inventory is None and not _is_application(image):
        return None
    return prepare(read.whole, image, surroundings)


def _look_at_the_rest(
    read: Readable, image: ClusterImage | ImageError | None, seen: Overview, surroundings: Surroundings
) -> None:
    """See what else is wrong where no run can be prepared: every part that can be judged without those that are broken.

    Templates are judged when nothing but logins is wrong, as they need all hosts and variables.
    """
    found, mistakes = read.meant, seen.mistakes
    if found is None:
        return
    with mistakes.gathering():
        check_references(found)
    if read.left_out.isdisjoint({"hosts", "ssh"}):
        with mistakes.gathering():
            check_logins(found.cluster, surroundings.logins)
    if not _is_application(image):
        with mistakes.gathering():
            check_accounts(found.cluster)
    for config in with_references(found).configs:
        with mistakes.gathering():
            check_data(config)
    if isinstance(image, ClusterImage):
        with mistakes.gathering():
            check_apps(found, image)
        if read.whole and seen.inventory:
            with mistakes.gathering():
                bare = replace(read.whole, cluster=_without_logins(read.whole.cluster))
                prepare(bare, image, surroundings).check()


def _without_logins(cluster: Cluster) -> Cluster:
    hosts = tuple(replace(entry, ssh=Ssh()) for entry in cluster.hosts)
    return replace(cluster, ssh=Ssh(), hosts=hosts)


def _inventory(read: Readable, image: ClusterImage | ImageError | None) -> Inventory | None:
    """Take the hosts that are written, with their roles; an application is for the hosts of a cluster elsewhere."""
    cluster, known = read.cluster, isinstance(image, ClusterImage)
    if cluster is None or _is_application(image) or not (cluster.hosts or known):
        return None
    return Inventory.of(_without_logins(cluster))


def _is_application(image: ClusterImage | ImageError | None) -> bool:
    return isinstance(image, ClusterImage) and image.metadata.type == APP_INSTALLER
