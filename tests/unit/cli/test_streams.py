"""Standard output is the result and nothing but the result; what goes wrong with the streams is told, once, briefly."""

import json
import os
import pathlib
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.unit.cli import processes

MANY = "\n".join(f"- name: store-{n:05}" for n in range(3000))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A project whose list fills more than any pipe's buffer."""
    return processes.project(tmp_path_factory.mktemp("many") / "project", MANY)


@pytest.fixture
def one(tmp_path: pathlib.Path) -> pathlib.Path:
    """A project of one site, in whose vars stands text that ASCII cannot hold."""
    return processes.project(tmp_path / "project", '- name: store-00001\n  vars: {city: "Tromsø ☃"}')


def test_a_result_is_on_standard_output_alone(one: pathlib.Path) -> None:
    """A pipe sees the result, a screen that only gets standard error stays empty."""
    done = processes.run("-C", str(one), "inventory", "list", "-o", "name")
    assert (done.returncode, done.stdout, done.stderr) == (0, "store-00001\n", "")


def test_an_error_is_on_standard_error_alone(one: pathlib.Path) -> None:
    """A pipe into another command stays empty when there is no result."""
    done = processes.run("-C", str(one), "inventory", "list", "-l", "ring=0", "-o", "json")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_reader_that_goes_away_is_no_error(many: pathlib.Path, unbuffered: str) -> None:
    """``fleetctl ... | head -1``: exit 141, silence, and the first line in full."""
    process = subprocess.Popen(
        processes.command("-C", str(many), "inventory", "list", "-o", "yaml"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=processes.environment(PYTHONUNBUFFERED=unbuffered),
        encoding="utf-8",
    )
    head = subprocess.run(["head", "-1"], stdin=process.stdout, check=True, capture_output=True, encoding="utf-8")  # noqa: S607
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == ("", 141)
    process.stderr.close()
    assert head.stdout == "apiVersion: fleetctl.dev/v1alpha1\n"


@pytest.mark.parametrize("arguments", [["--help"], ["version"], ["completion", "bash"]], ids=lambda words: words[0])
def test_a_reader_that_was_never_there_is_no_error_either(arguments: list[str]) -> None:
    """Short texts, which Python writes at the very end only, and those that Typer writes itself."""
    reader, writer = os.pipe()
    os.close(reader)
    done = processes.run(*arguments, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("arguments", [["--help"], ["version"], ["inventory", "list"]], ids=lambda words: words[-1])
def test_a_full_disk_is_told(many: pathlib.Path, arguments: list[str], unbuffered: str) -> None:
    """A result that was lost must not look like one that was written, and is no bug of ours."""
    with pathlib.Path("/dev/full").open("w", encoding="utf-8") as full:
        done = processes.run(
            "-C",
            str(many),
            *arguments,
            stdout=full,
            stderr=subprocess.PIPE,
            env=processes.environment(PYTHONUNBUFFERED=unbuffered),
        )
    assert (done.returncode, done.stderr) == (
        9,
        "standard output cannot be written: No space left on device  [output/unwritable]\n",
    )


def _in_shell(redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run fleetctl below a shell, which can close streams."""
    script = f'"$@" {redirection}'
    words = ["sh", "-c", script, "sh", *processes.command(*arguments)]
    return subprocess.run(words, check=False, capture_output=True, encoding="utf-8", env=processes.environment())


@pytest.mark.parametrize("arguments", [["--help"], ["version"]], ids=["help", "version"])
def test_a_closed_output_is_told(arguments: list[str]) -> None:
    """Nothing is computed for nobody."""
    done = _in_shell(">&-", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (9, "", "standard output is closed  [output/unwritable]\n")


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"], ids=["closed", "full"])
def test_a_lost_error_keeps_its_exit_code(redirection: str) -> None:
    """Where nobody can read the message, the code still tells."""
    done = _in_shell(redirection, "explain", "nonsense")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_a_closed_input_is_an_empty_one(one: pathlib.Path) -> None:
    """``--site -`` without an input names no site."""
    done = _in_shell("<&-", "-C", str(one), "inventory", "list", "--site", "-")
    assert done.returncode == 5


def test_names_come_from_standard_input(one: pathlib.Path) -> None:
    """``--site -`` reads names, whatever the locale."""
    done = processes.run(
        "-C", str(one), "inventory", "list", "-o", "name", "--site", "-", stdin=None, input="store-00001\n"
    )
    assert (done.returncode, done.stdout) == (0, "store-00001\n")


def test_an_input_that_is_no_text_is_a_usage_error(one: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Bytes that are not UTF-8 are refused in words."""
    (tmp_path / "names").write_bytes(b"\xff\xfe")
    with (tmp_path / "names").open("rb") as names:
        done = processes.run("-C", str(one), "inventory", "list", "--site", "-", stdin=names)
    assert done.returncode == 2
    assert done.stderr == "standard input cannot be read: it is not UTF-8 text  [selection/unreadable-file]\n"


LOCALES = {
    "C": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "POSIX": {"LC_ALL": "POSIX"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "iso-8859-1"},
}


@pytest.mark.parametrize("locale", list(LOCALES))
@pytest.mark.parametrize("style", ["json", "yaml", "jsonl"])
def test_results_are_utf_8_in_every_locale(one: pathlib.Path, locale: str, style: str) -> None:
    """JSON and YAML are UTF-8 by definition; a file written in one place is read in another."""
    arguments = ["-C", str(one), "inventory", "show", "store-00001", "-o", style]
    done = processes.run(*arguments, env=processes.environment(**LOCALES[locale]))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == processes.run(*arguments).stdout
    assert "Tromsø ☃" in done.stdout


@pytest.mark.parametrize("locale", list(LOCALES))
def test_errors_survive_every_locale(one: pathlib.Path, locale: str) -> None:
    """What the locale cannot show is written as an escape."""
    done = processes.run("-C", str(one), "inventory", "show", "☃", env=processes.environment(**LOCALES[locale]))
    assert (done.returncode, done.stdout) == (2, "")
    assert "selection/unknown-site" in done.stderr


def test_a_file_name_that_is_no_text_can_be_reported(one: pathlib.Path) -> None:
    """Names on Linux are bytes; JSON still holds the problem."""
    (one / "inventory" / os.fsdecode(b"s\xff.yaml")).write_text("kind: [\n", encoding="utf-8")
    done = processes.run("-C", str(one), "inventory", "validate", "-o", "json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["items"][0]["path"] == "inventory/s\\udcff.yaml"


@pytest.fixture
def waiting(one: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[subprocess.Popen[str]]:
    """A command in its middle: it waits for names that nobody writes."""
    fifo = tmp_path / "names"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        processes.command("-C", str(one), "inventory", "list", "--site", f"@{fifo}"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=processes.environment(),
        encoding="utf-8",
    )
    writer = os.open(fifo, os.O_WRONLY)  # returns when the command has opened the other end
    yield process
    os.close(writer)
    process.kill()
    process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_with_its_code(waiting: subprocess.Popen[str], number: signal.Signals, code: int) -> None:
    """The table's number, for callers that are no shell too; nothing on the screen."""
    waiting.send_signal(number)
    assert waiting.communicate(timeout=20) == ("", "")
    assert waiting.returncode == code
