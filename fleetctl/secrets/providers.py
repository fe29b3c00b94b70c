"""Where secrets are kept: what every provider does, and how it says that it cannot."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from fleetctl.model import codes, secretrefs
from fleetctl.secrets import masking

__all__ = ["OWN_VARIABLES", "Fault", "Provider", "Surroundings", "taken"]

OWN_VARIABLES: Final = ("FLEETCTL_PROJECT_KEY", "FLEETCTL_AGE_IDENTITIES")
"""Variables that hold secrets of fleetctl itself; no command that it starts gets them."""


class Fault(Exception):
    """A secret cannot be had. The message never holds a value, nor what a store or command said.

    ``whole`` when the provider itself is at fault, so that nobody need ask it for anything else in this run.
    """

    def __init__(self, code: codes.Code, message: str, *, whole: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.whole = whole


class Surroundings(msgspec.Struct, frozen=True):
    """What providers find things by: the project's folder and the variables of the process."""

    root: pathlib.Path
    variables: Mapping[str, str]

    def __repr__(self) -> str:
        """Leave the variables out: some of them are secrets."""
        return f"Surroundings({str(self.root)!r})"

    def path(self, written: str) -> pathlib.Path:
        """Return a path of a reference: from the project's folder, ``~/`` from the home folder."""
        if written.startswith("~/"):
            home = self.variables.get("HOME") or str(pathlib.Path.home())
            return pathlib.Path(home, written[2:])
        return self.root / written

    def variables_of_children(self) -> dict[str, str]:
        """Return the variables that a command gets."""
        return {name: value for name, value in self.variables.items() if name not in OWN_VARIABLES}


class Provider(Protocol):
    """One kind of store. It may keep what it has read until the end of the run, and connections until then."""

    def fetch(self, key: secretrefs.Key, stack: contextlib.ExitStack) -> masking.Secret:
        """Return the value under a key; raises ``Fault``. What must be closed at the end goes on the stack."""
        ...


def taken(value: bytes, what: str, *, output: bool) -> masking.Secret:
    """Return a value that a store gave, within its limits; raises ``Fault``."""
    try:
        secret = masking.Secret.of_output(value) if output else masking.Secret(value)
    except masking.TooLarge:
        message = f"{what} is larger than {masking.MOST // 2**20} MiB"
        raise Fault(codes.Code.SECRET_BAD_VALUE, message) from None
    if not secret.reveal():
        raise Fault(codes.Code.SECRET_BAD_VALUE, f"{what} is empty")
    return secret
