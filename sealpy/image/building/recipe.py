"""What the instructions of a Kubefile, one after the other, make of the metadata of an image.

A base hands down its labels, env, apps and container images. What it launches is handed down when the Kubefile itself
launches nothing (so an image that only adds a plugin is still a cluster that works); else its network and storage
apps (CNI and CSI) come first and the rest is what the Kubefile says. The ancestor dropped them all, and whoever forgot
the network had nodes that never became ready. CMD keeps what it meant in the first generation, whose images it is
written for: the commands of the base run first. LAUNCH and CMDS take their place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from sealpy.errors import ImageError, Place, Problem, did_you_mean, known_words
from sealpy.image.building.problems import Problems
from sealpy.image.kube_version import CONSTRAINT_LABEL, check_kubernetes
from sealpy.image.metadata import (
    APP_INSTALLER,
    ARGUMENT,
    KUBE_INSTALLER,
    Application,
    ContainerImageUse,
    Launch,
    Metadata,
)

__all__ = ["CNI_LABEL", "CSI_LABEL", "RUNTIME_LABEL", "Recipe"]

CNI_LABEL = "cluster.alpha.sealer.io/kube-cni"  # and "-", and the name of the app
CSI_LABEL = "cluster.alpha.sealer.io/kube-csi"
RUNTIME_LABEL = "cluster.alpha.sealer.io/cluster-runtime-type"
_INSTALLS_KUBERNETES = ("bin/kubeadm", "bin/k0s", "bin/k3s")


class Recipe:
    """Collect metadata, beginning with what a base hands down."""

    def __init__(self, file: Path, base: Metadata | None = None) -> None:
        base = base or Metadata()
        self._file = file
        self._inherited = base
        self.labels = dict(base.labels)
        self.env = dict(base.env)
        self.arguments: dict[str, str] = {}
        self.apps = {app.name: app for app in base.applications}
        self._commands: list[str] = []
        self._constraint_line = 0
        self._launched: tuple[str, ...] = ()
        self._checks: list[tuple[str, int]] = []  # app, line: looked up when all apps are known
        self._app_commands: dict[str, tuple[str, ...]] = {}
        self._app_env: dict[str, dict[str, str]] = {}

    def add_app(self, app: Application) -> None:
        """Register an app; one of the base with the same name is replaced."""
        self.apps[app.name] = app

    def set_app_commands(self, app: str, commands: Iterable[str], *, line: int) -> None:
        """Say how an app is launched, instead of the default of its kind."""
        self._checks.append((app, line))
        self._app_commands[app] = tuple(commands)

    def set_app_env(self, app: str, values: Mapping[str, str], *, line: int) -> None:
        """Set variables for the templates of one app."""
        self._checks.append((app, line))
        self._app_env.setdefault(app, {}).update(values)

    def launch(self, apps: Iterable[str], *, line: int) -> None:
        """Say which apps start, in order."""
        self._launched = tuple(apps)
        self._checks += [(app, line) for app in self._launched]

    def launch_commands(self, commands: Iterable[str]) -> None:
        """Say which commands are launched instead of apps."""
        self._commands += commands

    def continue_commands(self, commands: Iterable[str]) -> None:
        """Add commands to those of the base."""
        if not self._commands:
            self._commands += self._inherited.launch.cmds
        self._commands += commands

    def constrain(self, constraint: str, *, line: int) -> None:
        """Say for which versions of Kubernetes the image is."""
        self.labels[CONSTRAINT_LABEL] = constraint
        self._constraint_line = line

    @property
    def mentioned(self) -> frozenset[str]:
        """Name the apps that instructions mention, whether they are there or not."""
        return frozenset(app for app, _ in self._checks)

    def take_for_granted(self, apps: Iterable[str]) -> None:
        """Have apps that could not be looked at, so that nothing is said against them."""
        for app in apps:
            self.apps.setdefault(app, Application(name=app, cmds=("not known",)))

    def problems(self) -> list[Problem]:
        """List every app that is mentioned and is not there, or cannot be launched; and a base of a wrong version."""
        return [*self._app_problems(), *self._version_problems()]

    def metadata(self, *, type_: str, files: Collection[str], uses: Iterable[ContainerImageUse]) -> Metadata:
        """Put it all together; raises KubefileError with all `problems`."""
        told = Problems(self._file, self.problems())
        told.refuse()
        apps = tuple(self._complete(app) for app in self.apps.values())
        images = {use.image: use for use in (*self._inherited.container_images, *uses)}
        return Metadata(
            type=type_ or self._type(files),
            applications=apps,
            labels=self.labels,
            env=self.env,
            launch=self._launch(),
            container_images=tuple(images[name] for name in sorted(images)),
        )

    def _launch(self) -> Launch:
        before = self._inherited.launch
        if not self._launched and not self._commands:
            return before
        needed = [app for app in before.app_names if _is_infrastructure(app, self.labels)]
        names = [app for app in needed if app not in self._launched] + [*self._launched]
        return Launch(cmds=tuple(self._commands), app_names=tuple(names), args=self._launch_arguments())

    def _launch_arguments(self) -> dict[str, str]:
        """Give the defaults of the arguments that commands ask for by `$(name)`; variables are asked for likewise."""
        known = {**self._inherited.launch.args, **self.arguments}
        asked = {match["name"] for command in self._commands for match in ARGUMENT.finditer(command)}
        return {name: known[name] for name in sorted(asked & known.keys() - self.env.keys())}

    def _complete(self, app: Application) -> Application:
        env = {**app.env, **self._app_env.get(app.name, {})}
        return app.model_copy(update={"env": env, "cmds": self._app_commands.get(app.name, app.cmds)})

    def _type(self, files: Collection[str]) -> str:
        """Tell a cluster image from an application image: it has what installs Kubernetes, or says that it has."""
        installs = RUNTIME_LABEL in self.labels or any(path in files for path in _INSTALLS_KUBERNETES)
        return KUBE_INSTALLER if installs else APP_INSTALLER

    def _app_problems(self) -> list[Problem]:
        launched = {app for app in self._launched if app in self.apps and not self._complete(self.apps[app]).command}
        absent = [
            Problem(f"app {app!r}: there is none", Place(self._file, line), self._nearest(app))
            for app, line in self._checks
            if app not in self.apps
        ]
        return absent + [
            Problem(
                f"app {app!r}: its files do not tell how to launch it",
                Place(self._file, line),
                f'add: APPCMDS {app} ["your command"]',
            )
            for app, line in self._checks
            if app in launched
        ]

    def _version_problems(self) -> list[Problem]:
        try:
            check_kubernetes("KUBEVERSION", self.labels)
        except ImageError as error:
            if self._constraint_line:  # else it is how the base was made
                return [Problem(error.message, Place(self._file, self._constraint_line), error.hint)]
        return []

    def _nearest(self, app: str) -> str:
        return did_you_mean(app, self.apps) or known_words(self.apps) or "write APP NAME local://PATH before"


def _is_infrastructure(app: str, labels: Mapping[str, str]) -> bool:
    return any(f"{prefix}-{app}" in labels for prefix in (CNI_LABEL, CSI_LABEL))
