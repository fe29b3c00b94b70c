"""What ends a command becomes the exit code of the table, and says what happened and what to do next."""

import pathlib
import re
import stat
import tempfile

import pytest
import typer
import typer.testing

from fleetctl.cli import main, opening
from fleetctl.model import codes, errors, exits, problems

SECRET = "hunter2"  # noqa: S105  # what must not be seen


def _ends_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> typer.testing.Result:
    """Run a command in whose middle something is raised."""

    def fail(_: opening.Opening) -> None:
        raise error

    monkeypatch.setattr(opening.Opening, "fleet", fail)
    return typer.testing.CliRunner().invoke(main.app, ["inventory", "list"], prog_name="fleetctl")


@pytest.fixture
def reports(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The folder that reports of bugs go to."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.UsageError, exits.Exit.USAGE),
        (errors.EmptySelection, exits.Exit.EMPTY),
        (errors.NotConfigured, exits.Exit.CONFIGURATION),
        (errors.Refused, exits.Exit.REFUSED),
    ],
    ids=["usage", "empty", "configuration", "refused"],
)
def test_an_error_of_ours_has_its_own_code(
    monkeypatch: pytest.MonkeyPatch, kind: type[errors.FleetctlError], code: exits.Exit
) -> None:
    """First line: what happened, and the code to look up; last line: what to do next."""
    result = _ends_with(monkeypatch, kind(codes.Code.USAGE, "it went wrong", "Do this."))
    assert (result.exit_code, result.stdout) == (int(code), "")
    assert result.stderr == "it went wrong  [usage/wrong]\nDo this.\n"


def test_wrong_files_end_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Problems in files are all listed, on standard error."""
    found = [problems.Problem(codes.Code.YAML_SYNTAX, f"fault {n}", problems.Mark("a.yaml", n)) for n in (1, 2)]
    result = _ends_with(monkeypatch, errors.InvalidInput(found, files=7))
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        "a.yaml:1  fault 1  [yaml/syntax]\na.yaml:2  fault 2  [yaml/syntax]\n\n"
        "2 errors in 1 of 7 files. Nothing was contacted.\nExplain any code: fleetctl explain yaml/syntax\n"
    )


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted command says nothing: the person knows."""
    result = _ends_with(monkeypatch, KeyboardInterrupt())
    assert (result.exit_code, result.output) == (130, "")


@pytest.mark.parametrize(
    "error",
    [RuntimeError(f"password {SECRET}"), RecursionError(SECRET), MemoryError(), OSError(5, SECRET)],
    ids=["RuntimeError", "RecursionError", "MemoryError", "OSError"],
)
def test_a_bug_is_one_line_and_a_file(monkeypatch: pytest.MonkeyPatch, reports: pathlib.Path, error: Exception) -> None:
    """Exit 70, one line with the kind and place of the fault, and no text of it: that may be a secret."""
    result = _ends_with(monkeypatch, error)
    assert (result.exit_code, result.stdout) == (70, "")
    (report,) = reports.iterdir()
    assert re.fullmatch(
        rf"This is a bug in fleetctl \(\w+ at fleetctl/cli/\w+\.py:\d+\); please report it with {report}"
        r"  \[internal/bug\]\n",
        result.stderr,
    )
    assert SECRET not in result.output


def test_the_report_of_a_bug_is_for_its_owner_only(monkeypatch: pytest.MonkeyPatch, reports: pathlib.Path) -> None:
    """It has the traceback and the versions, mode 0600, and warns whoever is about to send it."""
    _ends_with(monkeypatch, RuntimeError(f"password {SECRET} \udcff"))
    (report,) = reports.iterdir()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text(encoding="utf-8")
    assert text.startswith("fleetctl ")
    assert "it may hold values of your fleet" in text
    assert f"RuntimeError: password {SECRET}" in text
    assert "Traceback (most recent call last)" in text


def test_a_bug_is_told_even_when_no_file_can_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """A full disk must not turn the line about the bug into a second bug."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    result = _ends_with(monkeypatch, RuntimeError("x"))
    assert result.exit_code == 70
    assert "the traceback could not be saved: No such file or directory" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_bug_in_reading_the_command_line_is_one_too(monkeypatch: pytest.MonkeyPatch, reports: pathlib.Path) -> None:
    """Whatever happens before a command runs ends the same way."""

    def fail(_: object, _path: pathlib.Path) -> None:
        raise RuntimeError

    monkeypatch.setattr(opening.Opening, "__init__", fail)
    result = typer.testing.CliRunner().invoke(main.app, ["inventory", "list"])
    assert result.exit_code == 70
    assert len(list(reports.iterdir())) == 1


def test_a_caller_in_python_gets_the_code() -> None:
    """Without Typer's standalone mode the code is returned, so that nothing has to catch ``SystemExit``."""
    assert typer.main.get_command(main.app).main(["explain", "nonsense"], standalone_mode=False) == 2
