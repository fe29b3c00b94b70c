"""Other people's programs that make documents: found, held to a version, run with nothing in reach.

They get no shell, no terminal, no home, no settings and no proxy that answers, so many seconds, and so much to say.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import tempfile
from typing import Final

import msgspec

from fleetctl.model import codes, errors
from fleetctl.reading import processes

__all__ = ["Failed", "Program", "find", "run"]

_TIMEOUT: Final = 60.0
_LARGEST: Final = 64 * 1024 * 1024
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_NOWHERE: Final = "http://127.0.0.1:9"
"""A proxy that is not there: a program that tries to fetch something fails at once."""


class Failed(Exception):
    """A program ended with an error, took too long or said too much; the message is its own where it has one."""


class Program(msgspec.Struct, frozen=True):
    """A program that was found, and its version as it says it."""

    path: str
    version: str


def find(name: str, least: tuple[int, int], ask: tuple[str, ...], code: codes.Code) -> Program:
    """Find a program of at least some version on PATH; raises ``NotConfigured`` with what to install."""
    wanted = f"{name} {least[0]}.{least[1]} or newer"
    path = shutil.which(name)
    if path is None:
        raise errors.NotConfigured(code, f"{name} is not on PATH, and a bundle needs it", f"Install {wanted}.")
    program = Program(path, "")
    try:
        version = run(program, ask).strip()
    except Failed as failed:
        raise errors.NotConfigured(code, f"{path} does not say its version: {failed}", f"Install {wanted}.") from None
    match = _VERSION.search(version)
    if match is None or (int(match[1]), int(match[2])) < least:
        message = f"{path} is version {version or '(none)'}, and a bundle needs {wanted}"
        raise errors.NotConfigured(code, message, f"Install {wanted}.")
    return Program(path, version)


def run(program: Program, arguments: tuple[str, ...], text: bytes = b"") -> str:
    """Return what a program says when it is given some text; raises ``Failed``."""
    words = [program.path, *arguments]
    with tempfile.TemporaryDirectory(prefix="fleetctl-run-") as home:
        folder, environment = pathlib.Path(home), _environment(home)
        try:
            done = processes.run(
                words, folder=folder, environment=environment, timeout=_TIMEOUT, most=_LARGEST, text=text
            )
        except processes.Failed as failed:
            said = {
                "start": f"it cannot be run: {failed}",
                "time": f"it did not end within {_TIMEOUT:.0f} s",
                "size": f"it made more than {_LARGEST // 1024 // 1024} MiB of text",
            }
            raise Failed(said[failed.why]) from None
    if done.status:
        complaints = done.said.decode("utf-8", "replace").strip()
        raise Failed(complaints or f"it ended with {done.status} and said nothing")
    try:
        return done.output.decode("utf-8")
    except UnicodeDecodeError:
        raise Failed("what it made is not UTF-8 text") from None


def _environment(home: str) -> dict[str, str]:
    """Return all that a program gets to know: empty folders, and nowhere to fetch from or to look clusters up."""
    folders = {
        name: str(pathlib.Path(home, name.lower()))
        for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS", "XDG_CONFIG_HOME")
    }
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), _NOWHERE)
    return {
        **folders,
        **proxies,
        "HOME": home,
        "KUBECONFIG": os.devnull,
        "LC_ALL": "C",
        "PATH": "",
        "TMPDIR": home,
    }
