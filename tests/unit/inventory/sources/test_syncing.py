"""Syncing as a whole: how it ends, what it leaves, and what it writes."""

import pathlib
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetctl.inventory import fleets, loading, snapshots
from fleetctl.inventory.sources import locks, matching, syncing
from fleetctl.model import codes, exits, problems, projects
from fleetctl.reading import disk
from tests.unit.inventory import writing
from tests.unit.inventory.sources import netboxes

STORES = "name: stores\ncsv: {file: stores.csv}\n"
HEAD = "apiVersion: fleetctl.dev/v1alpha1\nkind: Source\n"


def _project(folder: pathlib.Path, *names: str, source: str = STORES) -> projects.Project:
    """Lay out a project with one source, and a table of these sites."""
    sources = folder / "inventory" / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    (sources / "stores.yaml").write_text(HEAD + source, encoding="utf-8")
    (sources / "stores.csv").write_text("".join(f"{name}\n" for name in ("name", *names)), encoding="utf-8")
    return projects.Project("demo", folder, folder / "inventory", folder / "templates")


def _sync(project: projects.Project, confirmed: int | None = None) -> syncing.Result:
    (source,) = _declared(project)
    return syncing.sync(project, source, confirmed)


def _declared(project: projects.Project) -> list[locks.Source]:
    found = matching.Sources()
    loading.load(project, snapshots.take(project), found)
    return syncing.choose(found.declared, [])


def test_a_lock_is_the_same_every_time(tmp_path: pathlib.Path) -> None:
    """Whatever the order of the rows; it can be read by others, as committed files are; nothing else is left."""
    first = _sync(_project(tmp_path, "b", "a"))
    lock = tmp_path / "inventory" / "sources" / "stores.lock.json"
    text = lock.read_bytes()
    assert first.status == "written"
    assert stat.S_IMODE(lock.stat().st_mode) == 0o644
    assert _sync(_project(tmp_path, "b", "a")).status == "unchanged"
    lock.unlink()
    _sync(_project(tmp_path, "b", "a"))
    assert lock.read_bytes() == text
    assert sorted(path.name for path in lock.parent.iterdir()) == ["stores.csv", "stores.lock.json", "stores.yaml"]


@pytest.mark.parametrize(("of", "goes", "status"), [(20, 1, "written"), (19, 1, "refused"), (100, 5, "written")])
def test_five_percent(tmp_path: pathlib.Path, of: int, goes: int, status: str) -> None:
    """Five of a hundred may go unasked, one of nineteen is more than that."""
    names = [f"s{number}" for number in range(of)]
    _sync(_project(tmp_path, *names))
    result = _sync(_project(tmp_path, *names[goes:]))
    assert (result.status, len(result.removed)) == (status, goes)


def test_sites_that_come_do_not_make_up_for_those_that_go(tmp_path: pathlib.Path) -> None:
    """A filter that finds others instead is refused too, and the exact number lets it through."""
    _sync(_project(tmp_path, "a", "b"))
    project = _project(tmp_path, "c", "d", "e")
    assert _sync(project).status == "refused"
    assert _sync(project, 3).status == "refused"
    assert _sync(project, 2).status == "written"


def test_a_full_disk_leaves_the_lock(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old lock is whole, and the command says that the new one is not there."""
    project = _project(tmp_path, "a")
    _sync(project)
    lock = tmp_path / "inventory" / "sources" / "stores.lock.json"
    before = lock.read_bytes()

    def replace(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "replace", replace)
    result = _sync(_project(tmp_path, "a", "b"))
    assert (result.status, result.problems[0].code) == ("failed", codes.Code.LOCK_UNWRITABLE)
    assert syncing.exit_of([result]) is exits.Exit.REFUSED
    assert lock.read_bytes() == before


def test_a_refused_token_is_the_operator_s_matter(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 8, as for all credentials, whatever else went wrong; the lock is not touched."""
    monkeypatch.setenv("NB", "wrong")
    box = netboxes.NetBox()
    with box.serve() as base:
        project = _project(tmp_path, source=f"name: nb\nnetbox: {{url: '{base}', token: {{env: NB}}}}\n")
        result = _sync(project)
    assert result.problems[0].code is codes.Code.SOURCE_REFUSED
    wrong = syncing.Result("x", "failed", "x", problems=[problems.Problem(codes.Code.SOURCE_BAD_FILE, "")])
    assert syncing.exit_of([wrong, result]) is exits.Exit.CONFIGURATION
    assert syncing.exit_of([wrong]) is exits.Exit.INVALID
    assert not (tmp_path / "inventory" / "sources" / "nb.lock.json").exists()


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="+$"), max_size=5)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.lists(st.dictionaries(_TEXT, _VALUES, max_size=3), min_size=1, max_size=3))
def test_what_goes_into_a_lock_comes_out(contents: list[dict[str, object]]) -> None:
    """Text of any kind, any numbers: the reader of the inventory sees them, and finds the line of each site."""
    sites = [{"name": f"s{index}", "vars": {"x": inner}} for index, inner in enumerate(contents)]
    with writing.project({"inventory/s.yaml": HEAD + STORES}) as project:
        (source,) = _declared(project)
        text = locks.text(source, sites, {})
        source.lock.write_bytes(text)
        loaded = fleets.load(project)
        assert [site.vars for site in loaded.fleet.sites.values()] == [one["vars"] for one in sites]
        lines = text.decode().split("\n")
        for name, entry in loaded.files.sites.items():
            assert lines[entry.layer.mark(("name",)).line - 1] == f'   "name": "{name}",'
