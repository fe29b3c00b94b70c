"""A fleet that was kept is the fleet that would be made, or it is not used."""

import contextlib
import os
import pathlib
import stat
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetctl.inventory import caching, explaining, fleets, locating, snapshots
from fleetctl.model import errors, sites, values
from tests.unit.inventory import writing

_Made = tuple[str, dict[str, sites.Site], dict[str, sites.Group]] | list[Any]

SITES = writing.document("SiteList", {"sites": [{"name": "s", "labels": {"env": "prod"}, "vars": {"a": {"b": 1}}}]})
FILES = {
    "fleetctl.yaml": "apiVersion: fleetctl.dev/v1alpha1\nkind: Project\nname: demo\n",
    "inventory/sites/a.yaml": SITES,
    "inventory/groups/g.yaml": writing.document(
        "Group", {"name": "g", "match": "env", "priority": 1, "vars": {"a": values.UNSET, "list+": [{"x": 1}]}}
    ),
    "inventory/vars.schema.json": '{"type": "object"}',
    "inventory/notes.txt": "kept beside\n",
    "templates/app/bundle.yaml": "",
}


@contextlib.contextmanager
def _project(files: dict[str, str]) -> Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text in files.items():
            _write(root / path, text)
        (root / "inventory").mkdir(exist_ok=True)
        yield root / "fleetctl.yaml"


def _write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def _said(fleet: sites.Fleet) -> _Made:
    return fleet.name, dict(fleet.sites), fleet.groups


def _kept(file: pathlib.Path) -> tuple[_Made, bool]:
    """Load with the cache: what was found, and whether it came from there."""
    try:
        loaded = caching.load(file)
    except errors.InvalidInput as error:
        return list(error.problems), False
    return _said(loaded.fleet), not isinstance(loaded.fleet.sites, dict)


def _anew(file: pathlib.Path) -> _Made:
    try:
        return _said(fleets.load(locating.find(file.parent)).fleet)
    except errors.InvalidInput as error:
        return list(error.problems)


def _cache(file: pathlib.Path) -> pathlib.Path:
    return file.parent / ".fleetctl" / "cache" / "inventory"


def _laid_out(data: dict[str, Any]) -> dict[str, str]:
    files = {
        "fleetctl.yaml": FILES["fleetctl.yaml"],
        "templates/app/bundle.yaml": "",
        "inventory/defaults.yaml": writing.document("Defaults", data["defaults"]),
        "inventory/sites.yaml": writing.document("SiteList", {"defaults": data["file"], "sites": data["sites"]}),
    }
    for number, group in enumerate(data["groups"]):
        files[f"inventory/groups/{number}.yaml"] = writing.document("Group", group)
    return files


@settings(max_examples=40)
@given(writing.inventories() | writing.inventories(faulty=True))
def test_a_kept_fleet_is_the_one_that_would_be_made(data: dict[str, Any]) -> None:
    """Sites, nodes, vars, labels, groups and places are the same; what is wrong is found anew each time."""
    with _project(_laid_out(data)) as file:
        first, _ = _kept(file)
        second, warm = _kept(file)
        assert first == second == _anew(file)
        assert warm is isinstance(second, tuple) is _cache(file).exists()


@settings(max_examples=40)
@given(writing.inventories())
def test_labels_are_known_without_the_sites(data: dict[str, Any]) -> None:
    """What selectors see of a kept fleet is what its sites say."""
    with _project(_laid_out(data)) as file:
        for loaded in (caching.load(file), caching.load(file)):
            for name, site in loaded.fleet.sites.items():
                assert loaded.fleet.labels_of(name) == sites.selectable_labels(site)


def _edited(text: str, at: int, put: str) -> str:
    at %= len(text) + 1
    return text[:at] + put + text[at + 1 :]


_CHANGES = st.one_of(
    st.tuples(
        st.just("edit"),
        st.sampled_from([path for path in FILES if path not in {"inventory/notes.txt", "templates/app/bundle.yaml"}]),
    ),
    st.tuples(st.just("remove"), st.sampled_from(list(FILES))),
    st.tuples(st.just("rename"), st.sampled_from([path for path in FILES if path.startswith("inventory")])),
    st.tuples(
        st.just("add"),
        st.sampled_from(
            ["inventory/z.yaml", "inventory/sites/b.yml", "inventory/x.lock.json", "templates/b/bundle.yaml"]
        ),
    ),
)


@settings(max_examples=100)
@given(_CHANGES, st.integers(0, 400), st.sampled_from(["", " ", "x", "\n", "7", "é"]), st.booleans())
def test_any_change_is_seen(change: tuple[str, str], at: int, put: str, same_times: bool) -> None:  # noqa: FBT001  # drawn
    """Whatever is edited, added, removed or renamed: the next load says what the files say, at whatever times."""
    what, name = change
    with _project(FILES) as file:
        _kept(file)
        path = file.parent / name
        times = (path.stat().st_atime_ns, path.stat().st_mtime_ns) if path.exists() else None
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if what == "edit":
            _write(path, _edited(before, at, put))
        elif what == "remove":
            path.unlink()
        elif what == "rename":
            path = path.rename(path.with_name(f"renamed-{path.name}"))
        else:
            _write(path, SITES.replace('"s"', '"t"') if name.endswith(("yaml", "yml")) else put)
        if times and same_times and path.exists():
            os.utime(path, ns=times)
        changed = what != "edit" or path.read_text(encoding="utf-8") != before
        if not (file.exists()):
            with pytest.raises(errors.NotConfigured):
                locating.file(file.parent)
            return
        found, warm = _kept(file)
        assert warm is not changed
        assert found == _anew(file)


@settings(max_examples=100)
@given(st.integers(0, 10_000), st.booleans(), st.integers(1, 255))
def test_a_damaged_cache_is_written_anew(at: int, cut: bool, flip: int) -> None:  # noqa: FBT001  # drawn
    """Cut short anywhere or with any byte changed, the cache counts for nothing and is replaced."""
    with _project(FILES) as file:
        sound, _ = _kept(file)
        whole = _cache(file).read_bytes()
        at %= len(whole)
        damaged = whole[:at] if cut else whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :]
        _cache(file).write_bytes(damaged)
        assert _kept(file) == (sound, False)
        assert _cache(file).read_bytes() == whole
        assert _kept(file) == (sound, True)


def test_what_other_code_wrote_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of fleetctl may make another fleet of the same files."""
    with _project(FILES) as file:
        _kept(file)
        monkeypatch.setattr("fleetctl.__version__", "99.0.0")
        assert not _kept(file)[1]
        assert _kept(file)[1]


def test_a_project_that_was_moved_is_read_anew() -> None:
    """Places are shown relative to folders, so a cache belongs to the place where it was made."""
    with _project(FILES) as file:
        _kept(file)
        moved = file.parent.rename(file.parent.with_name(f"{file.parent.name}-moved"))
        try:
            assert not _kept(moved / file.name)[1]
        finally:
            moved.rename(file.parent)


@pytest.mark.parametrize("mode", [0o644, 0o620, 0o602])
def test_what_others_could_have_written_is_not_read(mode: int) -> None:
    """A cache that came with a commit or an archive is not private; it could say what no reviewed file says."""
    with _project(FILES) as file:
        _kept(file)
        _cache(file).chmod(mode)
        assert not _kept(file)[1]
        assert stat.S_IMODE(_cache(file).stat().st_mode) == 0o600


def test_the_cache_is_private_and_no_part_of_the_project() -> None:
    """The file is 0600, its folder 0700, and git looks at neither."""
    with _project(FILES) as file:
        _kept(file)
        assert stat.S_IMODE(_cache(file).stat().st_mode) == 0o600
        assert stat.S_IMODE(_cache(file).parent.stat().st_mode) == 0o700
        assert (file.parent / ".fleetctl" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_without_a_place_for_it_all_works() -> None:
    """A project that cannot be written to is read each time."""
    with _project({**FILES, ".fleetctl": "a file where the folder should be"}) as file:
        assert _kept(file) == _kept(file) == (_anew(file), False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_ours_is_left_alone() -> None:
    """No permission to write is no reason to fail."""
    with _project(FILES) as file:
        file.parent.chmod(0o500)
        try:
            assert _kept(file) == (_anew(file), False)
        finally:
            file.parent.chmod(0o700)


def test_errors_are_never_kept() -> None:
    """A broken file leaves the last good cache as it was, and does not hide behind it."""
    with _project(FILES) as file:
        _kept(file)
        whole = _cache(file).read_bytes()
        broken = file.parent / "inventory" / "sites" / "a.yaml"
        broken.write_text("sites: [", encoding="utf-8")
        assert isinstance(_kept(file)[0], list)
        assert _cache(file).read_bytes() == whole
        broken.write_text(SITES, encoding="utf-8")
        assert _kept(file)[1]


def test_a_kept_fleet_still_knows_its_files() -> None:
    """Places are not kept; they are found again in the bytes that the digest was made of."""
    with _project(FILES) as file:
        caching.load(file)
        loaded = caching.load(file)
        (file.parent / "inventory" / "sites" / "a.yaml").write_text("gone: [", encoding="utf-8")
        assert str(loaded.origin("s", ("labels", "env"))) == "inventory/sites/a.yaml:3:41"
        (one,) = explaining.explain(loaded, "s", ("vars", "list"))
        assert [part.mark.path for part in one.contributions] == ["inventory/groups/g.yaml"]


def test_what_cannot_be_read_has_no_digest(tmp_path: pathlib.Path) -> None:
    """A link that leads nowhere may lead somewhere the next time."""
    with writing.project({}) as project:
        assert snapshots.take(project).digest(project.inventory)
        (project.inventory / "link").symlink_to(tmp_path / "nowhere")
        assert snapshots.take(project).digest(project.inventory) is None
