"""Inventory files to entries: which files are read, what is taken from them, and what is said about the rest."""

import gc
import os
import pathlib
from typing import Any

import pytest

from fleetctl.inventory import entries, loading, snapshots
from fleetctl.model import codes
from tests.unit.inventory import writing

SITES = writing.document("SiteList", {"sites": [{"name": "s1"}]})


def _load(files: dict[str, str]) -> entries.Files:
    with writing.project(files) as project:
        return loading.load(project, snapshots.take(project))


def _codes(files: entries.Files) -> list[str]:
    return [str(problem.code) for problem in files.problems]


def test_every_yaml_file_at_any_depth_is_read() -> None:
    """By its extension alone; hidden files and folders are left out."""
    files = _load(
        {
            "inventory/a.yaml": SITES,
            "inventory/deep/er/b.yml": SITES.replace("s1", "s2"),
            "inventory/.hidden.yaml": "no: inventory\n",
            "inventory/.git/c.yaml": "no: inventory\n",
            "inventory/notes.md": "no inventory\n",
        }
    )
    assert (files.count, sorted(files.sites), files.problems) == (2, ["s1", "s2"], [])


def test_a_folder_called_like_a_file_is_no_file() -> None:
    """It is only looked into."""
    assert sorted(_load({"inventory/sites.yaml/a.yaml": SITES}).sites) == ["s1"]


def test_links_are_followed_and_must_lead_somewhere(tmp_path: pathlib.Path) -> None:
    """A file that was linked in counts; a link that leads nowhere is a problem, not silence."""
    (tmp_path / "shared.yaml").write_text(SITES, encoding="utf-8")
    with writing.project({}) as project:
        (project.inventory / "linked.yaml").symlink_to(tmp_path / "shared.yaml")
        (project.inventory / "broken.yaml").symlink_to(tmp_path / "missing.yaml")
        files = loading.load(project, snapshots.take(project))
    assert sorted(files.sites) == ["s1"]
    (problem,) = files.problems
    assert problem.code is codes.Code.PROJECT_UNREADABLE
    assert str(problem.mark) == "inventory/broken.yaml"


def test_linked_folders_are_searched_once(tmp_path: pathlib.Path) -> None:
    """However many ways lead there, in circles too; what lies below the inventory is shown where it lies."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "x.yaml").write_text(SITES.replace("s1", "s2"), encoding="utf-8")
    (tmp_path / "shared" / "back").symlink_to(tmp_path / "shared")
    with writing.project({"inventory/real/a.yaml": SITES}) as project:
        for name, target in (
            ("again", "real"),
            ("up", "."),
            ("two", tmp_path / "shared"),
            ("one", tmp_path / "shared"),
        ):
            (project.inventory / name).symlink_to(target)
        (project.inventory / ".hidden").symlink_to(tmp_path)
        files = loading.load(project, snapshots.take(project))
    assert (files.count, files.problems) == (2, [])
    places = {name: site.layer.mark(()).path for name, site in files.sites.items()}
    assert places == {"s1": "inventory/real/a.yaml", "s2": "inventory/one/x.yaml"}


@pytest.mark.parametrize("name", ["stores", "vars.schema.json"])
def test_any_link_that_leads_nowhere_is_a_problem(name: str) -> None:
    """Nobody can tell that it does not stand for a folder of sites; a check must not vanish with its schema."""
    with writing.project({"inventory/a.yaml": SITES}) as project:
        (project.inventory / name).symlink_to("gone")
        files = loading.load(project, snapshots.take(project))
    (problem,) = files.problems
    assert (str(problem.mark), problem.message) == (f"inventory/{name}", "cannot be read: No such file or directory")
    assert problem.code is codes.Code.PROJECT_UNREADABLE


@pytest.mark.parametrize("closed", ["inventory", "inventory/eu"])
def test_folders_that_cannot_be_read_are_problems(monkeypatch: pytest.MonkeyPatch, closed: str) -> None:
    """The fleet would look complete without the sites that lie there."""
    scan = os.scandir
    with writing.project({"inventory/a.yaml": SITES, "inventory/eu/b.yaml": SITES}) as project:

        def refuse(path: pathlib.Path) -> Any:  # noqa: ANN401  # what os.scandir returns has no public name
            if path == project.root / closed:
                raise PermissionError(13, "Permission denied", str(path))
            return scan(path)

        with monkeypatch.context() as patched:
            patched.setattr(os, "scandir", refuse)
            files = loading.load(project, snapshots.take(project))
    (problem,) = files.problems
    assert (str(problem.mark), problem.message) == (closed, "cannot be read: Permission denied")
    assert problem.code is codes.Code.PROJECT_UNREADABLE
    assert files.incomplete
    assert files.count == (1 if closed == "inventory" else 2)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n", "null\n"])
def test_files_without_content_say_nothing(text: str) -> None:
    """An empty file is read and is fine."""
    files = _load({"inventory/a.yaml": text})
    assert (files.count, files.problems) == (1, [])


def test_references_are_noticed() -> None:
    """So that fleets without any are not searched for them."""
    assert not _load({"inventory/a.yaml": SITES}).has_references
    assert _load({"inventory/a.yaml": SITES, "inventory/b.yaml": "# ${vars.x}\n"}).has_references


@pytest.mark.parametrize(
    ("text", "incomplete"),
    [
        (SITES, False),
        (writing.document("SiteList", {"sites": [{"name": "s1", "stat": 1}]}), False),
        (writing.document("SiteList", {"defaults": {"stat": 1}, "sites": []}), True),
        (writing.document("Defaults", {"stat": 1}), True),
        (writing.document("Group", {"name": "g", "priority": 1}), True),
        (writing.document("Gruop", {"name": "g"}), True),
        ("a: [\n", True),
    ],
    ids=["sound", "site", "file-defaults", "defaults", "group", "kind", "syntax"],
)
def test_the_loss_of_a_shared_layer_is_noticed(text: str, *, incomplete: bool) -> None:
    """A site that could not be taken is missed by nobody else; a layer is."""
    files = _load({"inventory/a.yaml": text})
    assert files.incomplete is incomplete
    assert bool(files.problems) is (text != SITES)


def test_a_broken_entry_leaves_the_others() -> None:
    """Entries that fit are taken, with their positions."""
    files = _load({"inventory/a.yaml": writing.document("SiteList", {"sites": [{"name": "A"}, 7, {"name": "s3"}, {}]})})
    assert list(files.sites) == ["s3"]
    assert files.sites["s3"].layer.field == ("sites", 2)
    assert _codes(files) == ["inventory/bad-value", "inventory/wrong-type", "inventory/missing-key"]


def test_the_first_of_two_wins_and_the_second_names_it() -> None:
    """Sites, groups, defaults and nodes of one name."""
    group = {"name": "g", "match": "", "priority": 1}
    nodes = [{"name": "n0", "address": f"10.0.0.{number}"} for number in (1, 2)]
    files = _load(
        {
            "inventory/a.yaml": writing.document("Defaults", {}) + "---\n" + writing.document("Group", group),
            "inventory/b.yaml": writing.document("Defaults", {}) + "---\n" + writing.document("Group", group),
            "inventory/c.yaml": SITES,
            "inventory/d.yaml": writing.document(
                "SiteList", {"sites": [{"name": "s1"}, {"name": "s2", "nodes": nodes}]}
            ),
        }
    )
    assert [(str(problem.mark), str(problem.code)) for problem in files.problems] == [
        ("inventory/b.yaml:2:7", "inventory/duplicate-defaults"),
        ("inventory/b.yaml:6:7", "inventory/duplicate-group"),
        ("inventory/d.yaml:3:18", "inventory/duplicate-site"),
        ("inventory/d.yaml:3:98", "inventory/duplicate-node"),
    ]
    places = ["inventory/a.yaml:1:1", "inventory/a.yaml:6:7", "inventory/c.yaml:3:18", "inventory/d.yaml:3:59"]
    for problem, place in zip(files.problems, places, strict=True):
        assert place in problem.message


def test_a_layer_knows_where_it_stands() -> None:
    """Fields of a layer are found in its document, also where the document does not spell their first steps out."""
    files = _load({"inventory/a.yaml": SITES.replace("}]", ', "vars": {"a": 1}}]')})
    layer = files.sites["s1"].layer
    assert str(layer.mark(("vars", "a"))) == "inventory/a.yaml:3:38"
    assert str(layer.mark(("vars", "a"), key=True)) == "inventory/a.yaml:3:33"
    assert str(layer.mark(("vars", "b"))) == str(layer.mark(("vars",)))
    lifted = entries.Layer("x", {"one": {"two": 1}}, layer.document, ("sites", 0, "vars"), lifted=1)
    assert lifted.mark(("one", "a")) == layer.mark(("vars", "a"))


def test_a_node_is_a_layer_too() -> None:
    """Its vars, at their own place."""
    site = {"name": "s", "nodes": [{"name": "n0", "address": "a", "vars": {"x": 1}}, {"name": "n1", "address": "b"}]}
    entry = _load({"inventory/a.yaml": writing.document("SiteList", {"sites": [site]})}).sites["s"]
    first, second = entry.node_layer(0), entry.node_layer(1)
    assert (first.title, first.data) == ("node n0", {"vars": {"x": 1}})
    assert (second.title, second.data) == ("node n1", {"vars": {}})
    assert str(first.mark(("vars", "x"))) == "inventory/a.yaml:3:78"


def test_the_vars_schema_is_a_file_like_others() -> None:
    """It is counted; one that is no schema is a problem of its own, and checks nothing."""
    files = _load({"inventory/vars.schema.json": "{}"})
    assert (files.count, files.problems) == (1, [])
    assert files.vars_schema is not None
    files = _load({"inventory/vars.schema.json": "[}"})
    assert (_codes(files), files.vars_schema) == (["inventory/vars-schema"], None)


def test_files_that_cannot_be_read_are_one_problem_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operating system said, and nothing about content that nobody saw."""

    def refuse(path: pathlib.Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pathlib.Path, "read_bytes", refuse)
    files = _load({"inventory/a.yaml": SITES, "inventory/vars.schema.json": "{}"})
    assert [(str(one.mark), str(one.code), one.message) for one in files.problems] == [
        ("inventory/a.yaml", "project/unreadable", "cannot be read: Permission denied"),
        ("inventory/vars.schema.json", "project/unreadable", "cannot be read: Permission denied"),
    ]


@pytest.mark.parametrize("was_enabled", [True, False])
def test_the_collector_comes_back_as_it_was(*, was_enabled: bool) -> None:
    """Whatever happens inside."""
    before = gc.isenabled()
    (gc.enable if was_enabled else gc.disable)()
    try:
        with loading.collector_paused():
            assert not gc.isenabled()
        assert gc.isenabled() is was_enabled
        with pytest.raises(ZeroDivisionError), loading.collector_paused():
            raise ZeroDivisionError
        assert gc.isenabled() is was_enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_the_collector_leaves_alone_what_a_load_made() -> None:
    """It comes back to a generation without the objects of the burst, which all stay."""
    before = gc.isenabled()
    gc.enable()
    try:
        with loading.collector_paused():
            made: list[list[object]] = [[] for _ in range(10_000)]
        assert len(made) == 10_000
        assert gc.get_count()[0] < 10_000
        assert not any(one is made[0] for one in gc.get_objects())
    finally:
        gc.unfreeze()
        (gc.enable if before else gc.disable)()
