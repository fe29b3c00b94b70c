"""Provider ``file``: a whole file, which others must not be able to read."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import stat

from fleetctl.model import codes, secretrefs
from fleetctl.secrets import masking, providers

__all__ = ["File", "read"]

_STRANGERS = stat.S_IRWXO | stat.S_IWGRP


class File:
    """Reads files, from the project's folder or anywhere else."""

    def __init__(self, around: providers.Surroundings) -> None:
        self._around = around

    def fetch(self, key: secretrefs.Key, _stack: contextlib.ExitStack) -> masking.Secret:
        """Return a file's content, without the line end at its end; raises ``Fault``."""
        return providers.taken(read(self._around.path(str(key)), str(key)), str(key), output=True)


def read(path: pathlib.Path, shown: str, *, private: bool = True, most: int = masking.MOST) -> bytes:
    """Return a file's bytes; raises ``Fault``. A ``private`` one must be closed to others, and to its group's writing.

    The group may read: CI runners and mounted secrets hand files out that way.
    """
    try:
        # Not to wait for the other end of a pipe; what was opened is what is looked at.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _fault(error, shown) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise providers.Fault(codes.Code.SECRET_NOT_FOUND, f"{shown} is not a file")
        if private and found.st_mode & _STRANGERS:
            message = f"{shown} can be read or changed by others (mode {stat.S_IMODE(found.st_mode):04o}); chmod 600"
            raise providers.Fault(codes.Code.SECRET_EXPOSED, f"{message} {shown}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(most + 3)  # two more may be the line end that is taken off
    except OSError as error:
        raise _fault(error, shown) from None
    finally:
        os.close(descriptor)


def _fault(error: OSError, shown: str) -> providers.Fault:
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return providers.Fault(codes.Code.SECRET_NOT_FOUND, f"there is no file {shown}")
    code = codes.Code.SECRET_REFUSED if error.errno in {errno.EACCES, errno.EPERM} else codes.Code.SECRET_UNAVAILABLE
    return providers.Fault(code, f"{shown} cannot be read: {error.strerror}")
