"""Bills of materials as SPDX 2.3 and CycloneDX 1.6 write them, both in JSON; the same bill gives the same bytes.

Source: https://spdx.github.io/spdx-spec/v2.3, https://cyclonedx.org/docs/1.6/json
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from sealpy import __version__
from sealpy.image.reference import Reference
from sealpy.image.trust.bill import Bill, Container
from sealpy.image.trust.kinds import CYCLONEDX, SPDX
from sealpy.image.trust.packages import Package

__all__ = ["FORMATS"]

_Document = dict[str, Any]


def _spdx(bill: Bill) -> _Document:
    root = _container("SPDXRef-image", bill.reference, bill.digest)
    packages, relations = [root], [_related("SPDXRef-DOCUMENT", "DESCRIBES", root["SPDXID"])]
    ids = {package.purl: f"SPDXRef-package-{n}" for n, package in enumerate(_packages(bill))}
    for n, file in enumerate(bill.files):
        id_ = f"SPDXRef-file-{n}"
        packages.append(_spdx_package(id_, file.path, "", purpose="FILE", sha256=file.sha256))
        relations += [_related(root["SPDXID"], "CONTAINS", id_), *_contents(id_, file.packages, ids)]
    for n, container in enumerate(bill.containers):
        id_ = f"SPDXRef-container-{n}"
        about = {"comment": "; ".join(container.unread)} if container.unread else {}
        packages.append(_container(id_, container.reference, container.digest) | about)
        relations += [_related(root["SPDXID"], "CONTAINS", id_), *_contents(id_, container.packages, ids)]
    for package in _packages(bill):
        purpose = "OPERATING-SYSTEM" if package.kind == "operating-system" else "LIBRARY"
        packages.append(
            _spdx_package(ids[package.purl], package.name, package.version, purpose=purpose, purl=package.purl)
        )
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": bill.reference.familiar,
        "documentNamespace": f"https://spdx.org/spdxdocs/sealpy-{bill.digest.removeprefix('sha256:')}",
        "creationInfo": {"created": bill.created, "creators": [f"Tool: sealpy-{__version__}"]},
        "packages": packages,
        "relationships": relations,
    }


def _spdx_package(id_: str, name: str, version: str, *, purpose: str, purl: str = "", sha256: str = "") -> _Document:
    about: _Document = {"SPDXID": id_, "name": name, "downloadLocation": "NOASSERTION", "filesAnalyzed": False}
    about["primaryPackagePurpose"] = purpose
    if version:
        about["versionInfo"] = version
    if sha256:
        about["checksums"] = [{"algorithm": "SHA256", "checksumValue": sha256}]
    if purl:
        about["externalRefs"] = [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
        ]
    return about


def _container(id_: str, reference: Reference, digest: str) -> _Document:
    hex_ = digest.removeprefix("sha256:")
    purl = _image_purl(reference, digest)
    return _spdx_package(id_, reference.familiar, digest, purpose="CONTAINER", purl=purl, sha256=hex_)


def _contents(id_: str, packages: Iterable[Package], ids: Mapping[str, str]) -> Iterator[_Document]:
    for package in packages:
        yield _related(id_, "CONTAINS", ids[package.purl])


def _related(one: str, how: str, other: str) -> _Document:
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}


def _cyclonedx(bill: Bill) -> _Document:
    root = _component(bill.digest, "container", bill.reference.familiar, _image_purl(bill.reference, bill.digest))
    root |= {"version": bill.digest}
    components, depends = [], {bill.digest: list[str]()}
    for file in bill.files:
        ref = f"file:{file.path}"
        components.append(_component(ref, "file", file.path) | _hashed(file.sha256))
        depends[bill.digest].append(ref)
        depends[ref] = [package.purl for package in file.packages]
    for container in bill.containers:
        ref = f"container:{container.reference}"
        components.append(_contained(ref, container))
        depends[bill.digest].append(ref)
        depends[ref] = [package.purl for package in container.packages]
    for package in _packages(bill):
        version = {"version": package.version} if package.version else {}
        components.append(_component(package.purl, package.kind, package.name, package.purl) | version)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, bill.digest)}",
        "version": 1,
        "metadata": {
            "timestamp": bill.created,
            "tools": {"components": [{"type": "application", "name": "sealpy", "version": __version__}]},
            "component": root,
        },
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": sorted(set(on))} for ref, on in depends.items()],
    }


def _contained(ref: str, container: Container) -> _Document:
    purl = _image_purl(container.reference, container.digest)
    about = _component(ref, "container", container.reference.familiar, purl) | {"version": container.digest}
    if container.unread:
        about["properties"] = [{"name": "sealpy:unread", "value": reason} for reason in container.unread]
    return about


def _component(ref: str, kind: str, name: str, purl: str = "") -> _Document:
    about = {"bom-ref": ref, "type": kind, "name": name}
    return about | {"purl": purl} if purl and kind != "operating-system" else about


def _hashed(sha256: str) -> _Document:
    return {"hashes": [{"alg": "SHA-256", "content": sha256}]}


def _image_purl(reference: Reference, digest: str) -> str:
    name = reference.path.rpartition("/")[2]
    tag = f"&tag={reference.tag}" if reference.tag else ""
    return f"pkg:oci/{name}@{digest.replace(':', '%3A')}?repository_url={reference.repository}{tag}"


def _packages(bill: Bill) -> list[Package]:
    """Give every package of the files and the container images once, in order."""
    parts = [part.packages for part in bill.files] + [part.packages for part in bill.containers]
    return sorted({package for packages in parts for package in packages})


def _written(document: Callable[[Bill], _Document]) -> Callable[[Bill], bytes]:
    return lambda bill: json.dumps(document(bill), indent=1).encode() + b"\n"


FORMATS: Final[Mapping[str, tuple[str, Callable[[Bill], bytes]]]] = {
    "spdx": (SPDX, _written(_spdx)),
    "cyclonedx": (CYCLONEDX, _written(_cyclonedx)),
}
"""By the word that a user types: the media type, and what writes a bill."""
