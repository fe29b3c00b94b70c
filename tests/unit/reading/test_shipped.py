"""Where shipped templates, inventories and error pages lie: in a checkout, and in an installed package."""

import pathlib

import pytest

from fleetctl.reading import shipped

ROOT = pathlib.Path(__file__).resolve().parents[3]
PLACES = {"templates": "templates", "inventories": "inventories", "errors": "docs/reference/errors"}


@pytest.mark.parametrize(("name", "place"), list(PLACES.items()))
def test_in_a_checkout(name: str, place: str) -> None:
    """In a checkout they are the folders that people edit."""
    assert shipped.folder(name) == ROOT / place
    assert any(shipped.folder(name).iterdir())


@pytest.mark.parametrize("name", list(PLACES))
def test_in_a_wheel(name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an installed package they lie inside it, whatever else stands beside it in site-packages."""
    (tmp_path / PLACES[name]).mkdir(parents=True)
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "fleetctl")
    assert shipped.folder(name) == tmp_path / "fleetctl" / "_shipped" / name


def test_another_checkout_without_the_folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An sdist that was unpacked without a folder still has the package's own copy to offer."""
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "fleetctl")
    assert shipped.folder("templates") == tmp_path / "fleetctl" / "_shipped" / "templates"


def test_nothing_else_is_shipped() -> None:
    """Another name is a mistake of the caller."""
    with pytest.raises(KeyError):
        shipped.folder("secrets")
