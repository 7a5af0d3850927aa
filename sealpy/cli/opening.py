"""Open the image that a command is about, or tell that it is not here with everything else that is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sealpy.actions.review import require
from sealpy.actions.session import Surroundings
from sealpy.cli.home import home, open_store
from sealpy.cli.output import Output
from sealpy.clusterfile import Clusterfile, Readable
from sealpy.errors import ImageError
from sealpy.image.cluster_image import ClusterImage
from sealpy.inventory import Logins

__all__ = ["opened", "opened_of", "required"]


@contextmanager
def opened(name: str) -> Iterator[ClusterImage | ImageError]:
    """Open a local image, and keep its blobs from `rmi` in another terminal for as long as it is read.

    Gives the error instead when it cannot be opened.
    """
    store = open_store()
    with store.keeping():
        found: ClusterImage | ImageError
        try:
            found = ClusterImage.open(store, name)
        except ImageError as error:
            found = error
        yield found


@contextmanager
def opened_of(read: Readable) -> Iterator[ClusterImage | ImageError | None]:
    """Open the image that a Clusterfile names, as far as that can be read."""
    with ExitStack() as stack:
        yield stack.enter_context(opened(read.cluster.image)) if read.cluster and read.cluster.image else None


@contextmanager
def required(
    output: Output, asked: Clusterfile | Readable, *, logins: Logins, plugins: Sequence[Path] = ()
) -> Iterator[tuple[Clusterfile, ClusterImage]]:
    """Give the Clusterfile and its image, or raise one error with everything that is wrong with either."""
    read = asked if isinstance(asked, Readable) else Readable.of(asked)
    around = Surroundings(
        home=home(), emit=output.emit, secret=output.secrets.add, logins=logins, plugins=tuple(plugins)
    )
    with opened_of(read) as image:
        yield require(read, image, around)
