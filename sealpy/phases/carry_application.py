"""Carry an application to the hosts of a living cluster, and its container images into the registry there.

Its files stand in a directory of their own, `<dataRoot>/<cluster>/applications/<name>/rootfs`: nothing of the cluster
is overwritten, the next version of it takes their place, and a delete takes them with the rest. Container images go
into the registry as links, so a blob that the cluster or another application has is neither sent nor stored twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sealpy.context import Context, digest_of
from sealpy.distributors import TreeFile
from sealpy.distributors.stream import MARK
from sealpy.engine import Phase
from sealpy.errors import HostError, counted
from sealpy.events import Warned
from sealpy.image.registry_tree import ROOT
from sealpy.phases.start_registry import ANY_DOMAIN, SERVES, registry_of
from sealpy.registry import RegistryPlan, mirrors
from sealpy.sdk import On, Put, Run, Steps

__all__ = ["CarryApplication", "MirrorDomains", "ServeImages"]

_SPARE_KIB = 1024 * 1024  # beside what is sent: container images unpacked, logs
_REPOSITORIES = f"{ROOT}/repositories/"
_TAG, _LINK = "/_manifests/tags/", "/current/link"

# $1 the application's rootfs, $2 that of the cluster. The registry sees new files without a restart.
_SERVE = """set -eu
umask 022
mkdir -p "$2/registry"
cp -a --link --remove-destination "$1/registry/." "$2/registry/" 2>/dev/null ||
  cp -a --remove-destination "$1/registry/." "$2/registry/"
"""


class CarryApplication(Phase[Context]):
    """Carry the application to the hosts.

    What the registry of a host holds is taken from there and not sent.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        """Take the hosts where its commands run, its container images are served, or its plugins fire."""
        self._hosts = hosts

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern them."""
        del ctx
        return self._hosts

    def steps(self, ctx: Context, host: str) -> Steps:
        """Ask the registry, then send what is missing; raises HostError when there is no room for it."""
        tree, facts = ctx.tree(host), ctx.facts[host]
        if facts.marked(MARK, tree.digest):
            return
        images = {path: file for path, file in tree.files.items() if file.sha256 and path.startswith(f"{ROOT}/")}
        held: Mapping[str, tuple[str, str]] = {}
        if images:
            held = yield from ctx.distributor.held(images, ctx.registry.rootfs)
        _tell_of_other_images(ctx, host, images, held)
        taken = [path for path, file in images.items() if held.get(path) == (file.sha256, file.mode)]
        _refuse_without_room(ctx, host, [file for path, file in tree.files.items() if path not in set(taken)])
        if taken:
            yield ctx.distributor.take(
                f"take {counted(len(taken), 'file')} that the registry has", taken, ctx.registry.rootfs
            )
        present = facts.present | {"incoming"} if taken else facts.present
        yield from ctx.distributor.deliver(tree, replace(facts, present=present), taken=taken)


class ServeImages(Phase[Context]):
    """Put its container images into the registry."""

    def __init__(self, rootfs: Mapping[str, str]) -> None:
        """Take what each host has of the cluster's own files, by address: its digest."""
        self._rootfs = rootfs

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts of the registry."""
        return ctx.registry.hosts

    def skip(self, ctx: Context) -> str:
        """Say so when the image holds none."""
        return "" if any(path.startswith(ROOT) for path in ctx.image.files) else "it holds no container images"

    def steps(self, ctx: Context, host: str) -> Steps:
        """Link them where they are not, or where the cluster's own files were sent anew since."""
        done = digest_of(ctx.tree(host).digest, self._rootfs.get(host, ""))
        if not ctx.facts[host].marked("registry", done):
            yield Run(
                "put its container images into the registry", "sh", "-c", _SERVE, "sh", ctx.rootfs, ctx.registry.rootfs
            )
            yield ctx.mark("registry", done, title="putting container images into the registry")


class MirrorDomains(Phase[Context]):
    """Let the hosts find its container images.

    A domain that no image of the cluster is of is told to the container engine of every host. Control planes note it,
    so that hosts which join later are told of it, too.
    """

    def __init__(self, application: RegistryPlan) -> None:
        """Take the registry as it would be for the application alone."""
        self._application = application

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern every host."""
        return ctx.inventory.addresses

    def skip(self, ctx: Context) -> str:
        """Say so when the image needs none."""
        del ctx
        return "" if self._application.mirrored or self._application.any_domain else "it needs no domain"

    def steps(self, ctx: Context, host: str) -> Steps:
        """Write the mirrors that are not there yet."""
        plan = self._plan(ctx, host)
        logins = (plan.login, plan.elsewhere and plan.elsewhere.login)
        for path, text in mirrors(plan, host).items():
            domain = path.split("/")[-2]
            digest = hashlib.sha256(text.encode()).hexdigest()
            if self._is_for(domain) and ctx.facts[host].digests.get(path) != digest:
                secret = any(login and login.header in text for login in logins)
                mode = 0o600 if secret else 0o644
                yield Put(f"mirror {domain}", path, text.encode(), mode=mode, sensitive=secret)
        if host == ctx.inventory.leader:
            yield from self._note(ctx)

    def _plan(self, ctx: Context, host: str) -> RegistryPlan:
        """Give the registry as the host knows it, and the domains of the application."""
        known = {path.split("/")[-2] for path in ctx.facts[host].digests}
        any_domain = self._application.any_domain or "_default" in known
        return replace(registry_of(ctx), mirrored=self._application.mirrored, any_domain=any_domain)

    def _is_for(self, domain: str) -> bool:
        return domain in self._application.mirrored or (domain == "_default" and self._application.any_domain)

    def _note(self, ctx: Context) -> Steps:
        names = (*self._application.mirrored, *([ANY_DOMAIN] if self._application.any_domain else []))
        for master in ctx.inventory.masters:
            for mark in (f"{SERVES}{name}" for name in names):
                if mark not in ctx.facts[master].marks:
                    yield On(master, ctx.mark(mark, "done"))


def _tell_of_other_images(
    ctx: Context, host: str, images: Mapping[str, TreeFile], held: Mapping[str, tuple[str, str]]
) -> None:
    """Warn of container images that the registry has under the same names with other contents."""
    for path in sorted(images):
        name, tag, rest = path.removeprefix(_REPOSITORIES).partition(_TAG)
        if tag and rest.endswith(_LINK) and "." in name.partition("/")[0]:
            found, _ = held.get(path, ("", ""))
            if found not in {"", images[path].sha256}:
                message = (
                    f"container image '{name}:{rest.removesuffix(_LINK)}' of {ctx.image.reference.familiar} is another"
                )
                hint = "what pulls it from now on gets that of the application; names that never change avoid this"
                ctx.emit(Warned(message=f"{message} one than the registry has", host=host, hint=hint))


def _refuse_without_room(ctx: Context, host: str, files: Iterable[TreeFile]) -> None:
    need = sum(file.item.member.size for file in files) // 1024 + _SPARE_KIB
    for problem in ctx.facts[host].without_room(need):
        raise HostError(host, problem.message, hint=problem.hint)
