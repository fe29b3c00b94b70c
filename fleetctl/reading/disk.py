"""Reading a file whole, with what the operating system refuses as a problem at that file."""

from __future__ import annotations

import pathlib

from fleetctl.model import codes, problems

__all__ = ["read"]


def read(path: pathlib.Path, shown: str) -> tuple[bytes, list[problems.Problem]]:
    """Return a file's bytes, or none and the problem; ``shown`` is the path as people see it."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            message = "cannot be read: it is a pipe or a device"
            return b"", [problems.Problem(codes.Code.PROJECT_UNREADABLE, message, problems.Mark(shown))]
        return path.read_bytes(), []
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        return b"", [problems.Problem(codes.Code.PROJECT_UNREADABLE, message, problems.Mark(shown))]
