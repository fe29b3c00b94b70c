"""Which values templates use, and where."""

import pytest

from fleetctl.model import problems
from fleetctl.rendering import environments, usages
from tests.unit.rendering import making


def _used(text: str, description: str = making.BUNDLE) -> list[str]:
    found = usages.usages(making.bundle({"bundle.yaml": description, "a.yaml.j2": text}))
    return [f"{usage.mark.line} {problems.field_text(usage.field)}" for usage in found]


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("{{ values.a }}", ["1 vars.app.a"]),
        ("x\n{{ values.a.b.c }}", ["2 vars.app.a.b.c"]),
        ("{{ values['a']['b-c'] }}", ["1 vars.app.a.b-c"]),
        ("{{ values.a[0].b }}", ["1 vars.app.a[0].b"]),
        ("{{ values.a[n].b }}", ["1 vars.app.a"]),
        ("{{ vars.a.b }}", ["1 vars.a.b"]),
        ("{{ site.name }}{{ site.labels.region }}", ["1 labels.region", "1 name"]),
        ("{{ values }}", ["1 vars.app"]),
        ("{% for k, v in values.a.items() %}{{ v }}{% endfor %}", ["1 vars.app.a"]),
        ("{% for v in values.a | dictsort %}{% endfor %}", ["1 vars.app.a"]),
        ("{% if values.a is defined and values.b > 1 %}{% endif %}", ["1 vars.app.a", "1 vars.app.b"]),
        ("{% set t = values.a %}\n{{ t.b }}", ["1 vars.app.a", "2 vars.app.a.b"]),
        ("{% macro m(x) %}{{ values.a }}{% endmacro %}\n", ["1 vars.app.a"]),
        ("{{ values.a }}\n{{ values.a }}{{ values.a }}", ["1 vars.app.a", "2 vars.app.a"]),
        ("{{ bundle.name }}{{ fleet.name }}{{ 1 }}", []),
        ("{# {{ values.a }} #}{% raw %}{{ values.b }}{% endraw %}", []),
    ],
)
def test_usages(text: str, used: list[str]) -> None:
    """Chains of names and constants, through aliases; a computed key uses all that it could mean."""
    assert _used(text) == used


def test_values_key_names_the_vars() -> None:
    """A bundle with a valuesKey reads those vars."""
    assert _used("{{ values.a }}", making.BUNDLE + "valuesKey: pos\n") == ["1 vars.pos.a"]


def test_includes_are_looked_at_and_plain_files_are_not() -> None:
    """Every template of the bundle counts, whether it makes objects or not."""
    files = {"_part.j2": "{{ values.a }}", "b.yaml": "{{ values.b }}"}
    assert [str(usage.mark) for usage in usages.usages(making.bundle(files))] == ["app/_part.j2:1"]


def test_a_template_that_does_not_compile_is_a_fault() -> None:
    """There is nothing to say about it."""
    with pytest.raises(environments.TemplateFault):
        _used("{% if %}")


@pytest.mark.parametrize(
    ("field", "lines"),
    [
        (("vars", "app", "a"), [1, 2]),
        (("vars", "app", "a", "b"), [1, 2]),
        (("vars", "app", "a", "c"), [1]),
        (("vars", "app"), [1, 2, 3]),
        (("vars",), [1, 2, 3]),
        (("vars", "ap"), []),
        (("labels", "region"), []),
    ],
)
def test_touching(field: problems.Field, lines: list[int]) -> None:
    """A value is touched by what reads it, a part of it, or something around it."""
    known = usages.usages(making.bundle({"a.yaml.j2": "{{ values.a | k }}\n{{ values.a.b }}\n{{ values.d }}\n"}))
    assert [mark.line for mark in usages.touching(known, field)] == lines
