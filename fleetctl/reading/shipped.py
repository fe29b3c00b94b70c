"""Where the files that ship with fleetctl lie: the bundle catalogue, the example fleets and the error pages."""

from __future__ import annotations

import pathlib

__all__ = ["folder"]

_PACKAGE = pathlib.Path(__file__).resolve().parent.parent
_IN_CHECKOUT = {"templates": "templates", "inventories": "inventories", "errors": "docs/reference/errors"}


def folder(name: str) -> pathlib.Path:
    """Return the folder of shipped ``templates``, ``inventories`` or ``errors``.

    A wheel carries them inside the package; in a checkout they are the folders themselves, which come first so that an
    editable installation never reads a stale copy. Raises ``KeyError`` for another name.
    """
    checkout = _PACKAGE.parent / _IN_CHECKOUT[name]
    if (_PACKAGE.parent / "pyproject.toml").is_file() and checkout.is_dir():
        return checkout
    return _PACKAGE / "_shipped" / name
