"""Take some hosts out of a living cluster, as their names on the command line say; nothing else is changed."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.actions.hooks import Hooks
from sealpy.actions.part import part
from sealpy.actions.session import Report, Session, Surroundings, exclusive, session
from sealpy.actions.setup import prepare
from sealpy.actions.state import addresses, follow_the_leader, leaving, recall, without_hosts
from sealpy.clusterfile import Clusterfile
from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import ConfigError, StoreError
from sealpy.events import Warned
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.remains import Remains, kept_remains
from sealpy.phases.connect import Connect
from sealpy.phases.distribute import Distribute
from sealpy.phases.gather_facts import GatherFacts
from sealpy.phases.keep_clusterfile import REMAINS, KeepClusterfile
from sealpy.phases.save_state import SaveHosts
from sealpy.phases.start_registry import PrepareAuthority, StartRegistry
from sealpy.phases.trust_registry import TrustRegistry
from sealpy.phases.write_hosts import WriteHosts

__all__ = ["refuse_strangers", "remove"]


def remove(
    clusterfile: Clusterfile, hosts: Sequence[str], image: ClusterImage | None, surroundings: Surroundings
) -> Report:
    """Drain, forget and clean these hosts of a cluster; others that do not answer hold nobody up.

    Workers leave without the image, too; when a control plane leaves, the others take the registry over, and that needs
    it. Raises ConfigError for hosts that are none of the cluster, and when no control plane would stay.
    """
    refuse_strangers(clusterfile, hosts)
    home = surroundings.cluster_home(clusterfile.cluster.name)
    known = image or kept_remains(home / REMAINS)
    if known is None:
        message = f"image '{clusterfile.cluster.image}' is not here, and nothing was kept of it"
        raise StoreError(message, hint="load it first, or do it from where the cluster was made")
    wanted = without_hosts(clusterfile, hosts)
    gone = leaving(clusterfile, wanted)
    preparation = prepare(wanted, known, surroundings)
    whole = prepare(clusterfile, known, surroundings).inventory
    hooks = Hooks.of(clusterfile, known, whole, directories=surroundings.plugins)
    masters = set(whole.masters) & set(hosts)
    if masters and isinstance(known, Remains):
        raise StoreError(
            f"image '{clusterfile.cluster.image}' is not here, and a control plane leaves",
            hint="load it first: the control planes that stay take the registry over",
        )
    if masters:
        preparation.check()  # those that stay get their files anew
    notices = (*clusterfile.notices, *hooks.notices)
    with exclusive(home), session("remove", surroundings, preparation, notices=notices) as run:
        _find_the_others(run)
        follow_the_leader(run, wanted, known)
        if recall(run) is None:
            raise ConfigError(f"cluster '{run.ctx.name}' is not there yet", hint="make it first: sealpy apply")
        parting = part(run, wanted, known, gone)
        if parting:
            run.run([KeepClusterfile(parting.document)])
            run.run(parting.begin(), ctx=parting.ctx)
            run.run(take_over() if masters else [])
            run.run(parting.end(run), ctx=parting.ctx)
            run.run([SaveHosts()])
        return run.report()


def refuse_strangers(clusterfile: Clusterfile, hosts: Sequence[str]) -> None:
    """Refuse what is no host of the cluster; no nearest one is named, as nobody is to guess at what is removed.

    Raises ConfigError that lists the hosts there are.
    """
    known = addresses(clusterfile)
    for host in hosts:
        if host not in known:
            message = f"{host} is no host of cluster '{clusterfile.cluster.name}'"
            raise ConfigError(message, hint=f"it has {', '.join(known)}")


def take_over() -> Sequence[Phase[Context]]:
    """List the phases by which those that stay do without control planes that leave."""
    return [Distribute(), WriteHosts(), PrepareAuthority(), StartRegistry(), TrustRegistry()]


def _find_the_others(run: Session) -> None:
    silent = run.find_out([Connect(), GatherFacts()])
    for host, error in silent.items():
        run.executor.emit(Warned(message=f"{error.message}: it stays as it is", hint=error.hint, host=host))
    if not run.ctx.inventory.masters:
        raise next(iter(silent.values()))
