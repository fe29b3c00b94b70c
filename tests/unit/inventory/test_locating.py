"""Finding a project from a folder inside it."""

import os
import pathlib

import pytest

from fleetctl.inventory import locating
from fleetctl.model import codes, errors, exits

SETTINGS = "apiVersion: fleetctl.dev/v1alpha1\nkind: Project\nname: demo\n"


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with the two folders that a project needs, and no settings yet."""
    for name in ("inventory/sites", "templates"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def _write(root: pathlib.Path, text: str) -> None:
    (root / locating.FILE).write_text(text, encoding="utf-8")


def _problems(root: pathlib.Path) -> list[tuple[str, str]]:
    with pytest.raises(errors.InvalidInput) as caught:
        locating.find(root)
    return [(str(problem.mark), str(problem.code)) for problem in caught.value.problems]


def test_a_project_is_found_upwards(root: pathlib.Path) -> None:
    """From any folder inside it; the nearest one counts."""
    _write(root, SETTINGS)
    project = locating.find(root / "inventory" / "sites")
    assert (project.name, project.root) == ("demo", root)
    assert (project.inventory, project.templates) == (root / "inventory", root / "templates")


def test_folders_may_lie_elsewhere(root: pathlib.Path) -> None:
    """Paths are relative to fleetctl.yaml, upwards too."""
    inner = root / "fleets" / "demo"
    (inner / "stores").mkdir(parents=True)
    _write(inner, SETTINGS + "paths: {inventory: stores, templates: ../../templates}\n")
    project = locating.find(inner)
    assert (project.inventory, project.templates) == (inner / "stores", root / "templates")


@pytest.mark.parametrize(("name", "says"), [("", "no fleetctl.yaml in"), ("nowhere", "is not a folder")])
def test_no_project_is_a_matter_of_configuration(tmp_path: pathlib.Path, name: str, says: str) -> None:
    """Exit code 8, with what to pass."""
    with pytest.raises(errors.NotConfigured, match=says) as caught:
        locating.find(tmp_path / name)
    assert caught.value.code is codes.Code.PROJECT_NOT_FOUND
    assert caught.value.exit is exits.Exit.CONFIGURATION
    assert "-C" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [("fleetctl.yaml:1:1", "project/wrong-type")]),
        (f"{SETTINGS}---\n{SETTINGS}", [("fleetctl.yaml:1:1", "project/wrong-type")]),
        ("name: [\n", [("fleetctl.yaml:2:1", "yaml/syntax")]),
        ("[]\n", [("fleetctl.yaml:1:1", "project/wrong-type")]),
        (SETTINGS.replace("Project", "SiteList"), [("fleetctl.yaml:2:7", "project/bad-value")]),
        (SETTINGS.replace("demo", "Demo"), [("fleetctl.yaml:3:7", "project/bad-value")]),
        (f"{SETTINGS}nmae: x\n", [("fleetctl.yaml:4:1", "project/unknown-key")]),
        (f"{SETTINGS}paths: {{inventory: 1}}\n", [("fleetctl.yaml:4:20", "project/wrong-type")]),
        (f"{SETTINGS}paths: {{inventory: !unset }}\n", [("fleetctl.yaml:4:20", "yaml/unknown-tag")]),
        (SETTINGS.replace("name: demo\n", ""), [("fleetctl.yaml:1:1", "project/missing-key")]),
        (f"{SETTINGS}paths: {{inventory: gone}}\n", [("fleetctl.yaml:4:20", "project/missing-folder")]),
        (
            f"{SETTINGS}paths: {{inventory: gone, templates: lost}}\n",
            [("fleetctl.yaml:4:20", "project/missing-folder"), ("fleetctl.yaml:4:37", "project/missing-folder")],
        ),
    ],
)
def test_settings_that_are_wrong(root: pathlib.Path, text: str, found: list[tuple[str, str]]) -> None:
    """All at their lines."""
    _write(root, text)
    assert _problems(root) == found


def test_a_folder_in_the_place_of_the_settings_is_not_the_settings(root: pathlib.Path) -> None:
    """The search goes on above."""
    (root / "inventory" / locating.FILE).mkdir()
    _write(root, SETTINGS)
    assert locating.find(root / "inventory").root == root


@pytest.mark.parametrize(("closed", "place"), [("", "{root}"), ("fleetctl.yaml", "{root}"), ("inventory", "inventory")])
def test_where_nobody_may_look(root: pathlib.Path, monkeypatch: pytest.MonkeyPatch, closed: str, place: str) -> None:
    """A folder that cannot be searched is a problem there, not a project that does not exist."""
    _write(root, SETTINGS)
    look = pathlib.Path.stat

    def refuse(path: pathlib.Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path == root / closed:
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(pathlib.Path, "stat", refuse)
    assert _problems(root) == [(place.replace("{root}", str(root)), "project/unreadable")]
