"""Shipped bundles copied into projects: whole, or not at all."""

import pathlib

import pytest

from fleetctl.model import codes, errors
from fleetctl.reading import disk
from fleetctl.rendering import adding
from tests.unit.rendering import making


@pytest.fixture
def catalogue(tmp_path: pathlib.Path) -> pathlib.Path:
    """A catalogue with the bundle app."""
    making.loaded(tmp_path / "catalogue", {"a.yaml": "a: 1\n", "examples/one/values.yaml": "{}\n"})
    return tmp_path / "catalogue"


def _texts(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_bundle_is_copied_whole(catalogue: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """With its examples, also where there was no folder for templates, and nothing else is left there."""
    adding.add("app", catalogue, tmp_path / "new" / "templates", "templates/app")
    assert _texts(tmp_path / "new" / "templates") == _texts(catalogue)
    assert [path.name for path in (tmp_path / "new" / "templates").iterdir()] == ["app"]


@pytest.mark.parametrize("what", ["folder", "file", "link"])
def test_nothing_is_overwritten(catalogue: pathlib.Path, tmp_path: pathlib.Path, what: str) -> None:
    """Whatever has the name stays."""
    target = tmp_path / "templates" / "app"
    target.parent.mkdir()
    if what == "folder":
        target.mkdir()
    elif what == "file":
        target.touch()
    else:
        target.symlink_to("nowhere")
    with pytest.raises(errors.Refused) as raised:
        adding.add("app", catalogue, tmp_path / "templates", "templates/app")
    assert raised.value.code == codes.Code.BUNDLE_EXISTS
    assert list(target.parent.iterdir()) == [target]


def test_a_copy_that_fails_leaves_nothing(
    catalogue: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No half a bundle, and no folder that was used on the way."""

    def full(self: pathlib.Path, _: object) -> None:
        assert disk.PART in str(self)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "rename", full)
    with pytest.raises(errors.Refused, match="templates/app: No space left on device") as raised:
        adding.add("app", catalogue, tmp_path / "templates", "templates/app")
    assert raised.value.code == codes.Code.BUNDLE_UNWRITABLE
    assert list((tmp_path / "templates").iterdir()) == []
