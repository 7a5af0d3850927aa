"""Launch an application, an image without a Kubernetes of its own, on a living cluster.

The cluster stays as it is: its Clusterfile is neither changed nor applied. What the application was launched with (its
files as they are rendered, environment, commands) is noted on the control planes. Who launches the very same again
finds nothing to change; the ancestor ran the commands again, which a script that is not made for it does not survive.
What changed is launched again, and plugins fire then, too.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sealpy.actions.customize import choice_of, customized, edits_of
from sealpy.actions.environment import for_scripts, host_env
from sealpy.actions.files import Files
from sealpy.actions.hooks import Hooks
from sealpy.actions.mistakes import Mistakes
from sealpy.actions.references import check_references, referred_secrets, with_references
from sealpy.actions.registries import check_registries, registry_plan
from sealpy.actions.session import Report, Session, Surroundings, exclusive, session
from sealpy.actions.setup import prepare
from sealpy.actions.state import addresses, leader_of, led_by, recall, remains_there, still_there
from sealpy.checks import CHECKS, Needs, inspect
from sealpy.clusterfile import Clusterfile, Readable, dumps, secret_values
from sealpy.context import Context, digest_of
from sealpy.distributors import Stream
from sealpy.engine import Phase
from sealpy.errors import ConfigError, Problem
from sealpy.events import Warned
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.kube_version import check_kubernetes
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import ROOT, holds
from sealpy.image.remains import nothing_of
from sealpy.inventory import Inventory
from sealpy.phases.carry_application import CarryApplication, MirrorDomains, ServeImages
from sealpy.phases.connect import Connect
from sealpy.phases.gather_facts import GatherFacts
from sealpy.phases.install_network import InstallNetwork
from sealpy.phases.launch_apps import LaunchApps, network_apps
from sealpy.phases.preflight import refuse
from sealpy.phases.save_application import SETTLED, SaveApplication
from sealpy.registry import RegistryPlan
from sealpy.sdk import HookPoint

__all__ = ["Asked", "launch", "launching"]

P = HookPoint
_FIRED = frozenset({P.PRE_GUEST, P.POST_INSTALL})
_CHECKED = ("arch",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Say what is to be launched, and where.

    `clusterfile` says how: environment, commands, apps, Configs, plugins. `cluster` is the Clusterfile of the cluster,
    `base` the image that it was made from, or what was kept of it; None when nothing of it is here.
    """

    clusterfile: Clusterfile
    image: ClusterImage
    cluster: Clusterfile
    base: ClusterImage | None

    @property
    def name(self) -> str:
        """Give the name that stands for all versions of the image, such as `shop-0b2d3e4f`: a file name, and a key."""
        reference = self.image.reference
        return f"{reference.path.rpartition('/')[2]}-{hashlib.sha256(reference.repository.encode()).hexdigest()[:8]}"

    @property
    def known_base(self) -> ClusterImage:
        """Give the image that the cluster was made from, or at least its name."""
        return self.base or nothing_of(Reference.parse(self.cluster.cluster.image))


def launch(asked: Asked, surroundings: Surroundings) -> Report:
    """Launch it, or find nothing to change; in a rehearsal the report holds what would be done.

    Raises ConfigError when the cluster is not there, ImageError when its Kubernetes is not one that the image is for,
    PreflightError when its machines are not.
    """
    given, asked = asked, _merged(asked)
    name, home = asked.cluster.cluster.name, surroundings.cluster_home(asked.cluster.cluster.name)
    preparation = prepare(asked.cluster, asked.known_base, surroundings)
    hooks = _checked(given, asked, preparation.inventory, surroundings)
    notices = (*asked.clusterfile.notices, *hooks.notices, *_never_fired(hooks))
    with exclusive(home), session("launch", surroundings, preparation, notices=notices) as run:
        run.ctx.kube.warm()
        run.run([Connect(), GatherFacts()])
        asked = _as_it_is(run, given, asked)
        _refuse_strangers(run.ctx, addresses(given.clusterfile))
        _refuse_what_does_not_fit(run, asked.image)
        ctx = _context(run.ctx, asked, surroundings)
        hosts = tuple(dict.fromkeys((*_concerned(ctx, hooks), *ctx.inventory.masters)))
        run.run([GatherFacts(only=hosts)], ctx=ctx)
        _tell_of_images(ctx, asked.known_base)
        run.run([MirrorDomains(_own_registry(ctx, asked, surroundings))])
        run.run(_phases(run, ctx, asked, hooks), ctx=ctx)
        return run.finish(f"application '{asked.image.reference.familiar}' is launched on cluster '{name}'")


def launching(hooks: Hooks) -> Sequence[Phase[Context]]:
    """List the phases between which plugins fire."""
    return [*hooks.at(P.PRE_GUEST), LaunchApps(), *hooks.at(P.POST_INSTALL)]


def _phases(run: Session, ctx: Context, asked: Asked, hooks: Hooks) -> Sequence[Phase[Context]]:
    settled = {master: _settled(ctx, master) for master in ctx.inventory.masters}
    leader = ctx.inventory.leader
    operation = not ctx.facts[leader].marked(SETTLED, settled[leader])
    rootfs = {host: run.ctx.facts[host].marks.get("rootfs", "") for host in ctx.registry.hosts}
    return [
        CarryApplication(_concerned(ctx, hooks)),
        *([ServeImages(rootfs)] if ctx.registry.hosts else []),
        *([InstallNetwork()] if network_apps(ctx) else []),
        *launching(hooks if operation else Hooks(())),
        SaveApplication(asked.name, settled),
    ]


def _merged(asked: Asked) -> Asked:
    """Lay what is asked for over the cluster, of whose own plugins, Configs and choices nothing counts here."""
    clusterfile, metadata = with_references(_written(asked)), asked.image.metadata
    env = {**asked.known_base.metadata.env, **metadata.env}
    image = dataclasses.replace(asked.image, metadata=metadata.model_copy(update={"env": env}))
    return dataclasses.replace(
        asked, clusterfile=clusterfile, image=customized(clusterfile, image), cluster=_bare(asked.cluster)
    )


def _written(asked: Asked) -> Clusterfile:
    """Give the Clusterfile of the application on its cluster, with what it refers to as it is written."""
    known, wanted = asked.cluster.cluster, asked.clusterfile.cluster
    names = dict.fromkeys((*known.env_from, *wanted.env_from))
    cluster = dataclasses.replace(
        known,
        image=wanted.image,
        env={**known.env, **wanted.env},
        env_from=tuple(name for name in names if name not in wanted.env),
        env_places={**known.env_places, **wanted.env_places},
        cmd=wanted.cmd,
        cmd_args=wanted.cmd_args,
        app_names=wanted.app_names,
        place=wanted.place,
        words=wanted.words,
    )
    return dataclasses.replace(asked.clusterfile, cluster=cluster, kubeadm=asked.cluster.kubeadm)


def _bare(clusterfile: Clusterfile) -> Clusterfile:
    """Leave out what says how the cluster itself is made."""
    cluster = dataclasses.replace(clusterfile.cluster, cmd=(), cmd_args={}, app_names=())
    return dataclasses.replace(clusterfile, cluster=cluster, plugins=(), configs=(), applications=(), notices=())


def _checked(given: Asked, asked: Asked, inventory: Inventory, surroundings: Surroundings) -> Hooks:
    """Find the plugins; raises one error with everything that is wrong with them and with the file."""
    mistakes, hooks = Mistakes.of(Readable.of(given.clusterfile)), Hooks(())
    with mistakes.gathering():
        check_references(_written(given))
        _check(asked, inventory, surroundings)
    with mistakes.gathering():
        hooks = Hooks.of(asked.clusterfile, asked.image, inventory, directories=surroundings.plugins)
    mistakes.check()
    return hooks


def _check(asked: Asked, inventory: Inventory, surroundings: Surroundings) -> None:
    """Make what can be made without a host, so that what is wrong with the file or a template is told at once."""
    cluster = asked.clusterfile.cluster
    for secret in (*secret_values(asked.clusterfile), *referred_secrets(asked.clusterfile)):
        surroundings.secret(secret)
    plan = registry_plan(cluster, asked.known_base, inventory, secret=surroundings.secret)
    check_registries(cluster, plan)
    if asked.base:  # else its variables, which templates may need, are only known when the cluster was asked
        files, _ = _files(asked, inventory, plan)
        for address in inventory.addresses:
            files.tree(address)
    choice = choice_of(asked.clusterfile)
    if choice.commands is None:
        asked.image.metadata.launch_commands(choice.apps)


def _files(asked: Asked, inventory: Inventory, plan: RegistryPlan) -> tuple[Files, Mapping[str, Mapping[str, str]]]:
    env = {host.address: host_env(asked.clusterfile, asked.image, inventory, plan, host.address) for host in inventory}
    return Files(asked.image, plan.hosts, env, edits_of(asked.clusterfile, asked.image)), env


def _as_it_is(run: Session, given: Asked, asked: Asked) -> Asked:
    """See the cluster from its leader, with the hosts and settings that it saved, whatever is known here."""
    name, leader = asked.cluster.cluster.name, leader_of(run.ctx)
    if not run.ctx.created:
        hint = f"make it first: sealpy run IMAGE --name {name} -m …, with the image of a whole cluster"
        raise ConfigError(f"cluster '{name}' is not there", hint=hint)
    if leader != run.ctx.inventory.leader:
        _look_again(run, led_by(asked.cluster, leader), asked)
    saved = recall(run)
    if saved is not None and dumps(_bare(saved.clusterfile)) != dumps(asked.cluster):
        known = run.ctx.inventory.addresses
        asked = _merged(dataclasses.replace(given, cluster=still_there(saved.clusterfile, given.cluster)))
        _look_again(run, led_by(asked.cluster, leader), asked)
        if more := tuple(host for host in run.ctx.inventory.addresses if host not in known):
            run.run([Connect(only=more), GatherFacts(only=more)])
    if asked.base is None:
        base = remains_there(run, [leader])
        asked = _merged(dataclasses.replace(asked, base=base)) if base else asked
    return asked


def _look_again(run: Session, cluster: Clusterfile, asked: Asked) -> None:
    run.ctx = run.prepared(prepare(cluster, asked.known_base, run.surroundings))


def _refuse_strangers(ctx: Context, named: Sequence[str]) -> None:
    if strangers := [host for host in named if host not in ctx.inventory.addresses]:
        message = f"{', '.join(strangers)}: not of cluster '{ctx.name}', and an application lets nobody join"
        raise ConfigError(message, hint="take them out of the file; sealpy scale-up lets them join")


def _refuse_what_does_not_fit(run: Session, image: ClusterImage) -> None:
    ctx = run.ctx
    version = ctx.kube.open().version()
    check_kubernetes(image.reference.familiar, image.metadata.labels, version=version)
    others = {one.id for one in CHECKS} - {*_CHECKED} | ctx.skip
    found = inspect(ctx.inventory, ctx.facts, Needs(platform=image.config.architecture), skip=others)
    refuse(((one.host, one) for one in found), run.executor)


def _context(ctx: Context, asked: Asked, surroundings: Surroundings) -> Context:
    """Give the context of the application: the cluster's, with the image's files in a directory of their own."""
    files, env = _files(asked, ctx.inventory, ctx.registry)
    for address in ctx.inventory.addresses:
        files.tree(address)  # what is wrong with a template is told before anything is changed
    choice = choice_of(asked.clusterfile)
    directory = f"{ctx.directory}/applications/{asked.name}"
    return dataclasses.replace(
        ctx,
        image=asked.image,
        env={address: for_scripts(variables) for address, variables in env.items()},
        directory=directory,
        registry=registry_plan(asked.clusterfile.cluster, asked.known_base, ctx.inventory, secret=surroundings.secret),
        distributor=Stream(directory),
        tree=files.tree,
        launch=choice.commands,
        apps=choice.apps,
        operation=ctx.inventory.addresses,
        facts=dict(ctx.facts),
    )


def _concerned(ctx: Context, hooks: Hooks) -> tuple[str, ...]:
    """Give the hosts that get its files: where commands run, where images are served, and where plugins may fire."""
    if any(plugin.points for plugin in hooks.plugins if _FIRED.intersection(plugin.points)):
        return ctx.inventory.addresses
    return tuple(dict.fromkeys((ctx.inventory.leader, *ctx.registry.hosts)))


def _own_registry(ctx: Context, asked: Asked, surroundings: Surroundings) -> RegistryPlan:
    """Give the registry as it would be for the container images of the application alone."""
    plan = registry_plan(asked.clusterfile.cluster, asked.image, ctx.inventory, secret=surroundings.secret)
    if plan.hosts and not any(path.startswith(ROOT) for path in asked.image.files):
        return dataclasses.replace(plan, mirrored=(), any_domain=False)
    return plan


def _settled(ctx: Context, host: str) -> str:
    """Give the digest of all that decides what is launched; plugins fire again when it is another."""
    commands = ctx.launch if ctx.launch is not None else ctx.image.metadata.launch_commands(ctx.apps)
    return digest_of(ctx.tree(host).digest, sorted(ctx.env[host].items()), commands)


def _tell_of_images(ctx: Context, base: ClusterImage) -> None:
    """Warn of container images that sealpy cannot give the cluster: nodes look for them elsewhere."""
    name = ctx.image.reference.familiar
    images = [Reference.parse(use.image) for use in ctx.image.metadata.container_images]
    absent = [one for one in images if not holds(ctx.image.files, one) and not holds(base.files, one)]
    if images and not ctx.registry.hosts:
        message = (
            f"the cluster pulls from '{ctx.registry.url}', which sealpy does not fill: it must have what {name} runs"
        )
        hint = f"push them there before: {', '.join(one.familiar for one in images)}"
        ctx.emit(Warned(message=message, hint=hint))
    elif absent:
        message = f"{name} lists container images that it does not hold: {', '.join(one.familiar for one in absent)}"
        ctx.emit(Warned(message=message, hint="nodes fetch them from where they come, or build it with them"))


def _never_fired(hooks: Hooks) -> Iterator[Problem]:
    for plugin in hooks.plugins:
        if not _FIRED.intersection(plugin.points):
            points = ", ".join(f"'{point}'" for point in plugin.points)
            message = f"plugin '{plugin.name}': {points} does not fire for an application"
            yield Problem(message, plugin.document.place, hint="PreGuest and PostInstall do")
