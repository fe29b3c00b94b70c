"""fleetctl as a process of its own: its streams, its terminal and its environment are what a test says."""

import fcntl
import os
import pathlib
import pty
import struct
import subprocess
import sys
import termios
from typing import Any, NamedTuple

from tests.architecture import sources

__all__ = ["Screen", "command", "environment", "on_terminal", "project", "run"]

# What a shell or a test run may have set, and what would change what we measure.
_OURS = ("COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "LC_", "LANG", "LINES", "NO_COLOR", "PYTHON", "TERM", "TYPER", "_")


class Screen(NamedTuple):
    """What a terminal got, and how the process ended (negative: by that signal)."""

    text: str
    code: int

    @property
    def lines(self) -> list[str]:
        """The lines, without their ends."""
        return self.text.splitlines()


def command(*arguments: str, before: str = "") -> list[str]:
    """Return a command line that starts fleetctl, after a script of Python.

    Ctrl-C works in it even where the test run was started in the background and ignores it.
    """
    script = f"""\
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from fleetctl.cli import main, opening
{before}
main.run()
"""
    return [sys.executable, "-c", script, *arguments]


def environment(**changes: str) -> dict[str, str]:
    """Return an environment in which only the given variables could matter."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}
    return {**kept, "PYTHONPATH": str(sources.ROOT), "TERM": "xterm", **changes}


def run(*arguments: str, **changes: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401  # as subprocess.run
    """Run fleetctl to its end; ``changes`` go to ``subprocess.run``."""
    given: dict[str, Any] = {"env": environment(), "stdin": subprocess.DEVNULL, "encoding": "utf-8", **changes}
    if "stdout" not in given:
        given["capture_output"] = True
    return subprocess.run(command(*arguments), check=False, **given)


def on_terminal(*arguments: str, columns: int, before: str = "", **changes: str) -> Screen:
    """Run fleetctl with a terminal of a width as all its streams; ``changes`` go to its environment."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        command(*arguments, before=before), stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**changes)
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux tells that nobody holds the other end any more
            break
        if not part:
            break
        seen += part
    os.close(ours)
    return Screen(seen.decode("utf-8", "replace").replace("\r\n", "\n"), process.wait())


def project(folder: pathlib.Path, sites: str = "", **files: str) -> pathlib.Path:
    """Lay out a project with the given list of sites, as YAML, and return its folder."""
    texts = {
        "fleetctl.yaml": "kind: Project\nname: demo\n",
        "inventory/sites.yaml": f"kind: SiteList\nsites:\n{sites or '- name: store-00001'}\n",
        **files,
    }
    (folder / "templates").mkdir(parents=True)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"apiVersion: fleetctl.dev/v1alpha1\n{text}", encoding="utf-8")
    return folder
