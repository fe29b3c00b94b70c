"""References to secrets, ``{secretRef: {provider: env, key: POS_TOKEN}}``: where a value is kept, never the value.

A reference is a leaf: layers replace it whole, output shows it as it was written. A map is one when it has the key
``secretRef``, except where that is Kubernetes' own (``envFrom: [{secretRef: {name: db}}]`` knows ``name`` and
``optional`` only: API reference, SecretEnvSource), which vars may well hold.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from typing import Final, Literal

import msgspec

from fleetctl.model import problems, values

__all__ = ["KEY", "PROVIDERS", "Fault", "Key", "Reference", "faults", "is_reference", "of", "replaced", "within"]

KEY: Final = "secretRef"
PROVIDERS: Final = ("env", "file", "exec", "age", "sops", "vault", "keyring")

Key = str | tuple[str, ...]
"""What a provider finds a value by: text, or a command's words for ``exec``."""

_KUBERNETES = frozenset({"name", "optional"})
_LONGEST = 1000
_FORMS: Final[dict[str, tuple[str, str]]] = {
    "env": (r"[A-Za-z_][A-Za-z0-9_]*", "the name of a variable, such as POS_TOKEN"),
    "file": (r".+", "a path"),
    "age": (r"[^#]+(#.+)?", 'a path, or "FILE#db.password" for a value inside the file'),
    "sops": (r"[^#]+(#.+)?", 'a path, or "FILE#db.password" for a value inside the file'),
    "vault": (r"[^#/]+/[^#]+#[^#]+", '"MOUNT/PATH#FIELD", such as "secret/pos/db#password"'),
    "keyring": (r"[^/].*/[^/]+", '"SERVICE/USER", such as "fleetctl/pos-token"'),
}


class Reference(msgspec.Struct, frozen=True, order=True):
    """Where a secret is kept."""

    provider: str
    key: Key

    def __str__(self) -> str:
        """Return the reference as people read it: ``env POS_TOKEN``."""
        return f"{self.provider} {self.key if isinstance(self.key, str) else shlex.join(self.key)}"


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a reference as written, at a field from the map that holds ``secretRef``."""

    what: Literal["missing-key", "unknown-key", "wrong-type", "bad-value"]
    field: problems.Field
    message: str


def is_reference(value: object) -> bool:
    """Tell whether a value is a reference, be it a faulty one."""
    if not isinstance(value, dict) or KEY not in value:
        return False
    said = value[KEY]
    return not (isinstance(said, dict) and said and said.keys() <= _KUBERNETES)


def faults(value: values.Written) -> Iterator[Fault]:
    """Return what is wrong with a map that ``is_reference``."""
    for key in value:
        if key != KEY:
            yield Fault("unknown-key", (key,), f"a reference to a secret stands alone; {KEY} has no keys beside it")
    said = value[KEY]
    if not isinstance(said, dict):
        yield Fault("wrong-type", (KEY,), f"expected a map with provider and key, got {values.kind_of(said)}")
        return
    for key in said:
        if key not in {"provider", "key"}:
            yield Fault("unknown-key", (KEY, key), "unknown key; known here: provider, key")
    for key in ("provider", "key"):
        if key not in said:
            yield Fault("missing-key", (KEY, key), "this key is required")
    provider = said.get("provider")
    if "provider" in said and provider not in PROVIDERS:
        message = f"expected one of {', '.join(PROVIDERS)}, got {values.kind_of(provider)}"
        yield Fault("bad-value" if isinstance(provider, str) else "wrong-type", (KEY, "provider"), message)
    elif "key" in said and "provider" in said:
        yield from _key_faults(str(provider), said["key"])


def of(value: object) -> Reference:
    """Return the reference that a value is; raises ``ValueError`` with the first fault."""
    if not isinstance(value, dict) or not is_reference(value):
        msg = f"expected a reference to a secret, got {values.kind_of(value)}"
        raise ValueError(msg)
    for fault in faults(value):
        msg = f"{problems.field_text(fault.field)}: {fault.message}"
        raise ValueError(msg)
    said = value[KEY]
    return Reference(said["provider"], tuple(said["key"]) if isinstance(said["key"], list) else said["key"])


def within(value: object) -> bool:
    """Tell quickly whether there may be references anywhere in plain data."""
    return b'"secretRef"' in msgspec.json.encode(value)


def replaced(value: values.Value, make: Callable[[values.Vars], values.Value]) -> values.Value:
    """Return plain data with every reference replaced by what ``make`` returns for it."""
    if isinstance(value, dict):
        if is_reference(value):
            return make(value)
        return {key: replaced(inner, make) for key, inner in value.items()}
    return [replaced(inner, make) for inner in value] if isinstance(value, list) else value


def _key_faults(provider: str, key: object) -> Iterator[Fault]:
    field: problems.Field = (KEY, "key")
    if provider == "exec":
        if not isinstance(key, list) or not key or not all(isinstance(word, str) and word for word in key):
            message = 'expected a list of words, such as [pass, show, "pos/token"]; no shell takes part'
            yield Fault("wrong-type", field, message)
            return
        words = key
    elif not isinstance(key, str):
        yield Fault("wrong-type", field, f"expected text, got {values.kind_of(key)}")
        return
    else:
        words = [key]
        pattern, expected = _FORMS[provider]
        if "${vars." not in key and not re.fullmatch(pattern, key):
            yield Fault("bad-value", field, f"expected {expected}, got {values.kind_of(key)}")
            return
    if any(not word.isprintable() for word in words) or sum(map(len, words)) > _LONGEST:
        message = f"has characters that cannot be printed, or more than {_LONGEST:,}"
        yield Fault("bad-value", field, message)
