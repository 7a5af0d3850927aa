"""Documents of the right shape → what they mean: inheritance, the first generation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sealpy.clusterfile.cluster_shape import ExternalRegistryModel, HostModel
from sealpy.clusterfile.document import Document, Part
from sealpy.clusterfile.findings import Findings
from sealpy.clusterfile.kubeadm import read_fields
from sealpy.clusterfile.models import (
    AppFileModel,
    ApplicationDocument,
    ClusterDocument,
    ClusterSpec,
    ConfigDocument,
    LoginModel,
    PasswordFromModel,
    PluginDocument,
    SshModel,
)
from sealpy.clusterfile.notices import notice_env, notice_passwords, notice_programs, notice_registry, unusual
from sealpy.clusterfile.sketch import JOINING
from sealpy.clusterfile.types import (
    WITHHELD,
    AppConfig,
    AppFile,
    Application,
    Cluster,
    Config,
    ExternalRegistry,
    HostAlias,
    HostEntry,
    Jump,
    KubeadmDocument,
    KubeadmKind,
    LocalRegistry,
    PasswordFrom,
    Plugin,
    Registry,
    Retry,
    Ssh,
)
from sealpy.errors import Place

__all__ = ["build_application", "build_cluster", "build_config", "build_kubeadm", "build_plugin"]

_WORDS = ("appNames", "containerRuntime", "hosts", "image", "nodes", "registry")


def build_cluster(document: Document, model: ClusterDocument, findings: Findings) -> Cluster:
    """Make the Cluster of a document of either generation."""
    spec = model.spec
    ssh = _ssh(document.part(("spec", "ssh")), spec.ssh, over=Ssh())
    written = document.part(("spec", "hosts"))
    hosts = (
        *(_host(written.at(number), host, ssh) for number, host in enumerate(spec.hosts)),
        *_first_generation(spec, ssh),
    )
    _notice_hosts(document, spec, findings)
    env = _network_env(spec) | _env(spec.env)
    notice_env(document, ("spec", "env"), env, findings)
    notice_passwords(document, spec, findings)
    notice_registry(document, spec, findings)
    notice_programs(document, ((("spec", "cmd", number), text) for number, text in enumerate(spec.cmd)), findings)
    return Cluster(
        name=model.metadata.name,
        image=spec.image,
        env=env,
        env_from=_names(spec.env),
        env_places=_env_places(document.part(("spec", "env")), spec.env),
        ssh=ssh,
        hosts=hosts,
        registry=_registry(document.part(("spec", "registry")), spec),
        data_root=spec.data_root,
        cmd=tuple(spec.cmd),
        cmd_args=_env(spec.cmd_args),
        app_names=tuple(spec.app_names),
        host_aliases=tuple(HostAlias(alias.ip, tuple(alias.hostnames)) for alias in spec.host_aliases),
        container_runtime=spec.container_runtime.type,
        place=document.place(),
        words={word: place for word in _WORDS if (place := document.places.get(("spec", word)))},
    )


def build_plugin(document: Document, model: PluginDocument, findings: Findings) -> Plugin:
    """Make a Plugin; what is unusual but understood becomes a notice."""
    spec = model.spec
    own = Findings()
    for location, message, hint in unusual(document, model):
        own.notice(document, location, message, hint=hint)
    notice_programs(document, [(("spec", "data"), spec.data)], own)
    findings.notices += own.notices
    return Plugin(
        name=model.metadata.name,
        type=spec.type,
        actions=spec.action,
        on=spec.on.strip(),
        scope=spec.scope.strip(),
        data=spec.data,
        order=spec.order,
        timeout=spec.timeout,
        retry=Retry(spec.retry.attempts, spec.retry.backoff),
        failure_policy=spec.failure_policy,
        parallel=spec.parallel,
        place=document.place(),
        words={word: document.place(("spec", word)) for word in ("type", "action", "on", "scope", "data", "parallel")},
        notices=tuple(own.notices),
    )


def build_config(document: Document, model: ConfigDocument) -> Config:
    """Make a Config."""
    spec = model.spec
    return Config(
        name=model.metadata.name,
        path=spec.path,
        data=spec.data,
        data_from=_source(document.part(("spec", "dataFrom")), spec.data_from),
        withheld=WITHHELD if spec.withheld else "",
        app_name=spec.app_name,
        strategy=spec.strategy,
        process=spec.process,
        place=document.place(),
    )


def build_application(document: Document, model: ApplicationDocument) -> Application:
    """Make an Application; `launchApps: [""]` launches nothing."""
    spec = model.spec
    launch = None if spec.launch_apps is None else tuple(app for app in spec.launch_apps if app)
    written = document.part(("spec", "configs"))
    configs = tuple(
        AppConfig(
            name=config.name,
            env=_env(config.env),
            env_from=_names(config.env),
            env_places=_env_places(written.at(at, "env"), config.env),
            files=tuple(_app_file(written.at(at, "files", n), file) for n, file in enumerate(config.files)),
            launch_cmds=tuple(config.launch.cmds),
            place=written.at(at, "name").place,
        )
        for at, config in enumerate(spec.configs)
    )
    return Application(
        name=model.metadata.name,
        cmds=tuple(spec.cmds),
        launch_apps=launch,
        configs=configs,
        place=document.place(),
        words={"launchApps": document.place(("spec", "launchApps"))},
    )


def _app_file(written: Part, file: AppFileModel) -> AppFile:
    return AppFile(
        path=file.path,
        strategy=file.strategy,
        data=file.data,
        data_from=_source(written.at("dataFrom"), file.data_from),
        withheld=WITHHELD if file.withheld else "",
    )


def build_kubeadm(document: Document, kind: KubeadmKind, findings: Findings) -> KubeadmDocument:
    """Make a document for kubeadm."""
    fields = read_fields(document, kind, findings)
    return KubeadmDocument(kind=kind, api_version=document.text_of("apiVersion"), body=fields, place=document.place())


# ---- parts of a cluster


def _env(items: Iterable[str]) -> dict[str, str]:
    """Make a mapping of `NAME=value`; of a name that stands twice the last one counts."""
    return {name: item.partition("=")[2] for name, item in _by_name(items).items() if "=" in item}


def _names(items: Iterable[str]) -> tuple[str, ...]:
    """Give the names that stand alone."""
    return tuple(name for name, item in _by_name(items).items() if "=" not in item)


def _env_places(written: Part, items: Iterable[str]) -> dict[str, Place]:
    """Say where the names that stand alone do."""
    return {item: written.at(number).place for number, item in enumerate(items) if "=" not in item}


def _by_name(items: Iterable[str]) -> dict[str, str]:
    return {item.partition("=")[0].strip(): item for item in items}


def _network_env(spec: ClusterSpec) -> dict[str, str]:
    """Say in the words of the second generation what the first one has fields for."""
    found = {
        "PodCIDR": spec.network.pod_cidr,
        "SvcCIDR": spec.network.svc_cidr,
        "CertSANs": ",".join(spec.cert_sans),
    }
    return {name: text for name, text in found.items() if text}


def _host(written: Part, host: HostModel, cluster: Ssh) -> HostEntry:
    return HostEntry(
        ips=tuple(ip for ips in host.ips for ip in ips),
        roles=tuple(dict.fromkeys(host.roles)),
        ssh=_ssh(written.at("ssh"), host.ssh, over=cluster),
        env=_env(host.env),
        env_from=_names(host.env),
        env_places=_env_places(written.at("env"), host.env),
        labels={name: text or "" for name, text in host.labels.items()},
        taints=tuple(host.taints),
    )


def _ssh(written: Part, model: SshModel, *, over: Ssh) -> Ssh:
    """Put what is written over what is inherited; a password and its reference replace each other."""
    sudo_source = _source(written.at("sudoPasswdFrom"), model.sudo_passwd_from)
    sudo, sudo_from = _secret(model.sudo_passwd, sudo_source, over.sudo_password, over.sudo_password_from)
    hops = tuple(
        Jump(host=hop.host, ssh=_login(written.at("jump", number), hop, over=Ssh()))
        for number, hop in enumerate(model.jump)
    )
    return replace(
        _login(written, model, over=over),
        sudo_password=sudo,
        sudo_password_from=sudo_from,
        jump=hops if "jump" in model.model_fields_set else over.jump,
    )


def _login(written: Part, model: LoginModel, *, over: Ssh) -> Ssh:
    source = _source(written.at("passwordFrom"), model.password_from)
    key_source = _source(written.at("pkPasswdFrom"), model.pk_passwd_from)
    password, password_from = _secret(model.passwd, source, over.password, over.password_from)
    key_password, key_password_from = _secret(
        model.pk_passwd, key_source, over.private_key_password, over.private_key_password_from
    )
    return Ssh(
        user=model.user or over.user,
        port=model.port or over.port,
        password=password,
        password_from=password_from,
        private_key=model.pk or over.private_key,
        key_place=written.at("pk").place if model.pk else over.key_place,
        private_key_password=key_password,
        private_key_password_from=key_password_from,
        host_key_policy=model.host_key_policy or over.host_key_policy,
        host_keys=tuple(model.host_keys) or over.host_keys,
    )


def _secret(
    text: str, source: PasswordFrom | None, inherited: str, inherited_from: PasswordFrom | None
) -> tuple[str, PasswordFrom | None]:
    return (text, source) if text or source else (inherited, inherited_from)


def _source(written: Part, model: PasswordFromModel | None) -> PasswordFrom | None:
    if model is None:
        return None
    if model.env:
        return PasswordFrom("env", model.env, written.place)
    if model.file:
        return PasswordFrom("file", model.file, written.place)
    return PasswordFrom("command", model.command, written.place)


def _registry(written: Part, spec: ClusterSpec) -> Registry:
    local = spec.registry.local_registry
    return Registry(
        local=LocalRegistry(
            domain=local.domain,
            port=local.port,
            username=local.username,
            password=local.password,
            password_from=_source(written.at("localRegistry", "passwordFrom"), local.password_from),
            ha=local.ha,
            insecure=local.insecure,
            cert_dns_names=tuple(local.cert.subject_alt_name.dns_names),
            cert_ips=tuple(local.cert.subject_alt_name.ips),
        ),
        external=_external_registry(written.at("externalRegistry"), spec.registry.external_registry),
        runs=spec.registry.external_registry is None or "local_registry" in spec.registry.model_fields_set,
    )


def _external_registry(written: Part, model: ExternalRegistryModel | None) -> ExternalRegistry | None:
    if model is None:
        return None
    return ExternalRegistry(
        domain=model.domain,
        port=model.port,
        username=model.username,
        password=model.password,
        password_from=_source(written.at("passwordFrom"), model.password_from),
    )


# ---- the first generation


def _first_generation(spec: ClusterSpec, ssh: Ssh) -> Iterator[HostEntry]:
    for role, machines in (("master", spec.masters), ("node", spec.nodes)):
        if machines.ip_list:
            yield HostEntry(ips=tuple(ip for ips in machines.ip_list for ip in ips), roles=(role,), ssh=ssh)


def _notice_hosts(document: Document, spec: ClusterSpec, findings: Findings) -> None:
    for index, host in enumerate(spec.hosts):
        if not JOINING.intersection(host.roles):
            hint = "add `roles: [master]` or `roles: [node]`"
            findings.notice(
                document, ("spec", "hosts", index), "these hosts get the files, but join no cluster", hint=hint
            )
        notice_env(document, ("spec", "hosts", index, "env"), _env(host.env), findings)
