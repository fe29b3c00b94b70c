"""On a real terminal: problems wrap to its width, nothing is cut, and nothing in a file steers the screen."""

import pathlib

import pytest

from tests.unit.cli import processes

SITES = """\
- name: store-00001
  acess: {}
- name: store-00001
- name: Store_00003
  cluster: {version: "\\e[31mred"}
"""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A project with faults in a file whose path is long."""
    return processes.project(
        tmp_path_factory.mktemp("broken") / "project",
        **{
            "inventory/sites.yaml": "kind: SiteList\nsites: []\n",
            "inventory/sites/norway/far-in-the-north.yaml": f"kind: SiteList\nsites:\n{SITES}",
        },
    )


def _validate(project: pathlib.Path, columns: int) -> processes.Screen:
    return processes.on_terminal("-C", str(project), "inventory", "validate", columns=columns)


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_problems_wrap_to_the_terminal(broken: pathlib.Path, columns: int) -> None:
    """Every line fits, up to 100 columns, beyond which sentences are hard to read."""
    screen = _validate(broken, columns)
    assert screen.code == 3
    assert max(map(len, screen.lines)) <= min(columns, 100)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_word_is_lost_by_wrapping(broken: pathlib.Path, columns: int) -> None:
    """What a terminal shows is what a pipe gets, in other lines."""
    piped = processes.run("-C", str(broken), "inventory", "validate")
    assert _validate(broken, columns).text.split() == piped.stderr.split()


def test_a_pipe_gets_one_line_for_a_problem(broken: pathlib.Path) -> None:
    """So that ``grep`` works."""
    lines = processes.run("-C", str(broken), "inventory", "validate").stderr.splitlines()
    assert sum(line.startswith("inventory/sites/norway/far-in-the-north.yaml:") for line in lines) == 3
    assert all(line.endswith("]") for line in lines[:3])


@pytest.mark.parametrize("columns", [60, 80])
def test_what_is_wrapped_stands_apart_from_the_places(broken: pathlib.Path, columns: int) -> None:
    """A line starts with a place or is indented, at most by half of the screen, so that places stand out."""
    lines = _validate(broken, columns).lines
    above = lines[: lines.index("")]
    indents = {len(line) - len(line.lstrip()) for line in above if not line.startswith("inventory/sites/norway/")}
    assert indents
    assert all(4 <= indent <= columns // 2 for indent in indents)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_first_what_happened_last_what_to_do(broken: pathlib.Path, columns: int) -> None:
    """The last thing on the screen is the command to go on with, in one piece."""
    lines = _validate(broken, columns).lines
    assert lines[0].startswith("inventory/sites/")
    assert lines[-2].startswith("3 errors in 1 of ")
    assert lines[-1] == "Explain any code: fleetctl explain inventory/unknown-key"


def test_other_errors_wrap_too(tmp_path: pathlib.Path) -> None:
    """A long sentence is broken between words, and its code stays whole."""
    project = processes.project(tmp_path / "project")
    screen = processes.on_terminal("-C", str(project), "inventory", "list", "-o", "tabel", columns=60)
    assert screen.code == 2
    assert max(map(len, screen.lines)) <= 60
    assert "[usage/wrong]" in screen.text
    assert screen.lines[-1] == "See: fleetctl inventory list --help"


def test_a_pointer_stays_below_its_character(tmp_path: pathlib.Path) -> None:
    """A selector is shown with its fault marked; wrapping would move the mark."""
    project = processes.project(tmp_path / "project")
    selector = "region in (eu-north,eu-west),env=prod,ring!=(0"
    screen = processes.on_terminal("-C", str(project), "inventory", "list", "-l", selector, columns=60)
    *_, text, pointer = screen.lines
    assert (text, pointer) == (selector, " " * selector.rindex("(") + "^")


def test_files_cannot_steer_the_terminal(broken: pathlib.Path) -> None:
    """An escape in a file is shown as one."""
    screen = _validate(broken, 80)
    assert "\x1b" not in screen.text
    assert "\\x1b[31mred" in screen.text


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["plain", "NO_COLOR", "dumb"])
def test_no_screen_is_coloured(broken: pathlib.Path, variables: dict[str, str]) -> None:
    """Nothing is said by colour, so ``NO_COLOR`` has nothing to take away."""
    screens = [
        processes.on_terminal(*arguments, columns=80, **variables)
        for arguments in (["--help"], ["inventory", "--help"], ["-C", str(broken), "inventory", "validate"])
    ]
    assert all("\x1b" not in screen.text for screen in screens)


def test_a_wider_terminal_than_its_screen_says_so_by_columns(broken: pathlib.Path) -> None:
    """``COLUMNS`` wins over what the terminal says, as everywhere."""
    screen = processes.on_terminal("-C", str(broken), "inventory", "validate", columns=100, COLUMNS="60")
    assert max(map(len, screen.lines)) <= 60


def test_ctrl_c_on_a_terminal_ends_by_the_signal() -> None:
    """A shell shows 130 for it all the same, and stops its loop as well, which it does only for this."""
    press = "opening.Opening.fleet = lambda self: os.kill(os.getpid(), signal.SIGINT)"
    screen = processes.on_terminal("inventory", "list", columns=80, before=press)
    assert (screen.code, screen.text) == (-2, "")
