"""What a Clusterfile changes in an image: environment and commands of its apps, what is launched, files.

The image stays as it is; the run works with a copy whose metadata say what the user wants.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sealpy.clusterfile import AppConfig, Application, Cluster, Clusterfile, Config, Processed, Readable, processed
from sealpy.clusterfile.findings import refuse
from sealpy.distributors import Edit, refuse_absent
from sealpy.errors import Place, Problem, did_you_mean, known_words
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import APP_ROOT
from sealpy.image.metadata import Application as ImageApp

__all__ = ["Choice", "check_apps", "check_data", "choice_of", "customized", "edits_of"]

_CONTINUES = ("&&", "||", ";", "|", "\\")  # the command goes on in the next line


@dataclass(frozen=True, slots=True)
class Choice:
    """Say what is launched instead of what the image launches: commands, or else apps; None leaves it to the image."""

    commands: tuple[str, ...] | None = None
    apps: tuple[str, ...] | None = None


def choice_of(clusterfile: Clusterfile) -> Choice:
    """Give the choice of a Clusterfile: as with the ancestor its Cluster is heard over its Application."""
    cluster, application = clusterfile.cluster, _application(clusterfile)
    commands = tuple(_with_args(command, cluster) for command in cluster.cmd or application.cmds)
    return Choice(commands or None, cluster.app_names or application.launch_apps)


def customized(clusterfile: Clusterfile, image: ClusterImage) -> ClusterImage:
    """Give the image with the environment and the commands that the user wants for its apps.

    Raises ClusterfileError for apps that the image does not have, each with its place and the nearest name.
    """
    check_apps(clusterfile, image)
    cluster, application = clusterfile.cluster, _application(clusterfile)
    wanted = {config.name: config for config in application.configs}
    apps = tuple(_app(app, wanted.get(app.name), cluster) for app in image.metadata.applications)
    commands = tuple(_with_args(command, cluster) for command in image.metadata.launch.cmds)
    launch = image.metadata.launch.model_copy(update={"cmds": commands})
    metadata = image.metadata.model_copy(update={"applications": apps, "launch": launch})
    return dataclasses.replace(image, metadata=metadata)


def check_apps(clusterfile: Clusterfile, image: ClusterImage) -> None:
    """Raise one ClusterfileError for all apps that the image does not have, each with place and nearest name."""
    cluster, application = clusterfile.cluster, _application(clusterfile)
    known = [app.name for app in image.metadata.applications]
    launched = cluster.place_of("appNames") if cluster.app_names else application.place_of("launchApps")
    named = [
        *((config.name, f"Application '{application.name}'", config.place) for config in application.configs),
        *((name, "launch", launched) for name in choice_of(clusterfile).apps or () if name.strip()),
        *((config.app_name, f"Config '{config.name}'", config.place) for config in clusterfile.configs),
    ]
    problems = [_no_app(name, known, what, place) for name, what, place in named if name and name not in known]
    refuse(Readable.of(clusterfile).name, problems)


def edits_of(clusterfile: Clusterfile, image: ClusterImage) -> tuple[Edit, ...]:
    """Give what the Configs and the Application of a Clusterfile change in files, in this order.

    Raises ClusterfileError for an app that the image does not have, and for data that cannot be processed.
    """
    check_apps(clusterfile, image)
    configs = tuple(_edit(config) for config in clusterfile.configs)
    return (*configs, *_app_files(_application(clusterfile)))


def check_data(config: Config) -> None:
    """Raise ClusterfileError for data that are not found, or cannot be processed."""
    refuse_absent(_edit(config))


def _edit(config: Config) -> Edit:
    data = Processed() if config.withheld else processed(config)
    return Edit(
        path=_below(config.app_name, config.path),
        data=data.text,
        how="secret" if data.secret else config.strategy,
        name=config.name,
        what=f"Config '{config.name}'",
        absent=config.withheld,
        place=config.data_from.place if config.withheld and config.data_from else config.place,
    )


def _app_files(application: Application) -> Iterator[Edit]:
    for config in application.configs:
        for file in config.files:
            yield Edit(
                path=_below(config.name, file.path),
                data=file.data,
                how=file.strategy,
                name=application.name,
                what=f"Application '{application.name}', app '{config.name}'",
                absent=file.withheld,
                place=application.place,
            )


def _below(app: str, path: str) -> str:
    return f"{APP_ROOT}/{app}/{path}" if app else path


def _application(clusterfile: Clusterfile) -> Application:
    return clusterfile.applications[0] if clusterfile.applications else Application(name="")


def _no_app(name: str, known: Collection[str], what: str, place: Place | None) -> Problem:
    hint = did_you_mean(name, known) or (known_words(known) if known else "the image has no apps")
    return Problem(f"{what}: app '{name}' is not in the image", place, hint)


def _app(app: ImageApp, wanted: AppConfig | None, cluster: Cluster) -> ImageApp:
    env: Mapping[str, str] = wanted.env if wanted else {}
    own = wanted.launch_cmds if wanted else ()
    commands = (_joined(own),) if own else app.cmds
    return app.model_copy(
        update={"env": {**app.env, **env}, "cmds": tuple(_with_args(command, cluster) for command in commands)}
    )


def _joined(commands: tuple[str, ...]) -> str:
    """Run one command after the other, as long as each succeeds; one that goes on in the next is left as it is."""
    text = ""
    for command in map(str.strip, commands):
        text += f" && {command}" if text and not text.endswith(_CONTINUES) else f" {command}"
    return text.strip()


def _with_args(command: str, cluster: Cluster) -> str:
    """Let `$(name)` in a command stand for an argument of the first generation, which the command finds in its env."""
    for name in cluster.cmd_args:
        command = command.replace(f"$({name})", f"${{{name}}}")
    return command
