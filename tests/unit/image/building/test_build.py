"""Building cluster images: the whole way from a Kubefile to files, metadata and container images."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sealpy.errors import ConfigError, DigestMismatchError, ImageError, KubefileError, SealpyError, StoreError
from sealpy.events import Event, TaskFinished, TaskProgress, Warned
from sealpy.image.building.bases import Obtain
from sealpy.image.building.build import Built, build
from sealpy.image.building.private_list import PrivateList, read_private_list
from sealpy.image.building.wish import Wish
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.container import write_container_image
from sealpy.image.files import scan
from sealpy.image.metadata import Launch
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import ROOT
from sealpy.image.store import Store

POD = "spec: {{containers: [{{name: c, image: '{0}'}}]}}\n"


class Site:
    """A context, a store, and the events of the last build."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.context = root / "context"
        self.context.mkdir()
        self.store = Store(root / "images")
        self.events: list[Event] = []

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.context / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def container(self, reference: str, *layers: Mapping[str, bytes], file: str = "") -> str:
        """Put a container image beside the Kubefile."""
        name = file or reference.replace("/", "-").replace(":", "-") + ".tar"
        return write_container_image(self.context / "container-images" / name, reference=reference, layers=layers)

    def build(self, *lines: str, tag: str = "x:1", **options: Any) -> ClusterImage:
        return self.built(*lines, tag=tag, **options).images[0]

    def built(self, *lines: str, tag: str = "x:1", obtain: Obtain | None = None, **options: Any) -> Built:
        self.events = []
        (self.context / "Kubefile").write_text("\n".join(lines) + "\n")
        wish = Wish(kubefile=self.context / "Kubefile", context=self.context, tag=Reference.parse(tag), **options)
        return build(wish, store=self.store, emit=self.events.append, obtain=obtain)

    def warnings(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Warned)]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def launched(image: ClusterImage) -> list[tuple[str, str]]:
    return [(command.app, command.command) for command in image.metadata.launch_commands()]


def container_images(image: ClusterImage) -> list[str]:
    return [use.image for use in image.metadata.container_images]


def test_each_copy_is_a_layer_and_the_files_are_where_they_were_sent(site: Site) -> None:
    site.write({"a.yaml": "a", "etc/x.conf": "x", "list_nodes.py": "p"})
    image = site.build("FROM scratch", "COPY a.yaml manifests", "COPY etc etc", "COPY list_nodes.py plugin")
    assert [path for path, entry in image.files.items() if entry.kind == "file"] == [
        "etc/x.conf",
        "manifests/a.yaml",
        "plugin/list_nodes.py",
    ]
    assert len(image.layers) == 3
    assert image.read("etc/x.conf") == b"x"


def test_owners_and_modes_of_a_kubefile_are_those_of_the_layer(site: Site) -> None:
    site.write({"a": "1"})
    image = site.build("FROM scratch", "COPY --chown=5:3000000 --chmod=4711 a <<EOF etc/", "x", "EOF")
    for name in ("etc/a", "etc/EOF"):
        entry = image.files[name]
        assert (entry.uid, entry.gid, entry.mode) == (5, 3_000_000, 0o4711)
    layer = image.store.blob_path(image.files["etc/a"].layer)
    assert {(found.path, found.uid, found.gid) for found in scan(layer, "")} == {
        ("etc", 0, 0),
        ("etc/a", 5, 3_000_000),
        ("etc/EOF", 5, 3_000_000),
    }


def test_the_same_input_gives_the_same_digest_whenever_and_in_whatever_order_it_was_made(tmp_path: Path) -> None:
    digests = set()
    for number, names in enumerate(["abc", "cba"]):
        (tmp_path / str(number)).mkdir()
        site = Site(tmp_path / str(number))
        for name in names:
            site.write({f"etc/{name}": name, "manifests/imageList": "web:1\nquay.io/net:2\n"})
            os.utime(site.context / "etc" / name, (number + 5, number + 5))
        (site.context / "etc" / "a").chmod(0o640 if number else 0o600)
        for reference in ("web:1", "quay.io/net:2")[:: 1 if number else -1]:
            site.container(reference, {"f": reference.encode()})
        lines = ("FROM scratch", "LABEL k=v", "ENV A=1", "COPY etc etc", "COPY manifests manifests")
        digests.add(site.build(*lines).digest)
    assert len(digests) == 1


def test_a_base_hands_down_files_labels_env_apps_and_container_images(site: Site) -> None:
    site.write({"one.yaml": "a: 1", "two.yaml": "b: 2", "imageList": "web:1"})
    site.container("web:1", {"f": b"1"})
    base = site.build(
        "FROM scratch",
        "ENV A=1 B=1",
        "LABEL l=base",
        "APP one local://one.yaml",
        "COPY imageList manifests/",
        tag="base:1",
    )
    image = site.build("FROM base:1", "ENV B=2", "APP two local://two.yaml", 'LAUNCH ["two", "one"]')
    assert image.metadata.env == {"A": "1", "B": "2"}
    assert image.metadata.labels == {"l": "base"}
    assert launched(image) == [("two", "kubectl apply -f two.yaml"), ("one", "kubectl apply -f one.yaml")]
    assert container_images(image) == ["docker.io/library/web:1"]
    assert set(base.files) < set(image.files)
    assert list(image.layers)[: len(base.layers)] == list(base.layers)


def test_an_image_that_launches_nothing_itself_launches_what_its_base_does(site: Site) -> None:
    site.write({"net.yaml": "a: 1", "plugin.py": ""})
    site.build("FROM scratch", "CNI net local://net.yaml", 'LAUNCH ["net"]', tag="base:1")
    assert launched(site.build("FROM base:1", "COPY plugin.py plugin")) == [("net", "kubectl apply -f net.yaml")]


def test_the_network_of_the_base_comes_first_and_its_other_apps_are_left_to_the_kubefile(site: Site) -> None:
    site.write({"net.yaml": "a: 1", "web.yaml": "a: 1", "old.yaml": "a: 1"})
    site.build(
        "FROM scratch", "CNI net local://net.yaml", "APP old local://old.yaml", 'LAUNCH ["net", "old"]', tag="base:1"
    )
    image = site.build("FROM base:1", "APP web local://web.yaml", 'LAUNCH ["web"]')
    assert image.metadata.launch.app_names == ("net", "web")
    assert image.metadata.labels == {"cluster.alpha.sealer.io/kube-cni-net": "true"}
    written_out = site.build("FROM base:1", "APP web local://web.yaml", 'LAUNCH ["web", "net"]')
    assert written_out.metadata.launch.app_names == ("web", "net")
    by_command = site.build("FROM base:1", "CMD kubectl get nodes")
    assert launched(by_command) == [("net", "kubectl apply -f net.yaml"), ("", "kubectl get nodes")]


def test_commands_of_a_kubefile_are_launched_in_order(site: Site) -> None:
    image = site.build("FROM scratch", "CMD kubectl get nodes --show-labels a=1,b=2", "CMD second")
    assert launched(image) == [("", "kubectl get nodes --show-labels a=1,b=2"), ("", "second")]
    image = site.build("FROM scratch", 'CMDS ["a", "b"]')
    assert image.metadata.launch == Launch(cmds=("a", "b"))


def test_cmd_goes_on_where_the_base_ended_and_cmds_takes_its_place(site: Site) -> None:
    site.build("FROM scratch", "CMD kubectl apply -f storage.yaml", tag="storage:1")
    zookeeper = site.build("FROM storage:1", "CMD kubectl apply -f zookeeper.yaml", "CMD last", tag="zookeeper:1")
    assert zookeeper.metadata.launch.cmds == (
        "kubectl apply -f storage.yaml",
        "kubectl apply -f zookeeper.yaml",
        "last",
    )
    assert site.build("FROM zookeeper:1", 'CMDS ["only"]').metadata.launch.cmds == ("only",)
    assert site.build("FROM zookeeper:1").metadata.launch == zookeeper.metadata.launch


def test_an_argument_in_a_command_has_its_default_and_a_variable_is_left_to_the_cluster(site: Site) -> None:
    site.write({"app.yaml": "a: 1"})
    lines = ("FROM scratch", "ARG PORT=80", "ARG UNUSED=1", "ENV host=a.example", "ENV both=env", "ARG both=arg")
    image = site.build(*lines, r"CMD run $(PORT) $(host) $(both) $(date) \$(PORT) $PORT", tag="base:1")
    assert launched(image) == [("", r"run 80 ${host} ${both} $(date) \$(PORT) 80")]
    assert image.metadata.launch.args == {"PORT": "80"}
    assert launched(site.build("FROM base:1", "CMD more $(PORT)"))[-1] == ("", "more 80")
    given = site.build(*lines, "CMD run $(PORT)", build_args={"PORT": "8080"})
    assert launched(given) == [("", "run 8080")]


def test_an_image_for_another_kubernetes_than_its_base_installs_is_refused(site: Site) -> None:
    site.build("FROM scratch", "LABEL cluster.alpha.sealer.io/cluster-runtime-version=v1.34.4", tag="kubernetes:1")
    image = site.build("FROM kubernetes:1", 'KUBEVERSION ">= 1.30, < 1.36"')
    assert image.metadata.labels["app.alpha.sealer.io/supported-kube-version"] == ">= 1.30, < 1.36"
    with pytest.raises(
        KubefileError, match=r"Kubefile:2: KUBEVERSION: it is for Kubernetes < 1.30, and this is v1.34.4"
    ):
        site.build("FROM kubernetes:1", "KUBEVERSION < 1.30")


@pytest.mark.parametrize(
    ("files", "kind", "command"),
    [
        (["a.yaml", "b.yml"], "kube", "kubectl apply -f a.yaml && kubectl apply -f b.yml"),
        (["a.yaml.tmpl"], "kube", "kubectl apply -f a.yaml"),
        (["run.sh"], "shell", "bash run.sh"),
        (["Chart.yaml", "values.yaml", "templates/x.yaml"], "helm", "helm upgrade --install shop ."),
    ],
)
def test_the_files_of_an_app_tell_how_it_is_launched(site: Site, files: list[str], kind: str, command: str) -> None:
    site.write({f"shop/{name}": "a: 1" for name in files})
    image = site.build("FROM scratch", "APP shop local://shop", 'LAUNCH ["shop"]', mode="lite")
    assert [app.type for app in image.metadata.applications] == [kind]
    assert launched(image) == [("shop", command)]
    assert all(f"application/apps/shop/{name}" in image.files for name in files)


def test_an_app_may_have_commands_and_variables_of_its_own(site: Site) -> None:
    site.write({"shop/a.yaml": "a: 1", "shop/b.sh": ""})
    image = site.build(
        "FROM scratch",
        'APPCMDS shop ["bash b.sh &&", "kubectl apply -f a.yaml"]',
        "APP shop local://shop",
        'LAUNCH ["shop"]',
    )
    assert launched(image) == [("shop", "bash b.sh && kubectl apply -f a.yaml")]


def test_container_images_of_manifests_and_apps_are_taken_in(site: Site) -> None:
    site.write({"net.yaml": POD.format("quay.io/net/net:1"), "imageList": "# all\nweb:1\n"})
    site.container("web:1", {"f": b"1"})
    site.container("quay.io/net/net:1", {"f": b"2"})
    site.container("unused:1", {"f": b"3"})
    image = site.build("FROM scratch", "COPY imageList manifests", "APP net local://net.yaml", 'LAUNCH ["net"]')
    assert container_images(image) == ["docker.io/library/web:1", "quay.io/net/net:1"]
    assert [use.app_name for use in image.metadata.container_images] == ["", "net"]
    for name in ("docker.io/library/web", "library/web", "quay.io/net/net", "net/net"):
        link = image.read(f"{ROOT}/repositories/{name}/_manifests/tags/1/current/link").decode()
        assert image.read(f"{ROOT}/blobs/sha256/{link[7:9]}/{link[7:]}/data").startswith(b"{")
    assert not any("unused" in path for path in image.files)


def test_an_image_whose_base_holds_every_container_image_adds_none(site: Site) -> None:
    site.write({"imageList": "web:1", "web.yaml": POD.format("docker.io/library/web:1")})
    site.container("web:1", {"f": b"1"})
    base = site.build("FROM scratch", "COPY imageList manifests", tag="base:1")
    for archives in ("there", "gone"):
        image = site.build("FROM base:1", "APP web local://web.yaml", 'LAUNCH ["web"]')
        assert len(image.layers) == len(base.layers) + 1, archives
        assert container_images(image) == container_images(base)
        shutil.rmtree(site.context / "container-images", ignore_errors=True)


def test_a_newer_container_image_under_the_same_name_takes_the_place_of_the_one_in_the_base(site: Site) -> None:
    site.write({"imageList": "web:1"})
    site.container("web:1", {"f": b"1"})
    site.build("FROM scratch", "COPY imageList manifests", tag="base:1")
    digest = site.container("web:1", {"f": b"2"})
    image = site.build("FROM base:1", "COPY imageList manifests")
    link = f"{ROOT}/repositories/docker.io/library/web/_manifests/tags/1/current/link"
    assert image.read(link).decode() == digest


def test_one_changed_container_image_of_three_changes_only_its_own_layers(site: Site) -> None:
    site.write({"imageList": "a:1\nb:1\nc:1\n"})
    for name in "abc":
        site.container(f"{name}:1", {"base": b"shared"}, {"own": name.encode()})
    before = site.build("FROM scratch", "COPY imageList manifests")
    site.container("b:1", {"base": b"shared"}, {"own": b"new"})
    after = site.build("FROM scratch", "COPY imageList manifests")
    changed = set(after.layers) - set(before.layers)
    paths = {entry.path for digest in changed for entry in after.layers[digest] if entry.kind == "file"}
    repositories = {
        path.split("/_")[0].removeprefix(f"{ROOT}/repositories/") for path in paths if "/repositories/" in path
    }
    assert len(changed) == 3
    assert "docker.io/library/b" in repositories
    assert not repositories & {"docker.io/library/a", "docker.io/library/c"}
    assert len([path for path in paths if "/blobs/" in path]) == 3


def test_all_missing_container_images_are_told_with_the_places_that_mention_them(site: Site) -> None:
    site.write(
        {
            "m/imageList": "# x\nweb:1\n",
            "m/pod.yaml": "a: 1\n---\n" + POD.format("quay.io/net:1"),
            "w.yaml": POD.format("web:1"),
        }
    )
    with pytest.raises(ImageError) as caught:
        site.build("FROM scratch", "COPY m manifests", "APP w local://w.yaml", 'LAUNCH ["w"]')
    assert caught.value.message == "2 container image(s) are missing"
    assert {str(problem) for problem in caught.value.problems} == {
        "m/imageList:2: container image 'web:1': in no archive",
        "w.yaml:1: container image 'web:1': in no archive",
        "m/pod.yaml:3: container image 'quay.io/net:1': in no archive",
    }
    assert "--container-images" in caught.value.hint
    assert site.store.images() == ()


def test_container_images_may_be_left_out_all_or_by_name(site: Site) -> None:
    site.write({"imageList": "web:1\nnet:1\n"})
    image = site.build("FROM scratch", "COPY imageList manifests", mode="lite")
    assert (container_images(image), len(image.layers)) == ([], 1)
    site.container("web:1", {"f": b"1"})
    image = site.build("FROM scratch", "COPY imageList manifests", ignored_images=[Reference.parse("net:1")])
    assert container_images(image) == ["docker.io/library/web:1"]


def test_archives_may_stand_anywhere(site: Site, tmp_path: Path) -> None:
    site.write({"imageList": "web:1\n"})
    write_container_image(tmp_path / "elsewhere" / "w.tar", reference="web:1", layers=[{"f": b"1"}])
    for place in (tmp_path / "elsewhere", tmp_path / "elsewhere" / "w.tar"):
        image = site.build("FROM scratch", "COPY imageList manifests", container_images=[place])
        assert container_images(image) == ["docker.io/library/web:1"]


def test_archives_are_not_copied_along_with_the_context(site: Site) -> None:
    site.container("web:1", {"f": b"1"})
    assert not any(path.startswith("container-images") for path in site.build("FROM scratch", "COPY . .").files)


def test_a_damaged_blob_of_an_archive_is_refused_and_the_old_image_stays(site: Site) -> None:
    site.write({"imageList": "web:1"})
    before = site.build("FROM scratch", "COPY imageList etc")
    site.container("web:1", {"f": b"1" * 2000}, file="w.tar")
    archive = site.context / "container-images" / "w.tar"
    data = bytearray(archive.read_bytes())
    data[data.index(b"\x1f\x8b\x08") + 20] ^= 1
    archive.write_bytes(data)
    with pytest.raises(DigestMismatchError, match=r"web:1.*damaged"):
        site.build("FROM scratch", "COPY imageList manifests")
    assert ClusterImage.open(site.store, "x:1").digest == before.digest


@pytest.mark.parametrize(
    ("lines", "error", "text"),
    [
        (["FROM base:9"], KubefileError, "Kubefile:1: image 'base:9': not among the local images"),
        (["FROM scratch", "COPY nothing ."], KubefileError, "Kubefile:2: 'nothing': not in the context"),
        (["FROM scratch", "COPY ../x ."], KubefileError, "Kubefile:2: '../x': '..' leads out"),
        (["FROM scratch", "COPY bad.yaml manifests"], ImageError, "1 place where container images cannot be told"),
    ],
)
def test_what_cannot_be_built_is_refused_and_nothing_is_named(
    site: Site, lines: list[str], error: type[SealpyError], text: str
) -> None:
    site.write({"bad.yaml": "a: {"})
    with pytest.raises(error) as caught:
        site.build(*lines)
    assert text in str(caught.value)
    assert caught.value.hint
    with pytest.raises(StoreError):
        site.store.resolve("x:1")


def test_apps_that_are_not_there_or_cannot_be_launched_are_named_together(site: Site) -> None:
    site.write({"shop/a.yaml": "a: 1", "shop/b.txt": ""})
    with pytest.raises(KubefileError) as caught:
        site.build("FROM scratch", "APP shop local://shop", 'APPCMDS shoop ["x"]', 'LAUNCH ["shop"]')
    messages = [str(problem) for problem in caught.value.problems]
    assert [message.partition("Kubefile:")[2] for message in messages] == [
        "3: app 'shoop': there is none",
        "4: app 'shop': its files do not tell how to launch it",
    ]
    assert [problem.hint for problem in caught.value.problems] == [
        "did you mean 'shop'?",
        'add: APPCMDS shop ["your command"]',
    ]


@pytest.mark.parametrize(
    ("lines", "options", "kind"),
    [
        (["COPY kubeadm bin/"], {}, "kube-installer"),
        (["LABEL cluster.alpha.sealer.io/cluster-runtime-type=kubernetes"], {}, "kube-installer"),
        (["COPY kubeadm etc/"], {}, "app-installer"),
        (["COPY kubeadm etc/"], {"type_": "kube-installer"}, "kube-installer"),
    ],
)
def test_an_image_that_installs_kubernetes_is_a_cluster_image(
    site: Site, lines: list[str], options: Mapping[str, str], kind: str
) -> None:
    site.write({"kubeadm": "elf"})
    assert site.build("FROM scratch", *lines, **options).metadata.type == kind


def test_progress_is_told_step_by_step(site: Site) -> None:
    site.write({"etc/a": "12345"})
    image = site.build("FROM scratch", "COPY etc etc")
    steps = [(event.detail, event.done, event.total) for event in site.events if isinstance(event, TaskProgress)]
    assert steps == [("COPY etc etc", 0, 5), ("COPY etc etc", 5, 5)]
    [end] = [event for event in site.events if isinstance(event, TaskFinished)]
    assert (end.task, end.detail) == ("build x:1", image.digest)


def test_a_build_argument_chooses_the_base(site: Site) -> None:
    site.write({"a": "1"})
    site.build("FROM scratch", "COPY a etc", tag="base:1")
    image = site.build("ARG BASE=scratch", "FROM ${BASE}", build_args={"BASE": "base:1"})
    assert "etc/a" in image.files


@pytest.mark.parametrize("base", ["scratch", "base:1"])
def test_the_example_at_the_top_of_the_repository_can_be_built(site: Site, base: str) -> None:
    site.build("FROM scratch", "CMD true", tag="base:1")
    top = Path(__file__).parents[4]
    wish = Wish(
        kubefile=top / "Kubefile.example",
        context=top / "examples",
        tag=Reference.parse("example:1"),
        build_args={"BASE": base},
    )
    [image] = build(wish, store=site.store, emit=site.events.append).images
    assert {"plugin/list_nodes.py", "plugin/list_nodes.yaml"} <= set(image.files)
    assert image.read("etc/motd") == f"Built upon {base}.\n".encode()
    assert launched(image) == [("greeting", "kubectl apply -f greeting.yaml")]


# ---- an application of what is added to a base


@pytest.fixture
def upon(site: Site) -> Site:
    """Give a base that installs Kubernetes and holds two container images."""
    site.write({"kubeadm": "x", "base.yaml": POD.format("base:1") + "---\n" + POD.format("shared:1")})
    site.container("base:1", {"b": b"base"})
    site.container("shared:1", {"s": b"shared"})
    labels = "LABEL cluster.alpha.sealer.io/cluster-runtime-version=v1.34.4"
    site.build("FROM scratch", labels, "ENV A=base", "COPY kubeadm bin", "APP one local://base.yaml", 'LAUNCH ["one"]',
               tag="kubernetes:v1")  # fmt: skip
    shutil.rmtree(site.context / "container-images")
    site.write({"web.yaml": POD.format("shared:1") + "---\n" + POD.format("own:1")})
    site.container("own:1", {"o": b"own"})
    return site


def test_a_base_that_is_left_out_leaves_what_was_added_to_it(upon: Site) -> None:
    image = upon.build("FROM kubernetes:v1", "APP web local://web.yaml", 'LAUNCH ["web"]', base="left out")
    assert image.metadata.type == "app-installer"
    assert image.metadata.launch == Launch(app_names=("web",))
    assert (image.metadata.env, image.metadata.labels) == ({}, {})
    assert [app.name for app in image.metadata.applications] == ["web"]
    files = {path for path, entry in image.files.items() if entry.kind == "file" and ROOT not in path}
    assert files == {"application/apps/web/web.yaml"}


def test_its_container_images_are_whole_though_the_base_holds_them(upon: Site) -> None:
    image = upon.build("FROM kubernetes:v1", "APP web local://web.yaml", 'LAUNCH ["web"]', base="left out")
    names = [use.image for use in image.metadata.container_images]
    assert names == ["docker.io/library/own:1", "docker.io/library/shared:1"]
    for name in ("own", "shared"):
        digest = image.read(f"{ROOT}/repositories/docker.io/library/{name}/_manifests/tags/1/current/link").decode()
        manifest = json.loads(image.read(f"{ROOT}/blobs/sha256/{digest[7:9]}/{digest[7:]}/data"))
        for part in (manifest["config"], *manifest["layers"]):
            hexes = part["digest"][7:]
            assert len(image.read(f"{ROOT}/blobs/sha256/{hexes[:2]}/{hexes}/data")) == part["size"]
    assert not any("base" in path for path in image.files)


def test_what_it_launches_must_be_its_own(upon: Site) -> None:
    with pytest.raises(KubefileError) as caught:
        upon.build("FROM kubernetes:v1", "APP web local://web.yaml", 'LAUNCH ["one"]', base="left out")
    assert "Kubefile:3: app 'one': there is none" in caught.value.message


def test_it_cannot_be_said_to_install_a_cluster(upon: Site) -> None:
    with pytest.raises(ConfigError, match="an image without its base installs no Kubernetes"):
        upon.build("FROM kubernetes:v1", base="left out", type_="kube-installer")


# ---- the passwords of a private list


@pytest.fixture
def private(site: Site) -> PrivateList:
    site.write({"auth.yaml": "- {registry: hub.site, username: u, password: geheim, images: [team/web:1]}\n"})
    site.write({"etc/motd": "hi", "other.yaml": "a: b"})
    site.container("hub.site/team/web:1", {"w": b"web"})
    return read_private_list(site.context / "auth.yaml")


def test_images_of_a_private_list_are_taken_and_the_list_itself_never(site: Site, private: PrivateList) -> None:
    image = site.build("FROM scratch", "COPY . .", "COPY *.yaml manifests", "COPY etc etc", private_lists=[private])
    assert [use.image for use in image.metadata.container_images] == ["hub.site/team/web:1"]
    assert "auth.yaml" not in image.files
    assert "manifests/auth.yaml" not in image.files
    assert b"geheim" not in b"".join(path.read_bytes() for path in site.store.root.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "line", ["COPY auth.yaml etc", "ADD auth.yaml etc", "APP x local://auth.yaml", "COPY link etc"]
)
def test_an_instruction_that_names_the_list_is_refused_with_its_place(
    line: str, site: Site, private: PrivateList
) -> None:
    (site.context / "link").symlink_to("auth.yaml")
    with pytest.raises(KubefileError, match=r"Kubefile:2: '.*': holds passwords for this build"):
        site.build("FROM scratch", line, private_lists=[private])


def test_an_ignored_image_of_a_private_list_is_left_out(site: Site, private: PrivateList) -> None:
    ignored = [Reference.parse("hub.site/team/web:1")]
    image = site.build("FROM scratch", "COPY etc etc", private_lists=[private], ignored_images=ignored)
    assert image.metadata.container_images == ()
