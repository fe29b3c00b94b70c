"""Rendered objects against the schema of their site's Kubernetes: which one, how often, and what stays unchecked."""

from collections.abc import Mapping

import pytest

from fleetctl.model import codes, errors, objects, releases, sites
from fleetctl.openapi import minors, validators
from fleetctl.rendering import environments, rendering
from tests.unit.rendering import making

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  schedulingGroup: {podGroupName: a}\n  containers: []\n"
CUSTOM = "apiVersion: shop.example/v1\nkind: Till\nmetadata: {name: a}\n"


def _definition(scope: str = "Cluster", version: str = "v1") -> str:
    schema = "{type: object, properties: {spec: {type: object, properties: {drawer: {type: string}}}}}"
    return (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: tills.shop.example}\n"
        f"spec:\n  group: shop.example\n  scope: {scope}\n  names: {{kind: Till, plural: tills}}\n  versions:\n"
        f"  - {{name: {version}, served: true, storage: true, schema: {{openAPIV3Schema: {schema}}}}}\n"
    )


def _site(name: str, version: str | None = None, distribution: sites.Distribution = "k3s") -> sites.Site:
    return sites.Site(name, bundles={"app": {}}, cluster=sites.Cluster(distribution, version))


def _rendered(files: Mapping[str, str], *members: sites.Site) -> rendering.Rendered:
    given = members or (_site("s1"),)
    fleet = sites.Fleet("demo", {site.name: site for site in given}, {})
    return rendering.render(fleet, [making.bundle(files)], given, lambda *_: None)


def _problems(files: Mapping[str, str], *members: sites.Site) -> list[tuple[codes.Code, str, tuple[str, ...]]]:
    with pytest.raises(errors.InvalidInput) as caught:
        _rendered(files, *members)
    return [(one.code, one.message, one.notes[-1:]) for one in caught.value.problems]


@pytest.mark.parametrize(
    ("version", "distribution", "fits"),
    [
        ("v1.36.3+k3s1", "k3s", True),
        ("v1.34.1+k3s1", "k3s", False),
        ("1.34/stable", "microk8s", False),
        ("latest/stable", "microk8s", True),
        (None, "k3s", True),
        ("v1.34.0", "kubeedge", True),
    ],
)
def test_the_site_says_which_minor(version: str | None, distribution: sites.Distribution, *, fits: bool) -> None:
    """An object is judged by its site's minor, by the newest where none is stated; KubeEdge's versions say nothing."""
    site = _site("s1", version, distribution)
    if fits:
        assert len(_rendered({"a.yaml": POD}, site).releases) == 1
    else:
        assert [code for code, *_ in _problems({"a.yaml": POD}, site)] == [codes.Code.OBJECT_UNKNOWN_FIELD]


def test_one_fault_for_all_sites_that_show_it() -> None:
    """Sites of the minor that does not know a field are counted, the others are not."""
    members = [_site("s1", "v1.36.1"), _site("s2", "v1.34.1"), _site("s3", "v1.34.2")]
    message = "unknown field in Kubernetes 1.34; 1.36, 1.37 have it"
    assert _problems({"a.yaml": POD}, *members) == [
        (codes.Code.OBJECT_UNKNOWN_FIELD, message, ("at 2 sites, e.g. s2",)),
    ]


def test_each_distinct_object_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand sites with two different objects on one minor cost two checks, and one compiled schema."""
    seen: list[object] = []
    made: list[str] = []
    complain, compile_kind = validators.Validator.complaints, validators.of_kind

    def complaints(self: validators.Validator, value: object) -> tuple[validators.Complaint, ...]:
        seen.append(value)
        return complain(self, value)

    def of_kind(minor: minors.Minor, kind: minors.Kind) -> validators.Validator:
        made.append(kind.name)
        return compile_kind(minor, kind)

    monkeypatch.setattr(validators.Validator, "complaints", complaints)
    monkeypatch.setattr(validators, "of_kind", of_kind)
    files = {"a.yaml.j2": making.config_map("a", "a: {{ site.name[-1] in '02468' and 'x' or 'y' | k }}")}
    rendered = _rendered(files, *(_site(f"s{number}", "v1.36.1") for number in range(1000)))
    assert rendered.distinct == 2
    assert (len(seen), made) == (2, ["ConfigMap"])


def test_each_template_is_rendered_once_for_a_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a bundle defines kinds, whose definitions have to be known before anything is checked."""
    seen: list[str] = []
    render = environments.Environment.render

    def counted(self: environments.Environment, compiled: environments.Compiled, context: Mapping[str, object]) -> str:
        seen.append(compiled.source.name)
        return render(self, compiled, context)

    monkeypatch.setattr(environments.Environment, "render", counted)
    till = CUSTOM + "spec: {drawer: {{ site.name | k }}}\n"
    rendered = _rendered({"crd.yaml.j2": _definition(), "till.yaml.j2": till}, _site("s1"), _site("s2"))
    assert (len(rendered.releases), rendered.limits.unchecked) == (2, ())
    assert sorted(seen) == ["crd.yaml.j2", "crd.yaml.j2", "till.yaml.j2", "till.yaml.j2"]


def test_objects_that_differ_by_their_sites_name_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name in labels and text costs no check of its own."""
    seen: list[object] = []
    complain = validators.Validator.complaints

    def complaints(self: validators.Validator, value: object) -> tuple[validators.Complaint, ...]:
        seen.append(value)
        return complain(self, value)

    monkeypatch.setattr(validators.Validator, "complaints", complaints)
    files = {"a.yaml.j2": making.config_map("a", "a: {{ site.name | k }}\nb: https://{{ site.name }}.example/")}
    rendered = _rendered(files, *(_site(f"store-{number:03}") for number in range(500)))
    assert rendered.distinct == 500
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [("^[a-z-]+$", ["store-1"]), ("^[^0-9]*$", ["store-1"]), ("^store-[0-9]$", ["market"]), ("^.{6,7}$", [])],
)
def test_a_rule_about_the_name_is_applied_to_each_name(pattern: str, wrong: list[str]) -> None:
    """Where a rule looks at the place of the name, every site is checked for itself."""
    schema = f"{{type: object, properties: {{spec: {{type: string, pattern: '{pattern}'}}}}}}"
    definition = _definition("Namespaced").partition("schema:")[0] + f"schema: {{openAPIV3Schema: {schema}}}}}\n"
    files = {"a.yaml": definition, "b.yaml.j2": f"{CUSTOM}spec: {{{{ site.name | k }}}}\n"}
    members = [_site("market"), _site("store-1")]
    if wrong:
        assert [notes for *_, notes in _problems(files, *members)] == [(f"at {wrong[0]}",)]
    else:
        assert len(_rendered(files, *members).releases) == 2


def test_a_fault_shows_the_sites_own_text() -> None:
    """A document that was read for all sites is shown with the name of the site that is the example."""
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ site.name }}'}\nimmutable: '{{ site.name }}'\n"
    with pytest.raises(errors.InvalidInput) as caught:
        _rendered({"a.yaml.j2": text}, _site("store-001"), _site("store-002"))
    (problem,) = caught.value.problems
    assert problem.message == 'expected true or false, got the text "store-001"'
    assert problem.notes[1:] == (
        "rendered line 4 (ConfigMap store-001): immutable: 'store-001'",
        "at 2 sites, e.g. store-001",
    )


def test_a_custom_resource_without_a_definition_is_counted() -> None:
    """What nobody can check is told with its number, its sites and an example; the object renders."""
    rendered = _rendered({"a.yaml": CUSTOM}, _site("s1"), _site("s2"))
    assert rendered.limits == releases.Limits((releases.Unchecked("shop.example/v1", "Till", 2, 2, "s1"),), ())
    assert len(rendered.releases) == 2


def test_a_minor_that_is_not_shipped_is_told() -> None:
    """The nearest minor stands in, and that is said once per minor."""
    rendered = _rendered({"a.yaml": making.config_map()}, _site("s1", "v1.30.1"), _site("s2", "v1.30.2"))
    assert rendered.limits.nearest == (releases.Nearest("1.30", "1.34", 2, "s1"),)


def test_a_definition_says_the_scope() -> None:
    """A kind that the bundle defines outside of namespaces gets none, wherever the definition stands in the files."""
    for files in ({"a.yaml": _definition(), "b.yaml": CUSTOM}, {"b.yaml": _definition(), "a.yaml": CUSTOM}):
        ((*_, till),) = (release.objects for release in _rendered(files).releases)
        assert till.id == objects.ObjectId("shop.example", "Till", "", "a")
        assert b"namespace" not in till.body


def test_a_namespaced_definition_changes_nothing() -> None:
    """A namespaced kind gets the bundle's namespace, with its definition as without."""
    ((*_, defined),) = (
        release.objects for release in _rendered({"a.yaml": _definition("Namespaced"), "b.yaml": CUSTOM}).releases
    )
    ((alone,),) = (release.objects for release in _rendered({"b.yaml": CUSTOM}).releases)
    assert defined.body == alone.body


def test_a_namespace_on_what_lives_outside() -> None:
    """It is refused, as it is for kinds of Kubernetes' own."""
    inside = CUSTOM.replace("{name: a}", "{name: a, namespace: home}")
    ((code, message, _),) = _problems({"a.yaml": _definition(), "b.yaml": inside})
    assert (code, message) == (codes.Code.OBJECT_BAD_NAME, "a Till lives outside of namespaces; take this line away")


def test_a_clash_outside_of_namespaces() -> None:
    """Two objects that are one, once their kind's scope is known, clash at the lines that name them."""
    ((code, message, _),) = _problems({"a.yaml": _definition(), "b.yaml": f"{CUSTOM}---\n{CUSTOM}spec: {{}}\n"})
    assert (code, message.partition(";")[0]) == (
        codes.Code.OBJECT_CLASH,
        "Till a is made twice, first at app/b.yaml:3:18",
    )


def test_a_version_that_the_definition_does_not_serve() -> None:
    """It is an unknown kind, with the versions that there are."""
    ((code, message, _),) = _problems({"a.yaml": _definition(version="v2"), "b.yaml": CUSTOM})
    assert (code, message) == (codes.Code.OBJECT_UNKNOWN_KIND, "Till is defined and served as shop.example/v2")


def test_definitions_may_differ_between_sites() -> None:
    """Each site's objects are held against the definition that is rendered for it."""
    definition = _definition().replace("{drawer", "{ {{ 'drawer' if site.name == 's1' else 'slot' }}")
    files = {"a.yaml.j2": definition, "b.yaml": f"{CUSTOM}spec: {{drawer: left}}\n"}
    ((code, _, notes),) = _problems(files, _site("s1"), _site("s2"))
    assert (code, notes) == (codes.Code.OBJECT_UNKNOWN_FIELD, ("at s2",))


def test_a_secret_is_not_quoted() -> None:
    """A complaint about what may be a secret holds nothing of it."""
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n# Secret\ndata: {pin: 4711}\n"
    ((code, message, _),) = _problems({"a.yaml": text})
    assert (code, message) == (codes.Code.OBJECT_WRONG_TYPE, "expected text")
