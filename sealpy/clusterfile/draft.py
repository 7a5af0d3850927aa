"""A first Clusterfile with comments, from what the command line and the machines say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import yaml

from sealpy.clusterfile.dump import ssh_fields
from sealpy.clusterfile.load import loads
from sealpy.clusterfile.types import Cluster, HostEntry, PasswordFrom, Ssh

__all__ = ["KEY_PASSWORD", "PASSWORD", "draft"]

PASSWORD, KEY_PASSWORD = "SEALPY_PASSWORD", "SEALPY_PK_PASSWD"
_HEAD = """\
# `sealpy explain FIELD` says what a field is for, `sealpy plan -f FILE` what an apply would change.
apiVersion: sealer.io/v2
kind: Cluster
metadata:
  name: {name}
spec:
  image: {image}
"""
_TAIL = """\
# Hosts of a kind may have settings of their own:
#   - ips: [10.0.0.11-10.0.0.13]
#     roles: [node, storage]
#     env: [DISK=/dev/vdb]
#     labels: {disk: ssd}
#     taints: ["dedicated=storage:NoSchedule"]
#     ssh: {port: 2222}
"""


def draft(cluster: Cluster, about: Mapping[str, str], *, ranges: Mapping[str, str]) -> str:
    """Write a Cluster as a file for people; `about` says what each machine is, `ranges` are env with free ranges.

    No password is written: what was typed is referred to by a variable of the environment.
    """
    text = "".join(_lines(cluster, about, ranges))
    loads(text, name="draft")  # a file that is not read again would be no help
    return text


def _lines(cluster: Cluster, about: Mapping[str, str], ranges: Mapping[str, str]) -> Iterator[str]:
    yield _HEAD.format(name=cluster.name, image=cluster.image)
    yield from _ssh(cluster.ssh)
    if ranges:
        yield "  env: # for scripts and templates of the image\n"
    for name, value in ranges.items():
        yield f"    - {name}={value} # no machine has an address or a way there\n"
    yield "  hosts:\n"
    for entry in cluster.hosts:
        yield from _hosts(entry, about)
    yield _TAIL


def _ssh(ssh: Ssh) -> Iterator[str]:
    if ssh.password:
        ssh = replace(ssh, password="", password_from=PasswordFrom("env", PASSWORD))
        yield f"  # export {PASSWORD}=… before a run, or write passwordFrom: {{file: PATH}} or {{command: …}}\n"
    if ssh.private_key_password:
        ssh = replace(ssh, private_key_password="", private_key_password_from=PasswordFrom("env", KEY_PASSWORD))
        yield f"  # export {KEY_PASSWORD}=… before a run\n"
    if fields := ssh_fields(ssh, Ssh()):
        text = yaml.safe_dump({"ssh": fields}, sort_keys=False, allow_unicode=True, width=1 << 30)
        yield "".join(f"  {line}\n" for line in text.splitlines())
    else:
        yield "  # ssh: {user: admin, pk: ~/.ssh/id_ed25519}   others than root work through sudo\n"


def _hosts(entry: HostEntry, about: Mapping[str, str]) -> Iterator[str]:
    yield "    - ips:\n"
    for ip in entry.ips:
        comment = f" # {' '.join(about[ip].split())}" if about.get(ip) else ""
        yield f"""        - {f'"{ip}"' if ":" in ip else ip}{comment}\n"""
    yield f"      roles: [{', '.join(entry.roles)}]\n"
