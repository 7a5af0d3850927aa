"""What Go's text/template gives for the same text: the outputs here were made by Go 1.26."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealpy.errors import TemplateError
from sealpy.gotemplate import NO_VALUE, render

VALUES: dict[str, object] = {
    "L": ["p", "q", "r"],
    "M": {"b": 2, "a": "x"},
    "N": None,
    "T": True,
    "S": "str",
    "docker-dir": "/var/lib/docker",
}

AS_GO_DOES = [
    # text passes through
    ("plain $MAINPID ${VAR} } {", "plain $MAINPID ${VAR} } {"),
    ("a\r\n{{.S}}\r\n", "a\r\nstr\r\n"),
    ("no end of line {{.S}}", "no end of line str"),
    # trims and comments
    ("a \n {{- .S -}} \n b", "astrb"),
    ("{{/* c */}}x{{- /* d */ -}}  y", "xy"),
    ("{{-3}} {{- 3}}", "-33"),
    ("{{if .T}}\nyes\n{{end}}\n", "\nyes\n\n"),
    # fields, variables, brackets
    ("{{.M.a}} {{(.M).a}} {{$.S}} {{$ | len}}", "x x str 6"),
    ('{{index . "docker-dir"}}', "/var/lib/docker"),
    ("{{$x := 1}}{{range .L}}{{$x = .}}{{end}}{{$x}}", "r"),
    ("{{$x := 1}}{{if true}}{{$x := 2}}{{end}}{{$x}}", "1"),
    # literals
    (
        "{{1e6}} {{123456789.5}} {{1e20}} {{0.0001}} {{0.00001}} {{3.0}} {{2.5}}",
        "1e+06 1.234567895e+08 1e+20 0.0001 1e-05 3 2.5",
    ),
    ("{{'a'}} {{'\\n'}} {{0x10}} {{010}} {{1_000}} {{-5}} {{1.}} {{.5}} {{+5}}", "97 10 16 8 1000 -5 1 0.5 5"),
    (r'{{"\101\x41\u00e9\t"}}{{`raw\n`}}', "AAé\traw\\n"),
    # if, with, range
    ('{{if eq .S "a"}}1{{else if eq .S "str"}}2{{else}}3{{end}}', "2"),
    ("{{if .Zip.Zap}}a{{else}}b{{end}}", "b"),
    ("{{with .No}}a{{else with .S}}{{.}}{{end}}", "str"),
    ("{{with $x := 5}}{{$x}}{{end}}", "5"),
    ("{{range .L}}{{.}},{{end}}", "p,q,r,"),
    ("{{range $i, $e := .L}}{{if eq $i 1}}{{continue}}{{end}}{{$e}}{{end}}", "pr"),
    ("{{range .L}}{{.}}{{break}}{{end}}", "p"),
    ("{{range $k, $v := .M}}{{$k}}={{$v}};{{end}}", "a=x;b=2;"),
    ("{{range 3}}{{.}},{{end}}{{range $i := 2}}{{$i}}{{end}}", "0,1,2,01"),
    ("{{range .No}}x{{else}}e{{end}}", "e"),
    # templates in templates
    ('{{define "t"}}[{{.}}{{$}}]{{end}}{{template "t" .S}}{{template "u" 1}}{{define "u"}}U{{end}}', "[strstr]U"),
    ('{{block "b" .S}}<{{.}}>{{end}}', "<str>"),
    # functions
    ('{{and 1 0 2}} {{or 0 "" "x"}} {{not 0}} {{or .X 5000}} {{or .X false}}', "0 x true 5000 false"),
    ('{{eq "a" "b" "a"}} {{lt "a" "b"}} {{ge 2 2}} {{ge 1.5 1.5}} {{eq true true}}', "true true true true true"),
    ('{{eq .No "6"}} {{ne .No "6"}} {{eq .No .No}} {{eq .No nil}}', "false true true true"),
    ('{{len "é"}} {{.L | len}} {{index .L 1}} {{index .M "b"}} {{index "abc" 1}}', "2 3 q 2 98"),
    ('{{slice "abcdef" 1 3}} {{slice .L 1}}', "bc [q r]"),
    ('{{print 1 2 "a" "b" 3}}|{{print .L "a" true}}|{{print true false}}', "1 2ab3|[p q r]atrue|true false"),
    ('{{println 1 "a"}}', "1 a\n"),
    ('{{"x" | printf "%s-%s" "y"}} {{1 | print 2}} {{.S | or ""}}', "y-x 2 1 str"),
    ("{{.L}} {{.M}} {{.T}}", "[p q r] map[a:x b:2] true"),
    ('{{html "<a href=\'x\'>&"}} {{urlquery "a b&c=é~"}}', "&lt;a href=&#39;x&#39;&gt;&amp; a+b%26c%3D%C3%A9~"),
    (r"""{{js "it's" "<a b=\"é\">\n"}}""", r"""it\'s\u003Ca b\u003D\"é\"\u003E\u000A"""),
    ('{{b64enc "qwertyuiop"}} {{b64dec "cXdlcnR5dWlvcA=="}}', "cXdlcnR5dWlvcA== qwertyuiop"),
    # quotes within quotes of the file's own language
    ('"{{or .RegistryURL "sea.hub:5000"}}/x"', '"sea.hub:5000/x"'),
]

PRINTF = [
    ('"%v|%s|%d" 1 "a" 3', "1|a|3"),
    (r'"%q" "q\"x"', r'"q\"x"'),
    ('"%5d|%-5d|%05d" 4 5 6', "    4|5    |00006"),
    ('"%x|%X|%o|%b|%x" 255 255 8 5 "hi"', "ff|FF|10|101|6869"),
    ('"%t|%c|%%|%+d" true 65 5', "true|A|%|+5"),
    ('"%c%c%c" 55296 1114112 -1', "\N{REPLACEMENT CHARACTER}" * 3),
    ('"%.2f|%g|%e|%6.2f|%08.3f" 2.5 1e6 12345.678 3.14159 3.14159', "2.50|1e+06|1.234568e+04|  3.14|0003.142"),
    ('"%5s|%-5s|%.2s" "ab" "ab" "abcdef"', "   ab|ab   |ab"),
    ('"%s %v %q" .L .M .L', '[p q r] map[a:x b:2] ["p" "q" "r"]'),
]

REFUSED_WHEN_READ = [
    ("{{ fi }}", "x:1: function 'fi' does not exist", "write {{ end }}"),
    ("{{if false}}{{ nosuch }}{{end}}", "x:1: function 'nosuch' does not exist", 'in quotes: "nosuch"'),
    ("\n\n{{or .X cluster.local}}", "x:3: function 'cluster' does not exist", 'in quotes: "cluster"'),
    ('{{ .X | default "y" }}', "x:1: function 'default' does not exist", "{{ or .X"),
    ("{{ prinf 1 }}", "x:1: function 'prinf' does not exist", "did you mean 'printf'?"),
    ("{{or .X 100.64.0.0/16}}", "x:1: '100.64.0.0' is no number", 'in quotes: "100.64.0.0"'),
    ("{{.docker-dir}}", "x:1: character '-' cannot follow '.docker'", '{{ index . "docker-dir" }}'),
    ("a\n{{if .X}}", "x:2: 'if' is not closed", "{{ end }}"),
    ("a\n{{ .X", "x:2: action '{{' is not closed", "'}}'"),
    ("{{/* c", "x:1: comment is not closed", "'*/}}'"),
    ("{{ /* c */ }}", "x:1: character '/' has no meaning here", "quotes"),
    ("{{end}}", "x:1: 'end' closes nothing", "`if`"),
    ("{{else}}", "x:1: 'else' closes nothing", "`if`"),
    ("{{if 1}}{{else}}{{else}}{{end}}", "x:1: 'else' stands twice", "{{ else if … }}"),
    ("{{if}}x{{end}}", "x:1: '}}' stands where a value is expected", ""),
    ("{{$y}}", "x:1: variable '$y' is not declared", "{{ $y := … }}"),
    ("{{if true}}{{$x := 1}}{{end}}{{$x}}", "x:1: variable '$x' is not declared", "{{ $x := … }}"),
    ('{{define "t"}}{{$x}}{{end}}', "x:1: variable '$x' is not declared", ""),
    ("{{break}}", "x:1: 'break' stands outside of a range", ""),
    ('{{"a" | "b"}}', "x:1: '\"b\"' cannot take the value of the pipeline", "function"),
    ("{{.S 1}}", "x:1: '.S' is no function, but has arguments: '.S 1'", ""),
    ("{{nil}}", "x:1: 'nil' is not a command", ""),
    ("{{true.X}}", "x:1: 'true.X' asks for a field of a literal", ""),
    ('{{"a\nb"}}', "x:1: character '\"' has no meaning here", "close the quote"),
    (r'{{"\z"}}', r"""x:1: text "\z" holds the unknown escape '\z'""", ""),
    ("{{(1}}", "x:1: '}}' stands where ')' is expected", ""),
    ('{{if true}}{{define "q"}}{{end}}{{end}}', "x:1: 'define' stands within a block", "top level"),
    ("{{" + "(" * 200, "x:1: more than 100 levels stand in each other", ""),
    ("{{if 1}}" * 200, "x:1: more than 100 levels stand in each other", ""),
]

REFUSED_WHEN_RENDERED = [
    ("a\n{{.PodCIDR}}", "x:2: '.PodCIDR' has no value", "set PodCIDR in `env`"),
    ("{{.s}}", "x:1: '.s' has no value", "did you mean 'S'?"),
    ("{{.N}}", "x:1: '.N' has no value", "set N in `env`"),
    ("{{.X.Y}}", "x:1: '.X.Y' has no value", "test it"),
    ("{{b64enc .IP}}", "x:1: '.IP' has no value", "set IP"),
    ("{{or .No .No2}}", "x:1: '.No2' has no value", "No2"),
    ("{{lt .No 1}}", "x:1: '.No' has no value", ""),
    ('{{index .M "zz"}}', "x:1: 'index .M \"zz\"' has no value", ""),
    ("{{eq .S 5}}", "x:1: 'eq .S 5': text cannot be compared with a whole number", ""),
    ("{{lt 1 2.0}}", "x:1: 'lt 1 2.0': a whole number cannot be ordered with a fraction", ""),
    ("{{eq .L .L}}", "x:1: 'eq .L .L': a list cannot be compared", ""),
    ("{{len 3}}", "x:1: 'len 3': a whole number has no length", ""),
    ("{{index .L 9}}", "x:1: 'index .L 9': 9 is beyond the 3 items", ""),
    ('{{index .L "a"}}', "a list is asked by a whole number, not by text", ""),
    ("{{not}}", "x:1: 'not': takes 1 argument, got 0", ""),
    ("{{and}}", "x:1: 'and': takes at least 1 argument, got 0", ""),
    ("{{lt 1 2 3}}", "x:1: 'lt 1 2 3': takes 2 arguments, got 3", ""),
    ("{{.S.X}}", "x:1: '.S.X' asks for 'X' of text", ""),
    ("{{range .S}}x{{end}}", "x:1: '.S' is text and holds no items to range over", "list or a map"),
    ('{{template "nope"}}', "x:1: template 'nope' is not defined", 'define "nope"'),
    ('{{define "t"}}{{template "t"}}{{end}}{{template "t"}}', "x:1: template 't' calls itself without an end", ""),
    ('{{b64dec "%"}}', "takes base64 of text", ""),
    # where Go would write %!d(string=x) and the like
    ('{{printf "%d" "x"}}', "'%d' does not fit text", ""),
    ('{{printf "%d"}}', "'%d' has no value", ""),
    ('{{printf "%d" 1 2}}', "1 value more than the form has places for", ""),
    ('{{printf "%z" 1}}', "'%z' is not offered", ""),
    ('{{printf "%99999999d" 1}}', "is wider than 10000", ""),
]


GOLDEN = Path(__file__).parents[2] / "golden" / "gotemplate"
ENV: dict[str, object] = {
    "HostIPFamily": "6",
    "PodCIDR": "10.0.0.0/8",
    "SvcCIDR": "10.96.0.0/16",
    "ContainerRuntime": "containerd",
    "ClusterScale": "large",
    "IPv6DualStack": "true",
    "RegistryURL": "r.example:5000",
}
REAL_FILES: list[tuple[str, dict[str, object], str]] = [
    ("kubeadm-v1.20.yml.tmpl", {}, "3871f970a2377217"),
    ("kubeadm-v1.20.yml.tmpl", ENV, "ef6dcad3c98a0cb5"),
    ("kubeadm-v1.22.yml.tmpl", {}, "320abd77a16944ba"),
    ("kubeadm-v1.22.yml.tmpl", ENV, "86cb2c69374e91a1"),
    ("containerd-config.toml.tmpl", {}, "90162dcf84726131"),
    ("containerd-config.toml.tmpl", ENV, "969f772be4438af7"),
    ("docker.service.tmpl", {}, "ea94127ec753948e"),
]


@pytest.mark.parametrize(("text", "output"), AS_GO_DOES)
def test_a_template_comes_out_as_go_renders_it(text: str, output: str) -> None:
    assert render(text, VALUES, name="x") == output


@pytest.mark.parametrize(("call", "output"), PRINTF)
def test_printf_writes_as_go_does(call: str, output: str) -> None:
    assert render(f"{{{{printf {call}}}}}", VALUES, name="x") == output


@pytest.mark.parametrize(("text", "message", "hint"), REFUSED_WHEN_READ)
def test_a_wrong_template_is_refused_before_anything_is_rendered(text: str, message: str, hint: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text, VALUES, name="x")
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(("text", "message", "hint"), REFUSED_WHEN_RENDERED)
def test_a_value_that_is_missing_or_does_not_fit_is_named_with_its_line(text: str, message: str, hint: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text, VALUES, name="x")
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(("name", "values", "digest"), REAL_FILES)
def test_a_template_of_a_real_image_comes_out_byte_for_byte_as_from_go(
    name: str, values: dict[str, object], digest: str
) -> None:
    text = (GOLDEN / name).read_bytes().decode()
    assert hashlib.sha256(render(text, values, name=name).encode()).hexdigest()[:16] == digest


def test_a_template_whose_values_are_not_all_known_yet_can_be_read() -> None:
    text = '{{.A}} {{.S}} {{b64enc .B}} {{if .C}}c{{end}}{{range .D}}d{{end}}{{or .E "e"}}'
    assert render(text, VALUES, name="x", missing=NO_VALUE) == "<no value> str <no value> e"
    with pytest.raises(TemplateError, match="no_such_function"):
        render("{{no_such_function}}", VALUES, name="x", missing=NO_VALUE)


def test_all_missing_values_are_reported_at_once() -> None:
    with pytest.raises(TemplateError, match=r"^kubeadm\.yml: 4 values are missing$") as caught:
        render("{{.A}}\n{{b64enc .B}}\n{{.A}}\n{{or .C .D}}{{if .E}}{{end}}", {}, name="kubeadm.yml")
    assert [str(problem) for problem in caught.value.problems] == [
        "kubeadm.yml:1: '.A' has no value",
        "kubeadm.yml:2: '.B' has no value",
        "kubeadm.yml:3: '.A' has no value",
        "kubeadm.yml:4: '.D' has no value",
    ]


def test_a_message_never_shows_a_value() -> None:
    with pytest.raises(TemplateError) as caught:
        render("{{eq .RegistryPassword 5}}", {"RegistryPassword": "geheim"}, name="x")
    assert "geheim" not in caught.value.message


@given(st.text())
def test_text_without_actions_comes_out_unchanged(text: str) -> None:
    plain = text.replace("{{", "")
    assert render(plain, {}, name="x") == plain


@given(st.text(alphabet=st.sampled_from('{}()|.$"\\-`/* \nabif range end else 01:=,with'), max_size=40))
def test_any_text_is_rendered_or_refused_as_a_template(text: str) -> None:
    with suppress(TemplateError):
        assert isinstance(render(text, VALUES, name="x"), str)


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_b64enc_is_base64_of_utf8_and_b64dec_takes_it_back(text: str) -> None:
    assert render("{{b64enc .X}}", {"X": text}, name="x") == base64.b64encode(text.encode()).decode()
    assert render("{{.X | b64enc | b64dec}}", {"X": text}, name="x") == text
