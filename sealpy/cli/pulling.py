"""How a build gets the images that are not here: the base, and container images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sealpy.cli.home import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sealpy.cli.output import Output
    from sealpy.image.building.bases import Obtain
    from sealpy.image.building.build import Bring
    from sealpy.image.building.private_list import PrivateList
    from sealpy.image.manifest import Platform
    from sealpy.image.progress import Progress
    from sealpy.image.reference import Reference
    from sealpy.image.remote import PullPolicy
    from sealpy.image.remote.containers import Brought
    from sealpy.image.remote.remotes import Remotes

__all__ = ["bringing", "obtaining", "read_policy", "read_private_lists"]


def read_policy(pull: str) -> PullPolicy:
    """Read the word of `--pull`; `true` is the ancestor's for ifnewer."""
    from sealpy.errors import ConfigError, did_you_mean, known_words
    from sealpy.image.remote import PullPolicy

    word = {"true": "ifnewer", "false": "missing"}.get(pull, pull)
    if word not in set(PullPolicy):
        raise ConfigError(f"--pull {pull!r}: unknown", hint=did_you_mean(word, PullPolicy) or known_words(PullPolicy))
    return PullPolicy(word)


def read_private_lists(output: Output, paths: Sequence[Path]) -> list[PrivateList]:
    """Read the files of `--image-list-with-auth`; none of their passwords is shown from now on."""
    if not paths:
        return []
    from sealpy.events import Warned
    from sealpy.image.building.private_list import read_private_list

    found = [read_private_list(path) for path in paths]
    for one in found:
        for login in one.logins.values():
            output.secrets.add(login.password.reveal())
        for notice in one.notices:
            output.emit(Warned(message=str(notice), hint=notice.hint))
    return found


def obtaining(output: Output, policy: PullPolicy, remotes: Remotes) -> Obtain:
    """Bring a base from its registry as `--pull` says."""
    from sealpy.image.remote.policy import ensure

    def obtain(reference: Reference, platform: Platform) -> Any:
        return ensure(open_store(), remotes, reference, policy=policy, emit=output.emit, platforms=[platform])

    return obtain


def bringing(policy: PullPolicy, remotes: Remotes) -> Bring | None:
    """Bring container images from their registries, unless `--pull` says never."""
    from sealpy.image.remote import PullPolicy
    from sealpy.image.remote.containers import bring

    if policy is PullPolicy.NEVER:
        return None

    def brought(references: Sequence[Reference], platform: Platform, progress: Progress) -> Brought:
        return bring(references, store=open_store(), remotes=remotes, platform=platform, progress=progress)

    return brought
