from __future__ import annotations

from typing import TypeVar, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from sealpy.clusterfile import (
    Cluster,
    Clusterfile,
    Config,
    HostEntry,
    KubeadmDocument,
    PasswordFrom,
    Plugin,
    Ssh,
    dumps,
    loads,
    without_secrets,
)
from sealpy.clusterfile.types import HostKeyPolicy

T = TypeVar("T")

texts = st.text(st.characters(codec="utf-8"))
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)
env = st.dictionaries(names, st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=3)
sources = st.none() | st.builds(PasswordFrom, st.sampled_from(["env", "file", "command"]), words)
secrets = st.sampled_from(["", "secret-0", "secret-1"])
plain_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
plain = st.recursive(
    plain_scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)


@st.composite
def logins(draw: st.DrawFn) -> Ssh:
    source = draw(sources)
    return Ssh(
        user=draw(words),
        port=draw(st.integers(1, 65535)),
        password="" if source else draw(secrets),
        password_from=source,
        private_key=draw(words),
        private_key_password=draw(secrets),
        host_key_policy=draw(st.sampled_from(get_args(HostKeyPolicy))),
    )


@st.composite
def clusterfiles(draw: st.DrawFn) -> Clusterfile:
    logins_of_hosts = draw(st.lists(logins(), max_size=3))
    hosts = tuple(
        HostEntry(ips=(f"10.0.0.{number + 1}",), roles=("master",), ssh=ssh, env=draw(env), labels=draw(env))
        for number, ssh in enumerate(logins_of_hosts)
    )
    plugins = st.builds(Plugin, name=words, type=texts, actions=st.just(("PreInit", "PreJoin")), data=texts)
    configs = st.builds(Config, name=words, path=st.just("etc/x"), data=texts, process=st.just(("value", "toJson")))
    kubeadm = st.builds(
        KubeadmDocument, kind=st.just("KubeletConfiguration"), body=st.dictionaries(words.filter(_is_free), plain)
    )
    return Clusterfile(
        cluster=Cluster(image=draw(words), env=draw(env), ssh=draw(logins()), hosts=hosts, cmd=draw(_tuples(texts))),
        plugins=draw(_tuples(plugins)),
        configs=draw(_tuples(configs)),
        kubeadm=draw(st.tuples() | st.tuples(kubeadm)),
    )


def _tuples(inner: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(inner, max_size=2).map(tuple)


def _is_free(word: str) -> bool:
    return word not in {"kind", "apiVersion"}


@settings(max_examples=40, deadline=None)
@given(clusterfiles())
def test_what_is_written_reads_back_the_same_without_secrets(clusterfile: Clusterfile) -> None:
    text = dumps(clusterfile)
    assert loads(text, name="saved") == without_secrets(clusterfile)
    assert dumps(loads(text, name="saved")) == text


@settings(max_examples=40, deadline=None)
@given(clusterfiles())
def test_no_literal_secret_is_written(clusterfile: Clusterfile) -> None:
    assert "secret-" not in dumps(clusterfile)


def test_a_host_whose_password_was_left_out_logs_in_as_the_cluster_says() -> None:
    source = PasswordFrom("env", "PW")
    host = HostEntry(ips=("10.0.0.1",), ssh=Ssh(password="own"))
    bare = without_secrets(Clusterfile(cluster=Cluster(image="x", ssh=Ssh(password_from=source), hosts=(host,))))
    assert bare.cluster.hosts[0].ssh == Ssh(password_from=source)


def test_texts_of_many_lines_stay_readable() -> None:
    plugin = Plugin(name="a", type="SHELL", actions=("PreInit",), on="master", data="set -e\nif x; then\n  y\nfi\n")
    text = dumps(Clusterfile(cluster=Cluster(image="x"), plugins=(plugin,)))
    assert "  'on': master\n  data: |\n    set -e\n    if x; then\n      y\n    fi\n" in text
