"""The loop over sites: values, releases, digests, and faults told once with all their sites."""

import copy
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.model import codes, errors, problems, releases, sites, values
from fleetctl.rendering import bundles, externals, renderers, rendering
from tests.unit.rendering import making

A = making.config_map("a", "x: {{ values.x | k }}")
SCHEMA = '{"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}}}'


def _bodies(files: dict[str, str], **own: dict[str, object]) -> list[list[bytes]]:
    made = making.made(files, **own)  # type: ignore[arg-type]
    return [[one.body for one in release.objects] for release in made]


def test_values_lie_over_the_bundles() -> None:
    """Key by key; lists and scalars replace."""
    files = {"bundle.yaml": f"{making.BUNDLE}values: {{m: {{a: 1, b: 2}}, l: [1]}}\n"}
    files["a.yaml.j2"] = making.config_map("a", "v: {{ values | k | k }}")
    ((body,),) = _bodies(files, s1={"app": {"m": {"b": 3}, "l": [2]}})
    assert b'{\\"l\\": [2], \\"m\\": {\\"a\\": 1, \\"b\\": 3}}' in body


def test_what_templates_see() -> None:
    """Five names and two functions, and no more; the site without its access, of the fleet only the name."""
    bundle = making.bundle({})
    site = sites.Site("s1", labels={"ring": "1"}, nodes=(sites.Node("n0", "10.0.0.1"),), vars={"app": {"x": 1}})
    context = renderers.context_of(making.fleet(), bundle, site, {"x": 1})
    assert sorted(context) == ["bundle", "fleet", "secret", "secret_hash", "site", "values", "vars"]
    assert context["fleet"] == {"name": "demo"}
    assert context["bundle"] == {"name": "app", "version": "1.0.0", "namespace": "home"}
    assert isinstance(context["site"], dict)
    assert sorted(context["site"]) == ["cluster", "labels", "location", "name", "nodes"]


def test_releases_stand_in_order_of_sites_and_hold_only_assigned_bundles() -> None:
    """A site without the bundle has no release."""
    given_fleet = making.fleet(s1={}, s2={})
    bare = sites.Site("s3")
    rendered = rendering.render(given_fleet, [making.bundle({})], [bare, *given_fleet.sites.values()], lambda *_: None)
    assert [release.site for release in rendered.releases] == ["s1", "s2"]


def test_documents_are_counted_and_so_are_distinct_ones() -> None:
    """Two sites with one value make two documents and one text."""
    files = {"a.yaml.j2": A, "b.yaml": making.config_map("b")}
    fleet = making.fleet(s1={"app": {"x": "1"}}, s2={"app": {"x": "1"}}, s3={"app": {"x": "2"}})
    rendered = rendering.render(fleet, [making.bundle(files)], fleet.sites.values(), lambda *_: None)
    assert (rendered.documents, rendered.distinct) == (6, 3)


def test_the_digest_is_of_objects_not_of_text() -> None:
    """Comments, order of keys and names of files are no change; a value is one."""
    one = making.made({"a.yaml.j2": A}, s1={"app": {"x": "1"}})[0].digest
    other = 'data: {"x": {{ values.x | k }}}\n# comment\nmetadata: {name: a}\nkind: ConfigMap\napiVersion: v1\n'
    assert making.made({"b/c.yaml.j2": other}, s1={"app": {"x": "1"}})[0].digest == one
    assert making.made({"a.yaml.j2": A}, s1={"app": {"x": "2"}})[0].digest != one


@given(st.permutations(["a", "b", "c", "d", "e"]))
def test_the_digest_does_not_depend_on_the_order_of_documents(names: list[str]) -> None:
    """Objects are put in apply order."""
    text = "---\n".join(making.config_map(name) for name in names)
    assert (
        making.made({"a.yaml": text})[0].digest
        == making.made({"a.yaml": "---\n".join(map(making.config_map, "abcde"))})[0].digest
    )


def test_templates_cannot_pass_anything_from_site_to_site() -> None:
    """What one site sets, another does not see; and nobody's values are changed."""
    text = "{% set seen = namespace(n=values.n) %}{% set seen.n = seen.n + 1 %}" + making.config_map(
        "a", "b: x{{ seen.n }}"
    )
    own = {"s1": {"app": {"n": 1}}, "s2": {"app": {"n": 1}}}
    before = copy.deepcopy(own)
    one, two = making.made({"a.yaml.j2": text}, **own)  # type: ignore[arg-type]
    assert (one.digest, own) == (two.digest, before)


def test_one_template_error_is_told_once_for_one_site() -> None:
    """With its line, quoted, and the site."""
    (problem,) = making.problems_of({"a.yaml.j2": "# x\n{{ values.x }}\n"})
    assert problem.code is codes.Code.TEMPLATE_UNDEFINED
    assert str(problem.mark) == "app/a.yaml.j2:2"
    assert problem.notes == ("{{ values.x }}", "at s1")


@pytest.mark.parametrize(
    "text",
    [
        "# x\n{{ values.x }}\n",
        making.config_map("{{ site.name }}", "# {{ site.name }}\n  a: off"),
        "{% for i in range(values.n) %}\n# {{ i }}\n{% endfor %}\na: [{{ site.name }}\n",
        making.config_map("b") + "---\n" + making.config_map("b"),
    ],
)
def test_one_error_is_told_once_for_a_thousand_sites(text: str) -> None:
    """With their number and one example, even where the rendered text or line differs from site to site."""
    own: dict[str, dict[str, object]] = {f"s{number:04}": {"app": {"n": number % 7}} for number in range(1000)}
    (problem,) = making.problems_of({"a.yaml.j2": text}, **own)  # type: ignore[arg-type]
    assert problem.notes[-1] == "at 1,000 sites, e.g. s0000"


def test_only_sites_that_show_a_fault_are_counted() -> None:
    """A branch that is wrong is told with the sites that take it."""
    text = "{% if values.n > 1 %}{{ values.x }}{% endif %}"
    own = {f"s{number}": {"app": {"n": number}} for number in range(5)}
    (problem,) = making.problems_of({"a.yaml.j2": text}, **own)  # type: ignore[arg-type]
    assert problem.notes[-1] == "at 3 sites, e.g. s2"


def test_a_template_that_does_not_compile_is_told_without_sites() -> None:
    """It is wrong whatever site; broken templates are all told."""
    found = making.problems_of({"a.yaml.j2": "{% if %}", "_b.j2": "x\n{{ }}", "c.yaml.j2": ""}, s1={}, s2={})
    assert [(str(problem.mark), len(problem.notes)) for problem in found] == [
        ("app/_b.j2:2", 1),
        ("app/a.yaml.j2:1", 1),
    ]


def test_faults_of_all_templates_are_told_in_one_pass() -> None:
    """One bad template does not hide the next, nor a bad document its neighbours."""
    files = {"a.yaml.j2": "{{ values.x }}", "b.yaml.j2": "a: off\n---\nb: [\n", "c.yaml": making.config_map("A/B")}
    assert [str(problem.mark).split(":")[0] for problem in making.problems_of(files)] == [
        "app/a.yaml.j2",
        "app/b.yaml.j2",
        "app/b.yaml.j2",
        "app/c.yaml",
    ]


def test_no_more_than_fifty_faults_are_looked_into() -> None:
    """A broken partial may break everything."""
    text = "---\n".join(making.config_map(f"a{number}", "a: off") for number in range(80))
    assert len(making.problems_of({"a.yaml.j2": text})) == 50


def test_values_are_held_against_the_schema() -> None:
    """Each complaint stands where the value was written: in the inventory, or in bundle.yaml when no file sets it."""
    fleet = making.fleet(s1={"app": {"x": 1}}, s2={})
    bundle = making.bundle({"a.yaml.j2": A, "values.schema.json": SCHEMA})
    written = problems.Mark("inventory/sites.yaml", 7, 3)

    def origin(site: str, field: problems.Field) -> problems.Mark | None:
        return written if (site, field) == ("s1", ("vars", "app", "x")) else None

    with pytest.raises(errors.InvalidInput) as caught:
        rendering.render(fleet, [bundle], fleet.sites.values(), origin)
    assert [(str(problem.mark), problem.notes) for problem in caught.value.problems] == [
        ("app/bundle.yaml:1:1", ("at s2",)),
        ("inventory/sites.yaml:7:3", ("at s1",)),
    ]


@pytest.mark.parametrize("value", [None, 1, "x", ["x"], True])
def test_vars_under_the_values_key_must_be_a_map(value: object) -> None:
    """Anything else would be lost in silence."""
    (problem,) = making.problems_of({"a.yaml.j2": ""}, s1={"app": value})  # type: ignore[dict-item]
    assert (problem.code, problem.field) == (codes.Code.BUNDLE_VALUES_SCHEMA, ("vars", "app"))


def test_clashes_name_both_lines() -> None:
    """In one template, in two, and where a loop makes the line twice."""
    twice = making.config_map("a")
    marks = {
        "one": making.problems_of({"a.yaml.j2": f"{twice}---\n{twice}"}),
        "two": making.problems_of({"a.yaml.j2": f"# x\n{twice}", "b.yaml.j2": f"# x\n# y\n{twice}"}),
        "loop": making.problems_of({"a.yaml.j2": f"{{% for i in [1, 2] %}}\n---\n{twice}{{% endfor %}}\n"}),
        "include": making.problems_of({"a.yaml.j2": "{% include '_b.j2' %}---\n{% include '_b.j2' %}", "_b.j2": twice}),
    }
    assert {what: (str(found[0].mark), len(found)) for what, found in marks.items()} == {
        "one": ("app/a.yaml.j2:9", 1),
        "two": ("app/b.yaml.j2:6", 1),
        "loop": ("app/a.yaml.j2:6", 1),
        "include": ("app/_b.j2:4", 1),
    }
    assert "first at app/a.yaml.j2:4;" in marks["one"][0].message
    assert "first at app/a.yaml.j2:5;" in marks["two"][0].message


def test_three_of_a_kind_are_one_clash() -> None:
    """It is told for the second; when that is gone the third follows."""
    text = "---\n".join([making.config_map("a")] * 3)
    assert len(making.problems_of({"a.yaml.j2": text})) == 1


def test_a_plain_file_is_told_by_its_own_lines() -> None:
    """Nothing was rendered, so nothing is translated."""
    (problem,) = making.problems_of({"a.yaml": "# {{ x }}\n" + making.config_map("a", "b: off")})
    assert str(problem.mark) == "app/a.yaml:7:6"


class _Chart:
    """An input that makes a ConfigMap of what it is asked for, and fails where the value is bad."""

    def prepare(self, wanted: Iterable[tuple[sites.Site, values.Vars]]) -> None:
        """Start no program."""

    def texts(self, site: sites.Site, merged: values.Vars) -> Iterator[bundles.Source]:
        """Give one text as if it began on line 7 of a file."""
        if merged.get("x") == "bad":
            mark = problems.Mark("app/bundle.yaml", 9)
            raise errors.InvalidInput([problems.Problem(codes.Code.BUNDLE_BAD_VALUE, "no such chart", mark)])
        text = making.config_map("c", f"x: {merged['x']}\nsite: {site.name}")
        yield bundles.Source("chart", "app/chart/templates/c.yaml", text, first_line=7)


@pytest.fixture
def with_chart(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[releases.Release]]:
    """Render a bundle of a template and the chart."""
    monkeypatch.setattr(externals, "inputs_of", lambda _: (_Chart(),))

    def render(**own: values.Vars) -> list[releases.Release]:
        fleet = making.fleet(**own)
        bundle = making.bundle({"a.yaml.j2": A})
        return rendering.render(fleet, [bundle], fleet.sites.values(), lambda *_: None).releases

    return render


def test_inputs_give_documents_like_templates(with_chart: Callable[..., list[releases.Release]]) -> None:
    """Their objects stand in the release, with the path that a person knows them by."""
    (release,) = with_chart(s1={"app": {"x": "v"}})
    assert [(one.id.name, one.template) for one in release.objects] == [
        ("a", "app/a.yaml.j2"),
        ("c", "app/chart/templates/c.yaml"),
    ]


def test_problems_of_inputs_carry_their_lines_and_are_told_once(
    with_chart: Callable[..., list[releases.Release]],
) -> None:
    """What is wrong in a text is at its line there; what an input raises is one problem for all sites."""
    with pytest.raises(errors.InvalidInput) as caught:
        with_chart(s1={"app": {"x": "no"}}, s2={"app": {"x": "bad"}}, s3={"app": {"x": "bad"}})
    assert [(str(one.mark), one.code.value, one.notes) for one in caught.value.problems] == [
        ("app/bundle.yaml:9", "bundle/bad-value", ("at 2 sites, e.g. s2",)),
        ("app/chart/templates/c.yaml:12:6", "yaml/ambiguous-scalar", ("at s1",)),
    ]


def test_a_template_that_does_not_compile_hides_no_other_fault() -> None:
    """All at once: the syntax error, once however many templates include its file, and what the others do wrong."""
    files = {
        "a.yaml.j2": "{% if %}\n",
        "b.yaml.j2": '{% include "a.yaml.j2" %}',
        "c.yaml.j2": making.config_map("c", "x: {{ values.y | k }}"),
        "d.yaml": making.config_map("d", "x: no"),
    }
    assert sorted((str(one.mark), one.code.value) for one in making.problems_of(files)) == [
        ("app/a.yaml.j2:1", "template/syntax"),
        ("app/c.yaml.j2:6", "template/undefined"),
        ("app/d.yaml:6:6", "yaml/ambiguous-scalar"),
    ]
