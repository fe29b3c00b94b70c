"""Provider ``env``: a variable of the environment."""

from __future__ import annotations

import contextlib

from fleetctl.model import codes, secretrefs
from fleetctl.secrets import masking, providers

__all__ = ["Env"]


class Env:
    """Reads variables; nothing is taken off their ends."""

    def __init__(self, around: providers.Surroundings) -> None:
        self._around = around

    def fetch(self, key: secretrefs.Key, _stack: contextlib.ExitStack) -> masking.Secret:
        """Return a variable's value; raises ``Fault``."""
        value = self._around.variables.get(str(key))
        if value is None:
            raise providers.Fault(codes.Code.SECRET_NOT_FOUND, f"the variable {key} is not set")
        return providers.taken(value.encode("utf-8", "surrogateescape"), f"the variable {key}", output=False)
