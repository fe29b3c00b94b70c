"""Other people's programs that make documents: found, held to a version, run with nothing in reach.

They get no shell, no terminal, no home, no settings and no proxy that answers, so many seconds, and so much to say.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from typing import Final

import msgspec

from fleetctl.model import codes, errors

__all__ = ["Failed", "Program", "find", "run"]

_TIMEOUT: Final = 60.0
_LARGEST: Final = 64 * 1024 * 1024
_WORDS: Final = 16 * 1024
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
    with tempfile.TemporaryDirectory(prefix="fleetctl-run-") as home, tempfile.TemporaryFile() as given:
        given.write(text)
        given.seek(0)
        with tempfile.TemporaryFile() as complaints:
            out, code = _ran([program.path, *arguments], given.fileno(), complaints.fileno(), home)
            complaints.seek(0)
            words = complaints.read(_WORDS).decode("utf-8", "replace").strip()
    if len(out) > _LARGEST:
        raise Failed(f"it made more than {_LARGEST // 1024 // 1024} MiB of text")
    if code == -signal.SIGKILL:
        raise Failed(f"it did not end within {_TIMEOUT:.0f} s")
    if code:
        raise Failed(words or f"it ended with {code} and said nothing")
    try:
        return out.decode("utf-8")
    except UnicodeDecodeError:
        raise Failed("what it made is not UTF-8 text") from None


def _ran(command: list[str], given: int, complaints: int, home: str) -> tuple[bytes, int]:
    try:
        process = subprocess.Popen(  # noqa: S603  # a program of the user's PATH, no shell
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd=home,
            env=_environment(home),
            start_new_session=True,
        )
    except OSError as error:
        raise Failed(f"it cannot be run: {error.strerror}") from None
    timer = threading.Timer(_TIMEOUT, _kill, (process,))
    timer.start()
    with process:
        assert process.stdout is not None  # noqa: S101  # a pipe, as asked for
        out = process.stdout.read(_LARGEST + 1)
        if len(out) > _LARGEST:
            _kill(process)
        code = process.wait()
    timer.cancel()
    return out, code


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


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
