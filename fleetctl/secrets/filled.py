"""A release's objects with the values of secrets in them, for one visit; and how those values are kept out of words.

What a cluster says may quote what it was sent: messages of webhooks, logs of containers, conditions of controllers. So
everything that is told of such a visit goes through ``hide``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Final

from fleetctl.model import releases
from fleetctl.secrets import masking

__all__ = ["Filled", "Hiding", "plain"]

_SHORTEST: Final = 4
"""Characters: what is shorter stands in any text by chance."""
_EDGE: Final = 8
"""Characters of a value that count as the value where a text was cut off within it."""
_CUT: Final = ("...", "…")


class Hiding:
    """Takes values out of texts: as they are, as JSON and Go quote them, in base64; and what a cut left of them."""

    def __init__(self, values: Iterable[masking.Secret] = ()) -> None:
        self._forms = tuple(sorted({form for one in values for form in _forms(one.reveal())}, key=len, reverse=True))

    def __bool__(self) -> bool:
        """Tell whether there is anything to hide."""
        return bool(self._forms)

    def text(self, said: str) -> str:
        """Return a text without values."""
        for form in self._forms:
            said = said.replace(form, masking.SHOWN)
        for form in self._forms:
            said = _without_edges(said, form)
        return said

    def all(self, said: object) -> object:
        """Return plain data without values in its texts; keys of maps are left."""
        if isinstance(said, str):
            return self.text(said)
        if isinstance(said, list):
            return [self.all(one) for one in said]
        return {key: self.all(one) for key, one in said.items()} if isinstance(said, dict) else said


class Filled:
    """What is sent to a cluster; it prints as its digest."""

    def __init__(self, release: releases.Release, digest: str, hiding: Hiding) -> None:
        self.release = release
        """The release with values in its objects; not to be stored."""
        self.digest = digest
        """Digest over the objects and today's values: another than the release's own when a value moved."""
        self.hiding = hiding

    def __repr__(self) -> str:
        return f"Filled({self.digest})"


def plain(release: releases.Release) -> Filled:
    """Return a release that holds no secrets."""
    return Filled(release, release.digest, Hiding())


def _forms(value: bytes) -> Iterable[str]:
    yield base64.b64encode(value).decode().rstrip("=")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return
    for form in (text, text.strip(), json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        if len(form) >= _SHORTEST:
            yield form


def _without_edges(said: str, form: str) -> str:
    """Hide the end of a value that a text begins with, and the beginning of one that it ends with, cut or not."""
    mark = next((one for one in _CUT if said.endswith(one)), "")
    body = said.removesuffix(mark)
    begins, ends = form[:_EDGE] in body, form[-_EDGE:] in body  # or no length needs to be tried
    for length in range(min(len(form) - 1, len(body)) if begins else 0, _EDGE - 1, -1):
        if body.endswith(form[:length]):
            body = f"{body[:-length]}{masking.SHOWN}"
            break
    for length in range(min(len(form) - 1, len(body)) if ends else 0, _EDGE - 1, -1):
        if body.startswith(form[-length:]):
            body = f"{masking.SHOWN}{body[length:]}"
            break
    return f"{body}{mark}"
