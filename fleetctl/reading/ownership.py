"""Whether somebody else could have written a file: what names a program to be started must be ours alone.

The rule is that of OpenSSH's ``safe_path`` (``misc.c``), with what Debian adds for the group that is one user's own:
the file and every folder above it belong to us or root, and nobody else may write them. In a folder with the sticky bit
(``/tmp``) others may make files, but not replace ours.
"""

from __future__ import annotations

import grp
import os
import pathlib
import pwd
import stat

__all__ = ["stranger"]


def stranger(file: pathlib.Path) -> str:
    """Return who else could have written a file, or put another in its place, in words; "" when nobody could.

    Where links lead to it, both ways are looked at. Raises ``OSError``.
    """
    whole = file.absolute()
    real = whole.resolve()
    for path in dict.fromkeys((real, *real.parents, *whole.parents)):
        found = path.stat()
        if found.st_uid not in {os.geteuid(), 0}:
            return f"{path} belongs to somebody else"
        if stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX:
            continue
        if found.st_mode & stat.S_IWOTH:
            return f"anybody may write {path}"
        if found.st_mode & stat.S_IWGRP and not _is_ours(found.st_gid):
            return f"its group may write {path}"
    return ""


def _is_ours(gid: int) -> bool:
    """Tell whether a group is root's, or has nobody in it but us, as those have that are made with a user."""
    if gid == 0:
        return True
    try:
        group, us = grp.getgrgid(gid), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return gid == us.pw_gid and group.gr_name == us.pw_name and set(group.gr_mem) <= {us.pw_name}
