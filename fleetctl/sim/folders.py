"""A simulated fleet as a process of its own: begun in a folder, found there, told its faults, ended.

The process holds a lock on the folder's ``lock`` for as long as it lives, and its number stands in that file: a number
alone may be another program's by now.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from fleetctl.model import codes, errors
from fleetctl.reading import disk
from fleetctl.sim import faults, fleets

__all__ = ["Served", "begin", "broken", "end", "held", "served", "suffer"]

_LOCK: Final = "lock"
_PATIENCE: Final = 120.0
_LOOK: Final = 0.05


class Served(msgspec.Struct, frozen=True):
    """A fleet that runs: its process, and what its folder says of it."""

    pid: int
    spec: fleets.Spec


@contextlib.contextmanager
def held(folder: pathlib.Path) -> Iterator[bool]:
    """Hold a folder for this process, as long as it serves it; gives False when another one does."""
    descriptor = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield True
    finally:
        os.close(descriptor)


def served(folder: pathlib.Path) -> Served | None:
    """Return the fleet that is served from a folder; None when there is none."""
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(descriptor, 20, 0)
    else:
        return None
    finally:
        os.close(descriptor)
    try:
        return Served(int(pid), fleets.spec_of(folder))
    except (ValueError, OSError, msgspec.MsgspecError):
        return None  # it begins at this moment


def begin(folder: pathlib.Path, spec: fleets.Spec, wrong: Mapping[str, faults.Fault]) -> subprocess.Popen[bytes]:
    """Serve a fleet in a process of its own, with these faults from the start; returns when every site listens.

    With ``spec.stays`` the process outlives this one, and what goes wrong in it stands in the folder's ``log``. Raises
    ``NotConfigured``.
    """
    disk.private_folder(folder)
    (folder / fleets.KUBECONFIG).unlink(missing_ok=True)
    disk.replace(folder / fleets.FLEET, msgspec.json.encode(spec))
    suffer(folder, wrong)
    command = [sys.executable, "-m", "fleetctl.sim", str(folder)]
    if spec.stays:
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # ourselves
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
    else:
        process = subprocess.Popen(command)  # noqa: S603  # ourselves
    until = time.monotonic() + _PATIENCE
    while not (folder / fleets.KUBECONFIG).exists():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            process.wait()
            message = "the simulated fleet did not start"
            raise errors.NotConfigured(codes.Code.SIM_NOT_STARTED, message, "Are loopback ports free to listen on?")
        time.sleep(_LOOK)
    return process


def end(folder: pathlib.Path) -> bool:
    """End the fleet that is served from a folder; returns when it has, or False when there was none."""
    found = served(folder)
    if found is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    until = time.monotonic() + _PATIENCE
    while served(folder) is not None:
        if time.monotonic() > until:
            message = f"the simulated fleet does not end; it is process {found.pid}"
            raise errors.NotConfigured(codes.Code.SIM_NOT_STARTED, message)
        time.sleep(_LOOK)
    return True


def broken(folder: pathlib.Path) -> dict[str, faults.Fault]:
    """Return what a folder says is wrong, by site."""
    try:
        return msgspec.json.decode((folder / fleets.FAULTS).read_bytes(), type=dict[str, faults.Fault])
    except (OSError, msgspec.MsgspecError):
        return {}


def suffer(folder: pathlib.Path, wrong: Mapping[str, faults.Fault]) -> None:
    """Let exactly this be wrong from now on; a fleet that is served takes it over within a second."""
    disk.replace(folder / fleets.FAULTS, msgspec.json.encode(wrong))
