"""What stands for a secret in rendered text until a run resolves it: ``((fleetctl/secret/env/POS_TOKEN))``.

A placeholder holds the whole reference, so a stored release needs nothing beside it, and equal references give equal
text. Its form says what a template did to the value: that is done when the value is there. Every character is plain
in YAML and JSON, so no quoting or escaping changes it.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from fleetctl.model import secretrefs

__all__ = ["MARK", "PATTERN", "Form", "Placeholder", "found", "text"]

MARK: Final = "((fleetctl/"
"""What every placeholder begins with."""
PATTERN: Final = re.compile(r"\(\(fleetctl/(secret|base64|json|hash)/([a-z]+)/([A-Za-z0-9/._~@+#=%-]+)\)\)")
_SAFE = "/._~@+#=-"

Form = Literal["secret", "base64", "json", "hash"]
"""The value itself; in base64; as it stands in a JSON text, without its quotes; its keyed hash."""


class Placeholder(msgspec.Struct, frozen=True):
    """One placeholder in a text, and where it stands there."""

    form: Form
    reference: secretrefs.Reference
    start: int
    end: int


def text(reference: secretrefs.Reference, form: Form = "secret") -> str:
    """Return the placeholder of a reference."""
    key = reference.key if isinstance(reference.key, str) else json.dumps(reference.key)
    return f"{MARK}{form}/{reference.provider}/{urllib.parse.quote(key, safe=_SAFE)}))"


def found(written: str) -> Iterator[Placeholder]:
    """Return the placeholders of a text, in order."""
    for match in PATTERN.finditer(written):
        said = urllib.parse.unquote(match[3])
        key: secretrefs.Key = tuple(json.loads(said)) if match[2] == "exec" else said
        reference = secretrefs.Reference(match[2], key)
        yield Placeholder(match[1], reference, match.start(), match.end())  # type: ignore[arg-type]  # one of Form
