"""Files that ``inventory set`` writes: whole or not at all, for whom they were before, not over other hands' work."""

import pathlib
import shutil
import stat
from collections.abc import Sequence

import pytest

from fleetctl.inventory import fleets, locating, setting
from fleetctl.model import codes, errors

_HEAD = "apiVersion: fleetctl.dev/v1alpha1\n"


def _loaded(root: pathlib.Path) -> fleets.Loaded:
    (root / "inventory").mkdir()
    (root / "fleetctl.yaml").write_text(f"{_HEAD}kind: Project\nname: demo\n", encoding="utf-8")
    for name in ("a", "b"):
        text = f"{_HEAD}kind: SiteList\nsites:\n- name: {name}1\n  state: active\n- name: {name}2\n"
        (root / f"inventory/{name}.yaml").write_text(text, encoding="utf-8")
    return _again(root)


def _again(root: pathlib.Path) -> fleets.Loaded:
    return fleets.load(locating.find(root))


def _write(loaded: fleets.Loaded, words: Sequence[str]) -> None:
    setting.write(loaded, setting.plan(loaded, words))


def test_what_was_planned_is_what_is_loaded_next(tmp_path: pathlib.Path) -> None:
    """The values are there, at their places; a second time nothing is written."""
    loaded = _loaded(tmp_path)
    words = ["a1", "a2", "b1", "state=maintenance", "vars.pos.tills=3"]
    made = setting.plan(loaded, words)
    setting.write(loaded, made)
    again = _again(tmp_path)
    assert {name: site.state for name, site in again.fleet.sites.items()} == {
        "a1": "maintenance",
        "a2": "maintenance",
        "b1": "maintenance",
        "b2": "active",
    }
    assert [again.origin(one.site, one.field) for one in made.settings] == [one.mark for one in made.settings]
    same = setting.plan(again, words)
    assert same.files == {}
    assert not any(one.changes for one in same.settings)


def test_permissions_stay(tmp_path: pathlib.Path) -> None:
    """Whoever could read the file still can, and a link still leads to the file that it led to."""
    loaded = _loaded(tmp_path)
    file = tmp_path / "inventory/a.yaml"
    real = tmp_path / "elsewhere.yaml"
    shutil.move(file, real)
    file.symlink_to(real)
    real.chmod(0o640)
    _write(loaded, ["a1", "state=retired"])
    assert file.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert "retired" in real.read_text(encoding="utf-8")


def test_what_somebody_else_wrote_meanwhile_stays(tmp_path: pathlib.Path) -> None:
    """A file that is not the one that was read is left alone; the one before it has its value, and is named."""
    loaded = _loaded(tmp_path)
    other = tmp_path / "inventory/b.yaml"
    theirs = other.read_text(encoding="utf-8") + "# mine\n"
    other.write_text(theirs, encoding="utf-8")
    with pytest.raises(errors.Refused, match="changed by somebody else") as caught:
        _write(loaded, ["a1", "b1", "state=retired"])
    assert caught.value.hint == "Written before it: inventory/a.yaml."
    assert other.read_text(encoding="utf-8") == theirs
    assert "retired" in (tmp_path / "inventory/a.yaml").read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written(tmp_path: pathlib.Path) -> None:
    """What keeps a file from being written is told, and that nothing was."""
    loaded = _loaded(tmp_path)
    made = setting.plan(loaded, ["a1", "state=retired"])
    (tmp_path / "inventory/a.yaml").unlink()
    with pytest.raises(errors.Refused, match="cannot be written") as caught:
        setting.write(loaded, made)
    assert (caught.value.code, caught.value.hint) == (codes.Code.INVENTORY_UNWRITABLE, "Nothing was written.")


def test_a_problem_in_another_file_is_found_before_writing(tmp_path: pathlib.Path) -> None:
    """Two groups that have nothing in common until a site moves into both: told, and the file stays."""
    _loaded(tmp_path)
    for name, label in (("one", "left"), ("two", "right")):
        text = f'{_HEAD}kind: Group\nname: {name}\nmatch: {label}\npriority: 1\nvars: {{a: "{name}"}}\n'
        (tmp_path / f"inventory/{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(errors.InvalidInput) as caught:
        setting.plan(_again(tmp_path), ["a1", 'labels={left: "", right: ""}'])
    assert [problem.code for problem in caught.value.problems] == [codes.Code.INVENTORY_GROUP_CONFLICT]
