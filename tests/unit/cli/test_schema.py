"""``fleetctl schema``: what is printed, and what is written where."""

import json
import pathlib
from typing import Any

import pytest
import typer.testing

from fleetctl.cli import main
from fleetctl.schema import editors


def _run(*arguments: str) -> Any:  # noqa: ANN401  # Typer's own type of results is not public
    return typer.testing.CliRunner().invoke(main.app, ["schema", *arguments], prog_name="fleetctl")


@pytest.mark.parametrize("kind", list(editors.KINDS))
@pytest.mark.parametrize("spelled", [str, str.lower])
def test_a_kind_is_printed_however_it_is_spelled(kind: str, spelled: Any) -> None:  # noqa: ANN401  # str or its method
    """The schema of a kind, as JSON."""
    result = _run(spelled(kind))
    assert (result.exit_code, json.loads(result.stdout)) == (0, editors.of(kind))


def test_without_a_kind_the_one_for_all_is_printed() -> None:
    """No project is needed for it."""
    assert json.loads(_run().stdout) == editors.combined()


def test_all_are_written(tmp_path: pathlib.Path) -> None:
    """One file a kind, and the one for all; standard output names them."""
    out = tmp_path / "new" / "schemas"
    result = _run("--out", str(out))
    names = [f"{name}.schema.json" for name in (*editors.KINDS, "fleetctl")]
    assert result.stdout.splitlines() == [str(out / name) for name in names]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    assert json.loads((out / "Group.schema.json").read_text(encoding="utf-8")) == editors.of("Group")


def test_one_is_written(tmp_path: pathlib.Path) -> None:
    """With a kind, its file alone."""
    assert _run("Bundle", "--out", str(tmp_path)).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["Bundle.schema.json"]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: pathlib.Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = _run("--out", str(tmp_path / "file"))
    assert result.exit_code == 9
    assert "cannot be written" in result.stderr
    assert "[output/unwritable]" in result.stderr
