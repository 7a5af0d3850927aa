from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest
import yaml

from sealpy.errors import ConfigError
from sealpy.runtimes import ClusterPlan, JoinTicket
from sealpy.runtimes.kubeadm_config import DISCOVERY, discovery, documents_by_kind, init_config, join_config

TICKET = JoinTicket(token="abcdef.0123456789abcdef", authority="a certificate\n", certificate_key="11")
PLAN = ClusterPlan(
    name="shop",
    rootfs="/var/lib/sealpy/data/shop/rootfs",
    leader="10.0.0.1",
    masters=("10.0.0.1", "10.0.0.2"),
    registry_url="sea.hub:5000",
    env={"10.0.0.1": {}, "10.0.0.2": {}, "10.0.0.3": {}},
)


def by_kind(text: str) -> dict[str, Any]:
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def test_init_names_the_leader_the_endpoint_and_the_registry() -> None:
    documents = by_kind(init_config(PLAN, ticket=TICKET))
    assert documents["InitConfiguration"]["localAPIEndpoint"] == {"advertiseAddress": "10.0.0.1"}
    assert documents["ClusterConfiguration"]["controlPlaneEndpoint"] == "apiserver.cluster.local:6443"
    assert documents["ClusterConfiguration"]["imageRepository"] == "sea.hub:5000"
    assert documents["InitConfiguration"]["bootstrapTokens"][0]["token"] == TICKET.token


def test_no_name_of_the_user_is_lost_from_the_certificate() -> None:
    plan = dataclasses.replace(
        PLAN,
        documents={"ClusterConfiguration": {"apiServer": {"certSANs": ["from.image"]}}},
        cert_sans=("from.clusterfile",),
        env={"10.0.0.1": {"CertSANs": "a.env, b.env"}},
    )
    sans = by_kind(init_config(plan, ticket=TICKET))["ClusterConfiguration"]["apiServer"]["certSANs"]
    assert sans == [
        "from.image",
        "from.clusterfile",
        "a.env",
        "b.env",
        "127.0.0.1",
        "localhost",
        "apiserver.cluster.local",
        "10.0.0.1",
        "10.0.0.2",
    ]


def test_the_users_document_lies_over_the_images_key_by_key() -> None:
    plan = dataclasses.replace(
        PLAN,
        documents={"ClusterConfiguration": {"networking": {"podSubnet": "10.1.0.0/16", "dnsDomain": "a.local"}}},
        overrides={"ClusterConfiguration": {"networking": {"podSubnet": "10.2.0.0/16"}}},
    )
    networking = by_kind(init_config(plan, ticket=TICKET))["ClusterConfiguration"]["networking"]
    assert networking == {"podSubnet": "10.2.0.0/16", "dnsDomain": "a.local"}


@pytest.mark.parametrize(
    ("version", "arguments"),
    [
        ("kubeadm.k8s.io/v1beta4", [{"name": "node-ip", "value": "10.0.0.1"}]),
        ("kubeadm.k8s.io/v1beta3", {"node-ip": "10.0.0.1"}),
    ],
)
def test_arguments_have_the_form_of_the_api_version_that_the_image_speaks(version: str, arguments: object) -> None:
    plan = dataclasses.replace(PLAN, documents={"ClusterConfiguration": {"apiVersion": version}})
    documents = by_kind(init_config(plan, ticket=TICKET))
    assert documents["InitConfiguration"]["apiVersion"] == version
    assert documents["InitConfiguration"]["nodeRegistration"]["kubeletExtraArgs"] == arguments


def test_only_a_master_joins_as_a_control_plane() -> None:
    master = yaml.safe_load(join_config(PLAN, "10.0.0.2", ticket=TICKET))
    worker = yaml.safe_load(join_config(PLAN, "10.0.0.3", ticket=TICKET))
    assert master["controlPlane"]["localAPIEndpoint"]["advertiseAddress"] == "10.0.0.2"
    assert master["controlPlane"]["certificateKey"] == "11"
    assert "controlPlane" not in worker


def test_who_joins_finds_the_cluster_in_a_file_and_waits_for_no_signature_of_a_young_control_plane() -> None:
    found = yaml.safe_load(join_config(PLAN, "10.0.0.3", ticket=TICKET))["discovery"]
    assert found == {"file": {"kubeConfigPath": DISCOVERY}, "tlsBootstrapToken": TICKET.token}
    text = discovery(PLAN, ticket=TICKET)
    (entry,) = yaml.safe_load(text)["clusters"]
    assert entry["cluster"]["server"] == "https://apiserver.cluster.local:6443"
    assert base64.b64decode(entry["cluster"]["certificate-authority-data"]) == b"a certificate\n"
    assert TICKET.token not in text


def test_a_node_is_called_by_its_address_where_the_environment_says_so() -> None:
    plan = dataclasses.replace(PLAN, env={"10.0.0.3": {"UseIPasNodeName": "true"}})
    assert yaml.safe_load(join_config(plan, "10.0.0.3", ticket=TICKET))["nodeRegistration"]["name"] == "10.0.0.3"


@pytest.mark.parametrize("text", ["kind: Pod", "- a list", "a: [unclosed"])
def test_what_is_no_document_of_kubeadm_is_refused_by_the_name_of_its_file(text: str) -> None:
    with pytest.raises(ConfigError, match=r"etc/kubeadm\.yml"):
        documents_by_kind(text, name="etc/kubeadm.yml")


def test_a_ticket_shows_no_secret() -> None:
    assert "abcdef" not in repr(TICKET)
    assert "11" not in repr(TICKET)
