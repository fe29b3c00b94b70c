"""Paths as people see them."""

import pathlib

import pytest

from fleetctl.model import projects

ROOT = pathlib.Path("/home/ada/fleet")
PROJECT = projects.Project("demo", ROOT, ROOT / "inventory", pathlib.Path("/srv/shared/templates"))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/ada/fleet/inventory/sites/a.yaml", "inventory/sites/a.yaml"),
        ("/srv/shared/templates/pos/bundle.yaml", "templates/pos/bundle.yaml"),
        ("/home/ada/fleet", "."),
        ("/home/ada/fleet2/a.yaml", "/home/ada/fleet2/a.yaml"),
        ("/etc/hosts", "/etc/hosts"),
    ],
)
def test_paths_are_short(path: str, shown: str) -> None:
    """A path is shown from the project, or from the folder that holds the templates, or whole."""
    assert PROJECT.shown(pathlib.Path(path)) == shown
