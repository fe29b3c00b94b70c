"""Lines of rendered text back to lines of templates: through loops, macros, includes, imports, set blocks, filters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.model import problems
from fleetctl.rendering import environments, sourcemaps
from tests.unit.rendering import making


def _lines(text: str, **others: str) -> list[str]:
    """Return, for each line of what a template renders to, the line with its template and line in front."""
    source = making.source(text, "a")
    sources = {source.name: source, **{name: making.source(other, name) for name, other in others.items()}}
    sources = {f"{name}.j2": making.source(one.text, f"{name}.j2") for name, one in sources.items()}
    source = sources["a.j2"]
    environment = environments.Environment(sources)
    made = environment.render(environment.compile(source), {"n": 2})
    found = sourcemaps.SourceMap(sources)
    places = []
    for number, line in enumerate(made.split("\n"), 1):
        column = len(line) - len(line.lstrip()) + 1
        place = found.place(source, {"n": 2}, made, problems.Mark("", number, column))
        mark = "?" if place is None else f"{place.mark.path[4]}{place.mark.line}"
        places.append(f"{mark} {line}")
    return places[:-1] if places[-1].endswith(" ") else places


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x\ny\n", ["a1 x", "a2 y"]),
        ("{% if n %}\nx\n{% endif %}\ny\n", ["a2 x", "a4 y"]),
        ("{% if n %}\n  {% if n %}\nx\n  {% endif %}\n{% endif %}\ny\n", ["a3 x", "a6 y"]),
        ("x\n\n\n{%- if n %}\n\ny\n{% endif -%}\n\n\nz\n", ["a1 x", "a6 y", "a10 z"]),
        ("{% for i in range(n) %}\nx\ny{{ i }}\n{% endfor %}\nz\n", ["a2 x", "a3 y0", "a2 x", "a3 y1", "a5 z"]),
        ("{{ 'x' }}\n{{\n'y'\n}}\nz\n", ["a1 x", "a2 y", "a5 z"]),
        ("{# one\ntwo #}\nx\n", ["a3 x"]),
        ("{% raw %}\n{{ x }}\n{% endraw %}\ny\n", ["a2 ", "a2 {{ x }}", "a4 y"]),
        ("{% macro m(x) %}\nx{{ x }}\ny\n{% endmacro %}\n{{ m(1) }}z\n", ["a2 x1", "a3 y", "a5 z"]),
        (
            "{% macro m() -%}\nx\n  y\n{%- endmacro %}\nk:\n  {{ m() | indent(2) }}\nz\n",
            ["a5 k:", "a2   x", "a3     y", "a7 z"],
        ),
        (
            "{% macro m() -%}\nx\ny\n{%- endmacro %}\nk:{{ m() | nindent(2) }}\nz\n",
            ["a5 k:", "a2   x", "a3   y", "a6 z"],
        ),
        (
            "{% set s %}\n\nx\ny\n\n{% endset %}\nk:{{ s | trim | nindent(1) }}\nz\n",
            ["a7 k:", "a3  x", "a4  y", "a8 z"],
        ),
        ("{% set s %}x{% endset %}\n{{ s | sha256 | k }}\ny\n", ["a2 ", "a3 y"]),
        ("{% filter indent(2, true) %}\nx\ny\n{% endfilter %}\nz\n", ["a2   x", "a3   y", "a5 z"]),
        ("{% macro m() %}{{ caller() }}{% endmacro %}\n{% call m() %}\nx\n{% endcall %}\ny\n", ["a3 x", "a5 y"]),
        ("{{ 'x\\ny\\nz' }}\nq\n", ["a1 x", "a1 y", "a1 z", "a2 q"]),
        ("{{ {'x': 1, 'z': [2]} | toyaml }}\nq\n", ["a1 x: 1", "a1 z:", "a1 - 2", "a2 q"]),
        ("x\r\ny\n", ["a1 x", "a2 y"]),
    ],
)
def test_one_template(text: str, lines: list[str]) -> None:
    """Each rendered line is traced to the line that a person has to change."""
    found = _lines(text)
    assert [line if "sha" not in text or line.startswith("a3") else line[:3] for line in found] == lines


@pytest.mark.parametrize(
    ("text", "other", "lines"),
    [
        ("x\n{% include 'b.j2' %}\nz\n", "\ny\n", ["a1 x", "a1 ", "b2 y", "a3 z"]),
        ("x\n  {% include 'b.j2' %}\nz\n", "y\n  {{ n }}\n", ["a1 x", "b1 y", "b2   2", "a3 z"]),
        ("{% import 'b.j2' as b %}\n{{ b.m() }}z\n", "{# c #}\n{% macro m() %}\nx\n{% endmacro %}\n", ["b3 x", "a2 z"]),
        (
            "{% from 'b.j2' import m %}\nk:{{ m() | nindent(1) }}\n",
            "{% macro m() -%}\nx\ny\n{%- endmacro %}",
            ["a2 k:", "b2  x", "b3  y"],
        ),
        (
            "{% set s %}{% include 'b.j2' %}{% endset %}\nk:{{ s | trim | nindent(1) }}\nz\n",
            "\n \nx\n\ny\n",
            ["a2 k:", "b3  x", "b3 ", "b5  y", "a3 z"],
        ),
        (
            "{% extends 'b.j2' %}\n{% block c %}\nx\n{% endblock %}\n",
            "y\n{% block c %}\n{% endblock %}\nz\n",
            ["b1 y", "a3 x", "b4 z"],
        ),
    ],
)
def test_two_templates(text: str, other: str, lines: list[str]) -> None:
    """What comes from another template is traced to that template."""
    assert _lines(text, b=other) == lines


def test_columns_tell_expressions_apart() -> None:
    """Two macros that make one line are told apart by where their text begins."""
    text = "{% macro m() %}x{% endmacro %}\n{% macro o() %}y{% endmacro %}\n{{ m() }}-{{ o() }}\n"
    sources = {"a.j2": making.source(text, "a.j2")}
    found = sourcemaps.SourceMap(sources)
    lines = {}
    for column in range(1, 4):
        place = found.place(sources["a.j2"], {}, "x-y\n", problems.Mark("", 1, column))
        assert place is not None
        lines[column] = place.mark.line
    assert lines == {1: 1, 2: 3, 3: 2}


def test_all_that_makes_a_line_is_known() -> None:
    """In order, so that lines that run together can be told."""
    text = "x {% if true %}y{% endif %}\nz\n"
    sources = {"a.j2": making.source(text, "a.j2")}
    place = sourcemaps.SourceMap(sources).place(sources["a.j2"], {}, "x yz\n", problems.Mark("", 1, 4))
    assert place is not None
    assert [mark.line for mark in place.of_line] == [1, 1, 2]
    assert place.mark.line == 2


def test_a_template_that_looks_at_its_own_output_is_not_guessed_at() -> None:
    """Markers change what it does: better no line than a wrong one."""
    looks = "{% set s %}\nx\n{% endset %}\n{% for l in s.split('\\n') if l == 'x' %}\nk\n{% endfor %}\nz\n"
    assert _lines(looks) == ["? k", "? z"]
    fails = "{% set s %}x{% endset %}\n{{ {'x': 'k'}[s] }}\n"
    assert _lines(fails) == ["? k"]


@pytest.mark.parametrize(
    "value",
    ["\ue0000:1\ue001", "\ue0009999:1\ue001", f"\ue000{'9' * 5000}:1\ue001", "\ue000", "\ue001", "\ue000x:1\ue001"],
)
def test_values_that_look_like_markers_break_nothing(value: str) -> None:
    """A wrong line at worst."""
    sources = {"a.j2": making.source("{{ v }}\nx\n", "a.j2")}
    assert sourcemaps.SourceMap(sources).place(sources["a.j2"], {"v": value}, f"{value}\nx\n", problems.Mark("", 2, 1))


@given(
    st.lists(
        st.sampled_from(
            ["t", "{{ n }}", "{% if n %}", "{% endif %}", "  {# c #}", "", "{{ 'a\\nb' }}", "{%- if n -%}"]
        ),
        max_size=8,
    )
)
def test_markers_change_nothing(lines: list[str]) -> None:
    """Of any template that renders, every rendered line has a place, in order, unless nothing but space is rendered."""
    try:
        found = _lines("".join(f"{line}\n" for line in lines))
    except environments.TemplateFault:
        return
    numbers = [int(line.split()[0][1:]) for line in found if line.split()[0] != "?"]
    assert numbers == sorted(numbers)
    assert len(numbers) in (0, len(found))
