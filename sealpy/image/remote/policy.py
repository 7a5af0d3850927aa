"""When a registry is asked for an image that may be here already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from sealpy.errors import RemoteError, StoreError
from sealpy.events import Emit, Warned
from sealpy.image.manifest import Descriptor, ImageConfig, Platform, parse
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.remote import PullPolicy
from sealpy.image.remote.platforms import here, named
from sealpy.image.remote.pull import pull
from sealpy.image.remote.remotes import Remotes
from sealpy.image.store import Store, graph

__all__ = ["ensure", "missing"]


def ensure(
    store: Store,
    remotes: Remotes,
    reference: Reference,
    *,
    policy: PullPolicy,
    emit: Emit,
    platforms: Sequence[Platform] | None = (),
) -> Descriptor:
    """Give an image of the store for the wanted platforms, after pulling it where the policy says so.

    An image that is here for other platforms only is missing. With `ifnewer` the one that is here is good enough when
    the registry cannot be asked. Raises StoreError, and what `pull` raises.
    """
    local = _local(store, reference, platforms)
    match policy:
        case PullPolicy.NEVER:
            return local or store.resolve(reference)
        case PullPolicy.MISSING if local:
            return local
        case PullPolicy.MISSING | PullPolicy.ALWAYS | PullPolicy.IFNEWER:
            pass
        case _:
            assert_never(policy)
    progress = Progress(emit, f"pull {reference.familiar}")
    try:
        pulled = pull(store, remotes.sources(reference), progress=progress, platforms=platforms)
    except RemoteError as error:
        if local and policy is PullPolicy.IFNEWER:
            emit(Warned(message=f"{error.message}; using what is here", hint=error.hint))
            return local
        if local is None:
            raise missing(store, reference, error) from error
        raise
    progress.finish(pulled.descriptor.digest)
    return pulled.descriptor


def missing(store: Store, reference: Reference, error: RemoteError) -> RemoteError:
    """Say that an image is not here either, and which one of those that are here may be meant."""
    near = store.like(reference)
    meant = f"did you mean '{near}', which is here?" if near else ""
    message = f"image {reference.familiar!r}: not among the local images; {error.message}"
    return type(error)(message, status=error.status, hint=" else ".join(filter(None, (meant, error.hint))))


def _local(store: Store, reference: Reference, platforms: Sequence[Platform] | None) -> Descriptor | None:
    """Find an image in the store that is there for every wanted platform."""
    try:
        found = store.resolve(reference)
        held = [
            parse(ImageConfig, store.read(manifest.config.digest), what=f"configuration of {reference.familiar!r}")
            for _, manifest in graph.platforms(found, read=store.read, has=store.has)
        ]
    except StoreError:
        return None
    kept = [Platform(architecture=config.architecture, os=config.os) for config in held]
    wanted = [] if platforms is None else platforms or [here()]
    fits = all(any(named(platform, one.model_copy(update={"variant": None})) for platform in kept) for one in wanted)
    return found if fits else None
