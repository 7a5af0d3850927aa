"""SHELL: run the text of the document as a bash script on each host."""

from collections.abc import Iterator

from sealpy.sdk import HookPoint, PluginContext, PluginHost, Run, Steps

PluginType = "SHELL"

# The script comes on standard input and not in argv, where every account of the host could read it. It is taken whole
# before it begins, so that a command in it which reads its input does not swallow the rest.
_RUN = 'eval "$(cat)" < /dev/null'
_IN_ROOTFS = f'cd "$1" && shift && {_RUN}'
_IF_ROOTFS = f'if [ ! -d "$1" ]; then echo "skipped: $1 is gone"; exit 0; fi; {_IN_ROOTFS}'
_LONGEST = 3600.0  # seconds, for a document that says nothing
_LEAVING = frozenset(
    {
        HookPoint.PRE_CLEAN,
        HookPoint.POST_CLEAN,
        HookPoint.PRE_CLEAN_HOST,
        HookPoint.POST_CLEAN_HOST,
        HookPoint.PRE_UNINSTALL,
        HookPoint.POST_UNINSTALL,
    }
)


class Plugin:
    """Run a bash script on each host, in the directory of the image's files.

    The environment of the host is exported, with `HostIP`. In `Originally` the files are not there yet, and the script
    runs where the login puts it; where a cluster is taken away and the files are gone already, it does not run.
    """

    def steps(self, context: PluginContext, host: PluginHost) -> Steps:
        """Run the script; every line it prints is shown while it runs."""
        yield Run(
            f"run the script of {context.plugin}",
            *_command(context),
            stdin=context.data.encode(),
            env=sorted({**host.env, "HostIP": host.address}.items()),
            timeout=context.timeout or _LONGEST,
            live=True,
        )

    @staticmethod
    def check(data: str) -> Iterator[str]:
        """Say what is wrong with the data."""
        if not data.strip():
            yield "data is empty: there is no script to run"


def _command(context: PluginContext) -> tuple[str, ...]:
    if context.hook is HookPoint.ORIGINALLY:
        return "bash", "-c", _RUN
    return "bash", "-c", _IF_ROOTFS if context.hook in _LEAVING else _IN_ROOTFS, "bash", context.rootfs
