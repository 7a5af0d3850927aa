"""The fields of documents for kubeadm, v1beta2 to v1beta4: which there are, and what their texts mean.

What differs between the versions (arguments as a mapping or as a list) is brought together by the runtime. The fields
of kubelet and kube-proxy are many and change with Kubernetes, so they are read by the core schema and left to those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from sealpy.clusterfile.document import Document, Location, Tree, core_scalar, plain_mapping
from sealpy.clusterfile.findings import Findings, as_list
from sealpy.clusterfile.types import KubeadmKind
from sealpy.errors import did_you_mean, known_words

__all__ = ["KUBEADM_KINDS", "check_version", "read_fields", "shape_of", "versions_of"]

_ANY = "anything"  # read by the core schema
_ARGUMENTS = "arguments"  # a mapping up to v1beta3, a list of name and value from v1beta4: all of it text
Shape = Any  # str, int, bool, one of the words above, [Shape], or a mapping of fields; the field "*" stands for any

_NODE: Shape = {
    "name": str,
    "criSocket": str,
    "taints": [{"key": str, "value": str, "effect": str}],
    "kubeletExtraArgs": _ARGUMENTS,
    "ignorePreflightErrors": [str],
    "imagePullPolicy": str,
    "imagePullSerial": bool,
}
_ENDPOINT: Shape = {"advertiseAddress": str, "bindPort": int}
_TIMEOUTS: Shape = dict.fromkeys(
    (
        "controlPlaneComponentHealthCheck",
        "kubeletHealthCheck",
        "kubernetesAPICall",
        "etcdAPICall",
        "tlsBootstrap",
        "discovery",
        "upgradeManifests",
    ),
    str,
)
_COMPONENT: Shape = {
    "extraArgs": _ARGUMENTS,
    "extraVolumes": [{"name": str, "hostPath": str, "mountPath": str, "readOnly": bool, "pathType": str}],
    "extraEnvs": _ANY,
}
_TOKEN: Shape = {
    "token": str,
    "description": str,
    "ttl": str,
    "expires": str,
    "usages": [str],
    "groups": [str],
}
_PATCHES: Shape = {"directory": str}
_FIELDS: Mapping[str, Shape] = {
    "InitConfiguration": {
        "bootstrapTokens": [_TOKEN],
        "dryRun": bool,
        "nodeRegistration": _NODE,
        "localAPIEndpoint": _ENDPOINT,
        "certificateKey": str,
        "skipPhases": [str],
        "patches": _PATCHES,
        "timeouts": _TIMEOUTS,
    },
    "JoinConfiguration": {
        "dryRun": bool,
        "nodeRegistration": _NODE,
        "caCertPath": str,
        "discovery": {
            "bootstrapToken": {
                "token": str,
                "apiServerEndpoint": str,
                "caCertHashes": [str],
                "unsafeSkipCAVerification": bool,
            },
            "file": {"kubeConfigPath": str},
            "tlsBootstrapToken": str,
            "timeout": str,
        },
        "controlPlane": {"localAPIEndpoint": _ENDPOINT, "certificateKey": str},
        "skipPhases": [str],
        "patches": _PATCHES,
        "timeouts": _TIMEOUTS,
    },
    "ClusterConfiguration": {
        "etcd": {
            "local": {
                "imageRepository": str,
                "imageTag": str,
                "dataDir": str,
                "extraArgs": _ARGUMENTS,
                "extraEnvs": _ANY,
                "serverCertSANs": [str],
                "peerCertSANs": [str],
            },
            "external": {
                "endpoints": [str],
                "httpEndpoints": [str],
                "caFile": str,
                "certFile": str,
                "keyFile": str,
            },
        },
        "networking": {"serviceSubnet": str, "podSubnet": str, "dnsDomain": str},
        "kubernetesVersion": str,
        "controlPlaneEndpoint": str,
        "apiServer": {**_COMPONENT, "certSANs": [str], "timeoutForControlPlane": str},
        "controllerManager": _COMPONENT,
        "scheduler": _COMPONENT,
        "dns": {"imageRepository": str, "imageTag": str, "disabled": bool, "type": str},
        "proxy": {"disabled": bool},
        "certificatesDir": str,
        "imageRepository": str,
        "featureGates": {"*": bool},
        "clusterName": str,
        "encryptionAlgorithm": str,
        "certificateValidityPeriod": str,
        "caCertificateValidityPeriod": str,
        "useHyperKubeImage": bool,
    },
}
_VERSIONS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_FIELDS, tuple(f"kubeadm.k8s.io/{version}" for version in ("v1beta2", "v1beta3", "v1beta4"))),
    "KubeletConfiguration": ("kubelet.config.k8s.io/v1beta1",),
    "KubeProxyConfiguration": ("kubeproxy.config.k8s.io/v1alpha1",),
}
KUBEADM_KINDS: Mapping[str, KubeadmKind] = {kind: kind for kind in get_args(KubeadmKind)}
_ENDPOINT_NAME = "apiserver.cluster.local:6443"
_TOKENS = "leave it out: sealpy makes tokens that live two hours, and keeps none"
_OWN_PORT = "leave it out: the API server listens on 6443"
_OWN_NAME = "leave it out: machines are named by the plugin HOSTNAME, or by their address with env UseIPasNodeName=true"
# What sealpy sets itself, the one value that may stand there all the same, and what to do instead.
_SET_BY_US: tuple[tuple[str, Location, object, str], ...] = (
    ("InitConfiguration", ("bootstrapTokens",), None, _TOKENS),
    ("InitConfiguration", ("certificateKey",), None, _TOKENS),
    ("InitConfiguration", ("dryRun",), False, "use `sealpy plan`"),
    ("InitConfiguration", ("nodeRegistration", "name"), None, _OWN_NAME),
    ("InitConfiguration", ("localAPIEndpoint", "bindPort"), 6443, _OWN_PORT),
    ("JoinConfiguration", ("discovery", "bootstrapToken"), None, _TOKENS),
    ("JoinConfiguration", ("discovery", "file"), None, _TOKENS),
    ("JoinConfiguration", ("discovery", "tlsBootstrapToken"), None, _TOKENS),
    ("JoinConfiguration", ("dryRun",), False, "use `sealpy plan`"),
    ("JoinConfiguration", ("nodeRegistration", "name"), None, _OWN_NAME),
    ("JoinConfiguration", ("controlPlane", "certificateKey"), None, _TOKENS),
    ("JoinConfiguration", ("controlPlane", "localAPIEndpoint", "bindPort"), 6443, _OWN_PORT),
    (
        "ClusterConfiguration",
        ("controlPlaneEndpoint",),
        _ENDPOINT_NAME,
        "leave it out; a further name of the API server is written to apiServer.certSANs",
    ),
)
_OWN_ADDRESS = "each control plane is advertised by its own address"
_OWN_SOCKET = "the socket is that of the image's container engine"
# What the ancestor sets in silence, whatever is written.
_NOT_HEEDED: tuple[tuple[str, Location, str], ...] = (
    ("InitConfiguration", ("localAPIEndpoint", "advertiseAddress"), _OWN_ADDRESS),
    ("InitConfiguration", ("nodeRegistration", "criSocket"), _OWN_SOCKET),
    ("JoinConfiguration", ("controlPlane", "localAPIEndpoint", "advertiseAddress"), _OWN_ADDRESS),
    ("JoinConfiguration", ("nodeRegistration", "criSocket"), _OWN_SOCKET),
)
_WORDS = {bool: re.compile("true|True|TRUE|false|False|FALSE"), int: re.compile(r"[-+]?\d+")}


def shape_of(kind: str) -> Mapping[str, Shape]:
    """Give the fields of a kind, none for one whose fields are not looked at; see `Shape`."""
    found: Mapping[str, Shape] = _FIELDS.get(kind, {})
    return found


def versions_of() -> Mapping[str, tuple[str, ...]]:
    """Give the versions that each kind may be written in."""
    return _VERSIONS


def check_version(document: Document, kind: KubeadmKind, findings: Findings) -> bool:
    """Tell whether a document for kubeadm is of a version that is read here; none written is one."""
    written, known = document.text_of("apiVersion"), _VERSIONS[kind]
    if not written or written in known:
        return True
    hint = did_you_mean(written, known) or f"write {known[-1]}"
    findings.problem(document, ("apiVersion",), f"'{written}' is no version of {kind} that is read here", hint=hint)
    return False


def read_fields(document: Document, kind: KubeadmKind, findings: Findings) -> dict[str, Any]:
    """Give the fields of a document for kubeadm as plain data, without `kind` and `apiVersion`."""
    if kind not in _FIELDS:
        body = plain_mapping(document.node)
        return {key: value for key, value in body.items() if key not in {"apiVersion", "kind"}}
    tree = {key: value for key, value in document.tree.items() if key not in {"apiVersion", "kind"}}
    found = _Fields(document, findings).read(tree, _FIELDS[kind], ())
    _check_what_is_ours(document, kind, found, findings)
    return dict(found)


def _check_what_is_ours(document: Document, kind: KubeadmKind, found: Mapping[str, Any], findings: Findings) -> None:
    """Refuse what could not be heeded: sealpy sets it itself."""
    for of, location, allowed, hint in _SET_BY_US:
        value = _at(found, location) if of == kind else None
        if value is not None and value != allowed:
            findings.problem(document, location, "this is set by sealpy", hint=hint)
    for of, location, message in _NOT_HEEDED:
        if of == kind and _at(found, location) is not None:
            findings.notice(document, location, message, hint="leave it out: this is not heeded")


def _at(found: Any, location: Location) -> Any:
    for key in location:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


class _Fields:
    def __init__(self, document: Document, findings: Findings) -> None:
        self._document = document
        self._findings = findings

    def read(self, tree: Tree, shape: Shape, at: Location) -> Any:
        """Give what is written in its shape; what does not fit is told, and left out."""
        if tree is None:
            return None
        if isinstance(shape, Mapping):
            return self._mapping(tree, shape, at)
        if isinstance(shape, list):
            return self._list(tree, shape[0], at)
        if shape == _ARGUMENTS:
            return self._arguments(tree, at)
        return _core(tree) if shape == _ANY else self._scalar(tree, shape, at)

    def _mapping(self, tree: Tree, fields: Mapping[str, Shape], at: Location) -> Any:
        if not isinstance(tree, dict):
            return self._unfit(at, "a mapping", "write `key: value` below it")
        result = {}
        for key, value in tree.items():
            shape = fields.get(key, fields.get("*"))
            if shape is None:
                hint = did_you_mean(key, fields) or known_words(fields)
                self._findings.problem(self._document, (*at, key), "this field is unknown", hint=hint)
            elif value is not None:
                result[key] = self.read(value, shape, (*at, key))
        return result

    def _list(self, tree: Tree, item: Shape, at: Location) -> Any:
        if not isinstance(tree, list):
            return self._unfit(at, "a list", as_list(at, tree))
        return [self.read(value, item, (*at, index)) for index, value in enumerate(tree)]

    def _arguments(self, tree: Tree, at: Location) -> Any:
        if isinstance(tree, list):
            return self._list(tree, {"name": str, "value": str}, at)
        return self._mapping(tree, {"*": str}, at)

    def _scalar(self, tree: Tree, kind: type, at: Location) -> Any:
        if not isinstance(tree, str):
            return self._unfit(at, "text" if kind is str else "a single value", "")
        if kind is str:
            return tree
        if not _WORDS[kind].fullmatch(tree):
            wanted, hint = ("true or false", "") if kind is bool else ("a whole number", "write digits only")
            return self._unfit(at, wanted, hint)
        return tree.lower() == "true" if kind is bool else int(tree)

    def _unfit(self, at: Location, wanted: str, hint: str) -> None:
        self._findings.problem(self._document, at, f"{wanted} is needed", hint=hint)


def _core(tree: Tree) -> Any:
    match tree:
        case dict():
            return {key: _core(value) for key, value in tree.items()}
        case list():
            return [_core(value) for value in tree]
        case str():
            return core_scalar(tree)
        case None:
            return None
