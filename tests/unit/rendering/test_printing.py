"""What becomes text, whichever way, is what may be printed: the same bytes in every run, and never Python's own."""

import jinja2.filters
import pytest

from fleetctl.model import codes, sites
from fleetctl.rendering import environments, printing
from tests.unit.rendering import making

CONTEXT = {"t": True, "n": None, "m": {"a": 1}, "l": [True, 1.5, "x"], "s": "text", "i": 7}
_WAYS = [
    "{{ VALUE ~ '' }}",
    "{{ '' ~ ('a' ~ VALUE) }}",
    "{% set x = '' ~ VALUE %}{{ x }}",
    "{{ [VALUE] | join(',') }}",
    "{{ ['a', 'b'] | join(VALUE) }}",
    "{{ [{'v': VALUE}] | join(',', attribute='v') }}",
    "{{ [VALUE] | map('string') | join }}",
    "{{ '%s' | format(VALUE) }}",
    "{{ '%(v)s' | format(v=VALUE) }}",
    "{{ '%s' % VALUE }}",
    "{{ '%s' % (VALUE,) }}",
    "{{ '%(v)s' % {'v': VALUE} }}",
    "{{ '{}'.format(VALUE) }}",
    "{{ '{v}'.format(v=VALUE) }}",
    "{{ '{v!r}'.format(v=VALUE) }}",
    "{{ '{v}'.format_map({'v': VALUE}) }}",
    "{{ ('{}' | attr('format'))(VALUE) }}",
    "{{ 'a' | replace('a', VALUE) }}",
    *(f"{{{{ VALUE | {name} }}}}" for name in ("string", "upper", "lower", "trim", "indent", "e", "safe", "urlencode")),
]


def _render(text: str) -> str:
    source = making.source(text)
    environment = environments.Environment({source.name: source})
    return environment.render(environment.compile(source), CONTEXT)


def _said(text: str) -> tuple[codes.Code, str]:
    with pytest.raises(environments.TemplateFault) as caught:
        _render(text)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("value", ["s.lower", "n", "m", "l", "joiner(',')", "1e308 * 10 * i", "range(3)", "zz"])
def test_no_way_prints_what_is_no_text(way: str, value: str) -> None:
    """Methods have addresses that differ between runs; null and maps would be Python's."""
    code, _ = _said(way.replace("VALUE", f"({value})"))
    assert code is (codes.Code.TEMPLATE_UNDEFINED if value == "zz" else codes.Code.TEMPLATE_UNPRINTABLE)


@pytest.mark.parametrize("way", [way for way in _WAYS if "upper" not in way and "!r" not in way])
def test_every_way_spells_booleans_as_yaml_does(way: str) -> None:
    """As does ``{{ true }}``."""
    assert "true" in _render(way.replace("VALUE", "t"))


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{{ 'a' ~ 1 ~ i ~ 1.5 }}", "a171.5"),
        ("{{ '%05d|%.2f|%s|%x' | format(i, 1.5, s, 255) }}", "00007|1.50|text|ff"),
        ("{{ '%d%%' % 5 }}{{ 7 % 4 }}", "5%3"),
        ("{{ '{:>5}|{:.1f}|{0}'.format(1, 2) }}", None),
        ("{{ '{:>5}|{:.1f}'.format(i, 2) }}", "    7|2.0"),
        ("{{ '{0[a]}'.format(m) }}", "1"),
        ("{{ l | join('-') }}{{ [] | join }}", "true-1.5-x"),
        ("{{ 'a-a-a' | replace('a', i, 2) }}", "7-7-a"),
        ("{{ 'a\nb' | indent(2) }}|{{ 'a\nb' | indent(2, first=true) }}", "a\n  b|  a\n  b"),
        ("{{ 2 ** 10 }} {{ 'ab' * 3 }} {{ [1] * 2 | k }} {{ 2.5 * 2 }} {{ 2 ** -1 }}", None),
        ("{{ 2 ** 10 }} {{ 'ab' * 3 }} {{ ([1] * 2) | k }} {{ 2.5 * 2 }} {{ 2 ** -1 }}", "1024 ababab [1, 1] 5.0 0.5"),
    ],
)
def test_what_may_be_printed(text: str, rendered: str | None) -> None:
    """Formats of numbers are left to Python; None here: a fault."""
    if rendered is None:
        assert _said(text)[0] in (codes.Code.TEMPLATE_FAILED, codes.Code.TEMPLATE_UNPRINTABLE)
    else:
        assert _render(text) == rendered


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ i ** (i ** i) }}", "7 ** 823543 has more than 4,096 bits"),
        ("{{ 10 ** (10 ** 9) }}", "** is out of bounds"),
        ("{{ 'x' * 4000001 }}", 'the text "x" repeated 4,000,001 times is longer than 4,000,000'),
        ("{{ 4000001 * l }}", "a list repeated 4,000,001 times is longer than 4,000,000"),
    ],
)
def test_operators_have_bounds(text: str, message: str) -> None:
    """A short expression asks for no more memory than there is."""
    assert _said(text) == (codes.Code.TEMPLATE_FAILED, message)


def test_every_filter_of_jinja_is_known_here() -> None:
    """A filter that a new Jinja brings is looked at before templates have it."""
    data = {"abs", "attr", "batch", "count", "d", "default", "dictsort", "filesizeformat", "first", "float", "groupby"}
    data |= {"int", "items", "last", "length", "list", "map", "max", "min", "reject", "rejectattr", "reverse", "round"}
    data |= {"select", "selectattr", "slice", "sort", "sum", "tojson", "unique"}
    assert set(jinja2.filters.FILTERS) == data | (set(printing.FILTERS) - {"~"}) | set(printing.REMOVED)


def test_a_site_leaves_nothing_behind_for_the_next() -> None:
    """What an imported template keeps lives as long as one rendering."""
    kept = "{% set ns = namespace(seen=[]) %}{% macro add(x) %}{% set ns.seen = ns.seen + [x] %}{{ ns.seen | k }}"
    using = '{% from "_n.j2" import add %}' + making.config_map("a", "a: {{ add(site.name) | quote }}")
    files = {"_n.j2": kept + "{% endmacro %}", "a.yaml.j2": using}
    both = {release.site: release.digest for release in making.made(files, s1={}, s2={})}
    (alone,) = making.made(files, s2={})
    assert both["s2"] == alone.digest
    assert sites.Site("s1").name in both
