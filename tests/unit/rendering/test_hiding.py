"""Secrets in templates: what can be written, and that nothing else can be done, or done unnoticed."""

from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from fleetctl.model import codes, placeholders, secretrefs
from fleetctl.rendering import bundles, environments, hiding

A = secretrefs.Reference("env", "A")
P = placeholders.text
DATA: dict[str, Any] = {
    "site": {"name": "store-1", "nodes": [{"vars": {"pin": {"secretRef": {"provider": "file", "key": "pin"}}}}]},
    "values": {
        "a": {"secretRef": {"provider": "env", "key": "A"}},
        "list": [{"secretRef": {"provider": "exec", "key": ["pass", "a b"]}}],
        "text": "plain-s3cret",
        "bad": {"secretRef": {"provider": "env", "key": 1}},
        "vars": {"b": {"secretRef": {"provider": "env", "key": "INNER"}}},
    },
    "vars": {"b": {"secretRef": {"provider": "env", "key": "B"}}, "marker": P(A), "half": "((fleetctl/secret/env/"},
}


def _rendered(text: str, **more: str) -> str:
    sources = {
        name: bundles.Source(name, name, said)
        for name, said in {"t.yaml.j2": text, **{f"{key}.j2": said for key, said in more.items()}}.items()
    }
    environment = environments.Environment(sources)
    calls = hiding.Calls(DATA)
    context = {**DATA, "secret": calls, "secret_hash": calls.hash}
    return environment.render(environment.compile(sources["t.yaml.j2"]), context)


def _fault(text: str, **more: str) -> environments.TemplateFault:
    with pytest.raises(environments.TemplateFault) as caught:
        _rendered(text, **more)
    return caught.value


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ('{{ secret("a") }}', P(A)),
        ('{{ secret("values.a") }}', P(A)),
        ('{{ secret("list[0]") }}', P(secretrefs.Reference("exec", ("pass", "a b")))),
        ('{{ secret("vars.b") }}', P(secretrefs.Reference("env", "B"))),
        ('{{ secret("values.vars.b") }}', P(secretrefs.Reference("env", "INNER"))),
        ('{{ secret("site.nodes[0].vars.pin") }}', P(secretrefs.Reference("file", "pin"))),
        ('{{ secret_hash("a") }}', P(A, "hash")),
        ('{{ secret("a") | b64enc }}', P(A, "base64")),
        ('{{ secret("a") | k }}', f'"{P(A, "json")}"'),
        ('{{ secret("a") | tojson }}', f'"{P(A, "json")}"'),
        ('{{ secret("a") | quote }}', f'"{P(A, "json")}"'),
        ('{{ secret("a") | toyaml }}', f'"{P(A, "json")}"'),
        ('{{ secret("a") | b64enc | k }}', f'"{P(A, "base64")}"'),
        ('{{ secret_hash("a") | k }}', f'"{P(A, "hash")}"'),
        ('{{ {"x": secret("a"), "y": [1]} | k }}', f'{{"x": "{P(A, "json")}", "y": [1]}}'),
        ('{{ {"x": [secret("a")]} | toyaml }}', f'x:\n- "{P(A, "json")}"'),
        ('{{ {"x": secret("a")} | toyaml | nindent(2) }}', f'\n  x: "{P(A, "json")}"'),
        ('{{ "u:" ~ secret("a") ~ 1 ~ true }}', f"u:{P(A)}1true"),
        ('{{ "u:" + secret("a") + "@" }}', f"u:{P(A)}@"),
        ('{{ ("\n" ~ secret("a")) | trim }}', P(A)),
        ('{{ ("a\n" ~ secret("a")) | indent(2) }}', f"a\n  {P(A)}"),
        ('{{ secret("a") | required("no") }}', P(A)),
        ('{{ secret("a") | default("b") }}', P(A)),
        ('{{ [secret("a")] | first }}', P(A)),
        ('{% set x = secret("a") %}{{ x }}{{ x }}', P(A) * 2),
        ('{% set x %}u:{{ secret("a") }}{% endset %}{{ x ~ "@" }}', f"u:{P(A)}@"),
        ('{% macro m(x) %}{{ x }}!{% endmacro %}{{ m(secret("a")) | indent }}', f"{P(A)}!"),
        ('{% filter indent(2, true) %}{{ secret("a") }}{% endfilter %}', f"  {P(A)}"),
        ('{% if secret("a") is defined %}{{ secret("a") }}{% endif %}', P(A)),
        ('{% for name in ["a"] %}{{ secret(name) }}{% endfor %}', P(A)),
        ("{% if values.a is defined %}1{% endif %}", "1"),
        ("{{ vars.half }}", "((fleetctl/secret/env/"),
    ],
)
def test_what_can_be_written(text: str, made: str) -> None:
    """A placeholder that says which secret, and what is to be done with it."""
    assert _rendered(text) == made


_REFUSALS = {codes.Code.TEMPLATE_SECRET, codes.Code.TEMPLATE_FAILED, codes.Code.TEMPLATE_UNPRINTABLE}
_SECRET = 'secret("a")'  # noqa: S105  # a call in a template
_JOINED = '(secret("a") ~ "x")'
_CAPTURED = '{% set x %}{{ secret("a") }}{% endset %}'


@pytest.mark.parametrize(
    "text",
    [
        *(f"{{{{ {_SECRET}{said} }}}}" for said in ("[0]", "[:3]", "[-1:]", ".upper()", ".x", '["x"]', "()")),
        *(
            f"{{{{ {_SECRET} {said} }}}}"
            for said in ('== "a"', '!= "a"', '< "a"', "+ 1", "* 2", '% "a"', "- 1", "** 2")
        ),
        *(f"{{{{ {said} {_SECRET} }}}}" for said in ('"a" ==', '"a" in', "not", "-", "1 +", '"%s" %', "2 *")),
        *(
            f"{{{{ {_SECRET} | {name} }}}}"
            for name in (
                *(
                    "sha256",
                    "upper",
                    "lower",
                    "title",
                    "capitalize",
                    "length",
                    "count",
                    "list",
                    "string",
                    "int",
                    "float",
                ),
                *(
                    "reverse",
                    "sort",
                    "unique",
                    "urlencode",
                    "e",
                    "safe",
                    "truncate(9)",
                    "center",
                    "wordcount",
                    "dns1123",
                ),
                *(
                    "wordwrap",
                    "striptags",
                    "format(1)",
                    'replace("a", "b")',
                    "abs",
                    "round",
                    "filesizeformat",
                    "dictsort",
                ),
                *(
                    'default("b", true)',
                    'join(",")',
                    'trim("(")',
                    "last",
                    "first",
                    "sum",
                    "batch(2)",
                    "items",
                    'attr("x")',
                ),
            )
        ),
        *(
            f"{{{{ {_SECRET} is {name} }}}}"
            for name in ("string", "sequence", "iterable", 'eq("a")', "lower", 'in(["a"])')
        ),
        *(f"{{{{ {_JOINED} | {name} }}}}" for name in ("b64enc", "k", "quote", "toyaml", "sha256", "upper", "length")),
        *(
            _CAPTURED + f"{{{{ x{said} }}}}"
            for said in ("[:3]", " | upper", " | sha256", " == 1", "|length", ".strip()")
        ),
        f"{{{{ [{_SECRET}, 1] | join }}}}",
        f'{{{{ "{{}}".format({_SECRET}) }}}}',
        f'{{{{ ",".join([{_SECRET}]) }}}}',
        f'{{{{ "a".replace("a", {_SECRET}) }}}}',
        f"{{{{ {{{_SECRET}: 1}} | k }}}}",
        f'{{{{ {{"a": {_SECRET}}} | sha256 }}}}',
        f'{{{{ {{"a": {_SECRET}}}[{_SECRET}] }}}}',
        f"{{% if {_SECRET} %}}1{{% endif %}}",
        f"{{{{ 1 if {_SECRET} else 2 }}}}",
        f"{{% for c in {_SECRET} %}}{{{{ c }}}}{{% endfor %}}",
        f"{{% filter upper %}}{{{{ {_SECRET} }}}}{{% endfilter %}}",
        f"{{% macro m() %}}{{{{ {_SECRET} }}}}{{% endmacro %}}{{{{ m()[:4] }}}}",
        f"{{% macro m() %}}{{{{ caller() | b64enc }}}}{{% endmacro %}}{{% call m() %}}x{{{{ {_SECRET} }}}}{{% endcall %}}",  # noqa: E501
        f'{{{{ "a" if "b" is in {_SECRET} }}}}',
    ],
)
def test_nothing_else_can_be_done(text: str) -> None:
    """It fails at its line, mostly by the code that says why; no way of looking at the placeholder gets through."""
    fault = _fault(f"\n{text}")
    assert fault.line == 2
    assert fault.code in _REFUSALS, fault.message
    assert placeholders.MARK not in fault.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{{ secret("b") }}', 'secret("b"): there is no values.b'),
        ('{{ secret("lisst[0]") }}', 'secret("lisst[0]"): there is no values.lisst; did you mean "list"?'),
        ('{{ secret_hash("text") }}', 'secret_hash("text"): values.text is a plain value, not a reference (secretRef)'),
        ('{{ secret("list") }}', 'secret("list"): values.list is a list, not a reference (secretRef)'),
        ('{{ secret("bad") }}', 'secret("bad"): secretRef.key: expected text, got the number 1'),
        ("{{ secret(values.a) }}", 'secret takes the name of a secret, such as secret("db.password")'),
        ('{{ secret("") }}', 'secret takes the name of a secret, such as secret("db.password")'),
        ('{{ secret("a..b") }}', 'secret("a..b"): the name is not a path such as db.password'),
        (
            "{{ values | k }}",
            'a reference to a secret is in here, which is not the secret; write secret("NAME")',
        ),
        ("{{ vars.marker }}", 'text that looks like the placeholder of a secret; only secret("NAME") may make one'),
        ("{{ vars.half }}A))", 'text that looks like the placeholder of a secret; only secret("NAME") may make one'),
        (
            '(({{ "fleetctl/secret/env/HOME))" }}',
            'text that looks like the placeholder of a secret; only secret("NAME") may make one',
        ),
    ],
)
def test_what_a_name_must_be(text: str, message: str) -> None:
    """A name leads to a reference; the message quotes no value, and nobody makes placeholders by hand."""
    fault = _fault(text)
    assert (fault.code, fault.message) == (codes.Code.TEMPLATE_SECRET, message)


def test_includes_and_imports() -> None:
    """Partials see secrets as they see values: included ones at once, imported ones with context."""
    include = '{% include "part.j2" %}'
    part = '{{ secret("a") }}'
    assert _rendered(include, part=part) == P(A)
    macro = "{% macro m() %}" + part + "{% endmacro %}"
    assert _rendered('{% import "part.j2" as p with context %}{{ p.m() }}', part=macro) == P(A)
    fault = _fault('{% import "part.j2" as p %}{{ p.m() }}', part=macro)
    assert fault.message == '"secret" is not known in an imported template; import it "with context"'


def test_it_does_not_leave_by_accident() -> None:
    """Python and msgspec get no text of it either."""
    hidden = hiding.Calls(DATA)("a")
    assert repr(hidden) == "a secret"
    with pytest.raises(hiding.Misuse):
        str(hidden)
    with pytest.raises(TypeError):
        msgspec.json.encode(hidden)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@hypothesis.given(_TEXT.filter(bool), st.lists(_TEXT.filter(bool), min_size=1, max_size=3))
def test_placeholders_are_read_as_they_were_written(key: str, words: list[str]) -> None:
    """Whatever the key is, the placeholder is one word that YAML and JSON leave alone, and gives the reference back."""
    for reference in (secretrefs.Reference("file", key), secretrefs.Reference("exec", tuple(words))):
        for form in ("secret", "base64", "json", "hash"):
            text = P(reference, form)
            (found,) = placeholders.found(f"a{text}b")
            assert (found.reference, found.form, found.start, found.end) == (reference, form, 1, 1 + len(text))
            assert msgspec.json.encode(text).decode() == f'"{text}"'
            assert not any(sign.isspace() for sign in text)
