"""A Clusterfile → its text, without secrets: what is kept as the state of a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import yaml

from sealpy.clusterfile.document import core_scalar
from sealpy.clusterfile.secrets import without_secrets
from sealpy.clusterfile.types import (
    AppConfig,
    AppFile,
    Application,
    Cluster,
    Clusterfile,
    Config,
    ExternalRegistry,
    HostEntry,
    Jump,
    KubeadmDocument,
    LocalRegistry,
    PasswordFrom,
    Plugin,
    Registry,
    Retry,
    Ssh,
)

__all__ = ["dumps", "ssh_fields"]

Fields = dict[str, Any]

_CLUSTER_VERSION = "sealer.io/v2"
_VERSION = "sealer.io/v1"


def dumps(clusterfile: Clusterfile) -> str:
    """Write a Clusterfile as YAML; equal ones give equal bytes, and `loads` gives back `without_secrets(clusterfile)`.

    What `secrets` takes for a secret is left out; its name, or the reference to it, is kept.
    """
    documents = list(_documents(without_secrets(clusterfile)))
    return yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=4096
    )


def _documents(clusterfile: Clusterfile) -> Iterator[Fields]:
    yield _document("Cluster", clusterfile.cluster.name, _cluster(clusterfile.cluster), _CLUSTER_VERSION)
    for config in clusterfile.configs:
        yield _document("Config", config.name, _config(config))
    for plugin in clusterfile.plugins:
        yield _document("Plugin", plugin.name, _plugin(plugin))
    for application in clusterfile.applications:
        yield _document("Application", application.name, _application(application), _CLUSTER_VERSION)
    yield from (_kubeadm(document) for document in clusterfile.kubeadm)


def _document(kind: str, name: str, spec: Fields, version: str = _VERSION) -> Fields:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _given(**values: object) -> Fields:
    """Leave out what is empty; a trailing underscore keeps a name from being a word of Python."""
    return {name.rstrip("_"): value for name, value in values.items() if value not in ("", None, [], {}, 0)}


def _cluster(cluster: Cluster) -> Fields:
    return _given(
        image=cluster.image,
        env=_env(cluster.env, cluster.env_from),
        cmd=list(cluster.cmd),
        cmd_args=_env(cluster.cmd_args),
        appNames=list(cluster.app_names),
        dataRoot=cluster.data_root,
        containerRuntime=_given(type=cluster.container_runtime),
        ssh=ssh_fields(cluster.ssh, Ssh()),
        registry=_registry(cluster.registry),
        hostAliases=[{"ip": alias.ip, "hostnames": list(alias.hostnames)} for alias in cluster.host_aliases],
        hosts=[_host(entry, cluster.ssh) for entry in cluster.hosts],
    )


def _host(entry: HostEntry, cluster: Ssh) -> Fields:
    return _given(
        ips=list(entry.ips),
        roles=list(entry.roles),
        ssh=ssh_fields(entry.ssh, cluster),
        env=_env(entry.env, entry.env_from),
        labels=dict(entry.labels),
        taints=list(entry.taints),
    )


_SSH_NAMES = {
    "user": "user",
    "port": "port",
    "private_key": "pk",
    "host_key_policy": "hostKeyPolicy",
    "host_keys": "hostKeys",
    "jump": "jump",
    "password_from": "passwordFrom",
    "private_key_password_from": "pkPasswdFrom",
    "sudo_password_from": "sudoPasswdFrom",
}


def ssh_fields(ssh: Ssh, over: Ssh) -> Fields:
    """Write what differs from the login that is inherited."""
    names = [field.name for field in fields(Ssh) if field.compare]  # the others say where it stood
    changed = [name for name in names if getattr(ssh, name) != getattr(over, name)]
    return {_SSH_NAMES[name]: _plain(getattr(ssh, name)) for name in changed}


def _plain(value: object) -> object:
    match value:
        case PasswordFrom():
            return {value.kind: value.value}
        case Jump():
            return {"host": value.host, **ssh_fields(value.ssh, Ssh())}
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _registry(registry: Registry) -> Fields:
    said = registry.local != LocalRegistry() or (registry.external and registry.runs)
    local = _local_registry(registry.local) if said else {}
    return _given(localRegistry=local, externalRegistry=registry.external and _external_registry(registry.external))


def _local_registry(local: LocalRegistry) -> Fields:
    names = _given(dnsNames=list(local.cert_dns_names), ips=list(local.cert_ips))
    return {
        "domain": local.domain,
        "port": local.port,
        "ha": local.ha,
        "insecure": local.insecure,
        **_given(
            username=local.username,
            passwordFrom=_plain(local.password_from),
            cert={"subjectAltName": names} if names else {},
        ),
    }


def _external_registry(external: ExternalRegistry) -> Fields:
    return _given(
        domain=external.domain,
        port=external.port,
        username=external.username,
        passwordFrom=_plain(external.password_from),
    )


def _plugin(plugin: Plugin) -> Fields:
    return _given(
        type=plugin.type,
        action="|".join(plugin.actions),
        on=plugin.on,
        scope=plugin.scope,
        order=plugin.order,
        timeout=plugin.timeout,
        retry={} if plugin.retry == Retry() else {"attempts": plugin.retry.attempts, "backoff": plugin.retry.backoff},
        failurePolicy="" if plugin.failure_policy == "Fail" else plugin.failure_policy,
        parallel=plugin.parallel,
        data=plugin.data,
    )


def _config(config: Config) -> Fields:
    given = _given(
        path=config.path, appName=config.app_name, strategy=config.strategy, process="|".join(config.process)
    )
    return {**given, **_data(config)}


def _data(holder: Config | AppFile) -> Fields:
    if holder.withheld:
        return {"withheld": True}
    return {"dataFrom": _plain(holder.data_from)} if holder.data_from else {"data": holder.data}


def _application(application: Application) -> Fields:
    launch = None if application.launch_apps is None else list(application.launch_apps) or [""]
    return _given(
        cmds=list(application.cmds),
        launchApps=launch,
        configs=[_app_config(config) for config in application.configs],
    )


def _app_config(config: AppConfig) -> Fields:
    return _given(
        name=config.name,
        env=_env(config.env, config.env_from),
        files=[{"path": file.path, "strategy": file.strategy, **_data(file)} for file in config.files],
        launch=_given(cmds=list(config.launch_cmds)),
    )


def _kubeadm(document: KubeadmDocument) -> Fields:
    return {**_given(apiVersion=document.api_version), "kind": document.kind, **document.body}


def _env(env: Mapping[str, str], names: tuple[str, ...] = ()) -> list[str]:
    return [*(f"{name}={text}" for name, text in env.items()), *names]


class _Dumper(yaml.SafeDumper):
    """Write texts so that readers of every version of YAML take them for texts, and repeat what stands twice."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


_OTHER_LINE_ENDS = re.compile("[\r\x85\u2028\u2029]")  # readers turn them into blanks unless they are escaped


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = None
    if _OTHER_LINE_ENDS.search(value):
        style = '"'
    elif "\n" in value:
        style = "|"
    elif not isinstance(core_scalar(value), str):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
