"""The sandbox: what templates may say, and that whatever they say ends in text or in a typed fault."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fleetctl.model import codes, errors, values
from fleetctl.rendering import environments
from tests.unit.rendering import making

CONTEXT = {"values": {"a": {"b": "c"}, "l": [1, 2], "n": None, "t": "text"}, "site": {"name": "s1"}}


def _render(text: str, **others: str) -> str:
    source = making.source(text)
    sources = {source.name: source, **{f"{n}.j2": making.source(t, f"{n}.j2") for n, t in others.items()}}
    environment = environments.Environment(sources)
    return environment.render(environment.compile(source), CONTEXT)


def _fault(text: str, **others: str) -> environments.TemplateFault:
    with pytest.raises(environments.TemplateFault) as caught:
        _render(text, **others)
    return caught.value


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{{ true }} {{ 1 }} {{ 1.5 }} {{ 1e22 }} {{ 'x' }}", "true 1 1.5 1.0e+22 x"),
        ("{% if true %}\na\n{% endif %}\n", "a\n"),
        ("  {% if true %}\n  a\n  {% endif %}\nb", "  a\nb"),
        ("a\n{# c #}\nb\n", "a\nb\n"),
        ("{{ values.a | k }}", '{"b": "c"}'),
        ("{{ values | dictsort | first | first }}", "a"),
        ("{{ values.zz | default('d') }}", "d"),
        (
            "{{ namespace(x=1).x }}{{ dict(a=1).a }}{{ cycler('a', 'b').next() }}{{ range(3) | list | k }}",
            "11a[0, 1, 2]",
        ),
        ("{{ {'items': 1, 'keys': 2}.items }}", "1"),
        ("{{ {'a': 1}.items() | length }}", "1"),
        ("<{{ '<&>' }}>", "<<&>>"),
    ],
)
def test_text(text: str, rendered: str) -> None:
    """Block tags leave no lines, booleans and numbers are YAML's, keys come before methods, nothing is HTML."""
    assert _render(text) == rendered


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a\n{{ values.x }}", codes.Code.TEMPLATE_UNDEFINED, 2),
        ("a\n{{ x }}", codes.Code.TEMPLATE_UNDEFINED, 2),
        ("a\n\n{% if values.x %}{% endif %}", codes.Code.TEMPLATE_UNDEFINED, 3),
        ("{% for x in values.x %}{% endfor %}", codes.Code.TEMPLATE_UNDEFINED, 1),
        ("{{ values.n }}", codes.Code.TEMPLATE_UNPRINTABLE, 1),
        ("{{ values.a }}", codes.Code.TEMPLATE_UNPRINTABLE, 1),
        ("{{ values.l }}", codes.Code.TEMPLATE_UNPRINTABLE, 1),
        ("{{ (1, 2) }}", codes.Code.TEMPLATE_UNPRINTABLE, 1),
        ("{{ range }}", codes.Code.TEMPLATE_UNPRINTABLE, 1),
        ("{{ values.items }}", codes.Code.TEMPLATE_UNPRINTABLE, 1),
        ("a\n{% frob %}", codes.Code.TEMPLATE_SYNTAX, 2),
        ("{{ 1 | frob }}", codes.Code.TEMPLATE_SYNTAX, 1),
        ("{{ 1 / 0 }}", codes.Code.TEMPLATE_FAILED, 1),
        ("{% include 'b.j2' %}", codes.Code.TEMPLATE_FAILED, 1),
        ("{{ '' | required('why') }}", codes.Code.TEMPLATE_FAILED, 1),
        ("{% macro m() %}{{ m() }}{% endmacro %}\n{{ m() }}", codes.Code.TEMPLATE_FAILED, 1),
        ("{{ " + "(" * 2000 + ")" * 2000 + " }}", codes.Code.TEMPLATE_FAILED, 0),
        ("{% if 1 %}" * 120 + "{% endif %}" * 120, codes.Code.TEMPLATE_FAILED, 0),
        ("{% for x in [1] %}" * 30 + "{% endfor %}" * 30, codes.Code.TEMPLATE_FAILED, 0),
        ("{{ " + "9" * 5000 + " }}", codes.Code.TEMPLATE_FAILED, 0),
    ],
)
def test_faults_are_typed_and_have_a_line(text: str, code: codes.Code, line: int) -> None:
    """Python's own limits in compiling have no line, everything else has."""
    fault = _fault(text)
    assert (fault.code, fault.source, fault.line) == (code, "app/a.yaml.j2", line)


@pytest.mark.parametrize(
    "expression",
    [
        "values.__class__",
        "values['__class__']",
        "''.__class__.__mro__",
        "values | attr('__class__')",
        "values.a.__init__.__globals__",
        "'{0.__class__}'.format(values)",
        "'{x.__class__}'.format_map({'x': values})",
        "range.__globals__",
        "cycler.__init__.__globals__",
        "namespace.__init__",
        "self.__init__",
        "(values | map(attribute='__class__') | list)[0]",
        "[values] | map(attribute='__class__') | first",
        "([values] | groupby('__class__') | first)[0]",
        "values.update({'a': 1})",
        "values.clear()",
        "values.pop('a')",
        "values.popitem()",
        "values.setdefault('x', 1)",
        "values.l.append(1)",
        "values.l.sort()",
        "values.l.reverse()",
        "values.l.clear()",
        "values.a.update(x=1)",
        "range(100001)",
        "range(-10, 10000000)",
        "lipsum()",
        "now()",
        "random()",
        "[1, 2] | random",
        "env('HOME')",
        "lookup('file', 'x')",
        "open('x')",
        "import('os')",
        "request",
        "config",
    ],
)
def test_nothing_leads_out_and_nothing_differs_between_two_runs(expression: str) -> None:
    """Classes, mutation, huge loops, clock, chance, environment and files: each is a fault, and values stay."""
    before = repr(CONTEXT)
    fault = _fault(f"{{{{ {expression} }}}}")
    assert fault.code in {
        codes.Code.TEMPLATE_FORBIDDEN,
        codes.Code.TEMPLATE_UNDEFINED,
        codes.Code.TEMPLATE_FAILED,
        codes.Code.TEMPLATE_SYNTAX,
    }
    assert repr(CONTEXT) == before


@pytest.mark.parametrize(
    "statement", ["{% set values.a = 1 %}", "{% set site.name = 'x' %}", "{% do values.clear() %}", "{% debug %}"]
)
def test_statements_cannot_change_values(statement: str) -> None:
    """Only a namespace of the template's own takes assignments."""
    before = repr(CONTEXT)
    _fault(f"a\n{statement}")
    assert repr(CONTEXT) == before


@pytest.mark.parametrize("name", ["../b.j2", "/b.j2", "b.yaml", "./b.j2", "deep/../b.j2", "", "..", "b.j2\x00"])
@pytest.mark.parametrize("tag", ["include", "import", "extends"])
def test_only_templates_of_the_bundle_are_found(name: str, tag: str) -> None:
    """By their exact names; there is no path to climb."""
    statement = f"{{% {tag} {name!r}{' as m' if tag == 'import' else ''} %}}"
    source = making.source(statement)
    environment = environments.Environment({source.name: source, "b.j2": making.source("x", "b.j2")})
    with pytest.raises(environments.TemplateFault) as caught:
        environment.render(environment.compile(source), {})
    assert caught.value.code is codes.Code.TEMPLATE_FAILED


def test_an_include_that_may_be_missing_is_left_out() -> None:
    """As Jinja documents it."""
    assert _render("a{% include 'b.j2' ignore missing %}c") == "ac"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ values.aa }}", 'there is no "aa" in this map; did you mean "a"?'),
        ("{{ values.zebra }}", 'there is no "zebra" in this map; there is: a, l, n, t'),
        ("{{ {}.zebra }}", 'there is no "zebra" in this map, which is empty'),
        ("{{ valuse }}", '"valuse" is not defined; did you mean "values"?'),
        ("{{ zebra }}", '"zebra" is not defined; there is: bundle, fleet, secret, secret_hash, site, values, vars'),
        ("{{ values.t.x }}", 'the text "text" has no "x"'),
        ("{{ values.l.x }}", 'a list has no "x"'),
        ("{{ [] | first }}", "No first item, sequence was empty."),
        ("{{ values.__class__ }}", '"__class__" is not open to templates'),
        ("{{ values.clear() }}", '"clear" would change a value, which stays as it is'),
        ("{{ 1 | toyml }}", "No filter named 'toyml'. Did you mean \"toyaml\"?"),
        ("{{ 1 is odds }}", "No test named 'odds'. Did you mean \"odd\"?"),
        ("{{ 'a' + 1 }}", 'can only concatenate str (not "int") to str; join text with ~, which takes numbers too'),
        ("{{ range(10 ** 6) }}", "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000)."),
    ],
)
def test_messages_say_what_there_is(text: str, message: str) -> None:
    """A fault names what was probably meant, and what would do."""
    assert _fault(text).message == message


def test_many_keys_are_cut() -> None:
    """A map of a hundred keys does not fill the screen."""
    fault = _fault("{{ {'a1':1,'a2':1,'a3':1,'a4':1,'a5':1,'a6':1,'a7':1,'a8':1,'a9':1}.zebra }}")
    assert fault.message.endswith("there is: a1, a2, a3, a4, a5, a6, a7, a8, ...")


def test_faults_of_includes_and_macros_name_their_own_lines() -> None:
    """The line to change, not the line that called it."""
    fault = _fault("{% include 'b.j2' %}", b="x\n{{ values.x }}\n")
    assert (fault.source, fault.line) == ("app/b.j2", 2)
    fault = _fault(
        "{% import 'b.j2' as b with context %}\n{{ b.m() }}", b="{% macro m() %}\n\n{{ values.x }}{% endmacro %}"
    )
    assert (fault.source, fault.line) == ("app/b.j2", 3)
    fault = _fault("{% include 'b.j2' %}", b="x\n{% frob %}\n")
    assert (fault.source, fault.line) == ("app/b.j2", 2)


def test_imports() -> None:
    """A macro sees our names only if it was imported with context, and a wrong macro is told by its template."""
    fault = _fault("{% import 'b.j2' as b %}{{ b.m() }}", b="{% macro m() %}{{ site.name }}{% endmacro %}")
    assert fault.message == '"site" is not known in an imported template; import it "with context"'
    fault = _fault("{% import 'b.j2' as b %}{{ b.n() }}", b="{% macro m() %}{% endmacro %}")
    assert fault.message == 'the imported template has no "n"; there is: m'


_WORDS = st.sampled_from(
    [
        *("{{ ", " }}", "{% ", " %}", "{# ", " #}", "\n", " ", "-", "+", "if ", "for x in ", "endfor", "endif", "else"),
        *(
            "set x = ",
            "macro m(a)",
            "endmacro",
            "call m()",
            "endcall",
            "include 'a.yaml.j2'",
            "raw",
            "endraw",
            "filter k",
        ),
        *(
            "import 'a.yaml.j2' as m",
            "extends 'a.yaml.j2'",
            "block b",
            "endblock",
            "endset",
            "endfilter",
            "with",
            "endwith",
        ),
        *(
            "values",
            ".a",
            "['l']",
            ".n",
            "site.name",
            "x",
            "loop.index",
            "m",
            "1",
            "0",
            "'t'",
            "none",
            "true",
            "~",
            "/",
        ),
        *(
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ":",
            ",",
            "|k",
            "|toyaml",
            "|nindent(2)",
            "|indent",
            "|first",
            "|sort",
            "|trim",
        ),
        *(
            "|groupby('a')",
            "|map('k')",
            "|dictsort",
            "|default(1)",
            "is defined",
            "|required('r')",
            "|quote",
            "---",
            "...",
        ),
        *("key: ", "- ", "*a", "&a ", "!t ", "\t", "\r", "é", "\ue000", "\ue0000:1\ue001", "|\n  ", "apiVersion: v1\n"),
    ]
)
_TEMPLATES = st.lists(_WORDS, max_size=14).map("".join) | st.text(max_size=40)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    _TEMPLATES, st.dictionaries(st.text(max_size=3), st.none() | st.booleans() | st.integers() | st.text(max_size=5))
)
@example("{{ '\\ud800' }}", {})
@example("a: \ue0009:1\ue001 off", {})
@example("kind: Secret\nb: off", {})
def test_any_template_renders_or_fails_as_input(text: str, given_values: values.Vars) -> None:
    """Whatever a template and values say: a release, or problems with a place; never another exception."""
    try:
        sites = [one.site for one in making.made({"a.yaml.j2": text}, s1={"app": given_values}, s2={"app": {}})]
        found = []
    except errors.InvalidInput as error:
        sites, found = [], error.problems
    assert sites == ["s1", "s2"] or (found and all(problem.mark is not None for problem in found))
