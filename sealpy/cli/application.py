"""What `run`, `apply` and `plan` do with an application: find its cluster, launch it there, say what came of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sealpy.actions.application import Asked, launch
from sealpy.actions.mistakes import Mistakes
from sealpy.actions.session import Report, Surroundings
from sealpy.actions.state import still_there
from sealpy.cli.home import open_store
from sealpy.cli.kept import kept_file, known_clusters
from sealpy.cli.onfile import clusterfile_on, clusterfile_wanted
from sealpy.cli.wish import Wish
from sealpy.clusterfile import Clusterfile, Readable, Ssh, load
from sealpy.errors import ConfigError, StoreError
from sealpy.events import Emit
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import ImageConfig, parse
from sealpy.image.metadata import APP_INSTALLER, read_metadata
from sealpy.image.reference import Reference
from sealpy.image.remains import kept_remains
from sealpy.phases.keep_clusterfile import REMAINS

__all__ = ["cluster_of", "launched", "wanted_by"]


def wanted_by(wish: Wish, emit: Emit, *, file: Path | None, rehearsal: bool) -> tuple[Readable, Clusterfile | None]:
    """Give the Clusterfile of a run and, when it launches an application, that of the cluster.

    Raises StoreError when an image that is named without a file is not here, with what is wrong with the other words.
    With machines for it whoever opens it tells so, and what is wrong with their logins, too.
    """
    mistakes, application = Mistakes("command line"), False
    if wish.image and not file:
        with mistakes.gathering():
            application = _is_application(wish.image)
    if mistakes.errors and (wish.masters or wish.nodes) and not wish.provider:  # which would boot machines
        with mistakes.gathering():
            return clusterfile_wanted(wish, emit, file=None, rehearsal=rehearsal), None
    mistakes.check()
    if application:
        asked, cluster = _application_wanted(wish)
        return Readable.of(asked), cluster
    return clusterfile_wanted(wish, emit, file=file, rehearsal=rehearsal), None


def _is_application(name: str) -> bool:
    store, reference = open_store(), Reference.parse(name)
    _, manifest = store.manifest(store.resolve(reference))
    config = parse(ImageConfig, store.read(manifest.config.digest), what=f"configuration of {reference.familiar!r}")
    return read_metadata(manifest, config).type == APP_INSTALLER


def _application_wanted(wish: Wish) -> tuple[Clusterfile, Clusterfile]:
    """Give what the words ask for, and the Clusterfile of the cluster that they name, or of the only one.

    Raises ConfigError when there is no such cluster, or several, and for words that make a cluster.
    """
    options = (("--masters", wish.masters), ("--nodes", wish.nodes), ("--provider", wish.provider))
    if making := [option for option, given in options if given]:
        message = f"{', '.join(making)}: '{wish.image}' is an application, which goes to a cluster that is there"
        raise ConfigError(message, hint="leave it out; where there are several clusters, name one: --name shop")
    file = _kept_file(wish.name)
    kept, asked = load(file), clusterfile_on(file, replace(wish, name=""))
    given = asked.cluster
    cluster = replace(kept.cluster, hosts=given.hosts, ssh=given.ssh, registry=given.registry)
    launches = replace(given, cmd=given.cmd if wish.commands else (), app_names=given.app_names if wish.apps else ())
    bare = replace(asked, cluster=launches, plugins=(), configs=(), applications=(), notices=())
    return bare, replace(kept, cluster=cluster)


def cluster_of(asked: Clusterfile) -> Clusterfile:
    """Give the Clusterfile of the cluster that a file for an application names: as it is known here, or that file.

    What the file says of hosts and logins counts: passwords are not kept. Raises ConfigError when neither knows hosts.
    """
    name, given = asked.cluster.name, asked.cluster
    if given.hosts and name not in known_clusters():
        return asked
    kept = load(_kept_file(name))
    return still_there(kept, asked) if given.hosts or given.ssh != Ssh() else kept


def launched(asked: Clusterfile, image: ClusterImage, surroundings: Surroundings, cluster: Clusterfile) -> Report:
    """Launch an application on a cluster; the image of the cluster may be gone."""
    store, name = open_store(), cluster.cluster.image
    base: ClusterImage | None
    try:
        base = ClusterImage.open(store, name)
    except StoreError:
        base = kept_remains(surroundings.cluster_home(cluster.cluster.name) / REMAINS)
    if base and base.metadata.type == APP_INSTALLER:  # the file is for the application alone
        base = None
    return launch(Asked(clusterfile=asked, image=image, cluster=cluster, base=base), surroundings)


def _kept_file(name: str) -> Path:
    """Find the kept Clusterfile of the cluster that is named, or of the only one."""
    if name:
        return kept_file(name, otherwise="give a Clusterfile with its hosts, --file Clusterfile")
    known = known_clusters()
    if not known:
        make = "sealpy run IMAGE -m … makes one, and a Clusterfile with its hosts tells of one made elsewhere"
        raise ConfigError("an application needs a cluster, and none is known on this machine", hint=make)
    first, *others = known
    if others:
        message = f"there are several clusters: {', '.join(known)}"
        raise ConfigError(message, hint=f"say which one: --name {first}")
    return known[first]
