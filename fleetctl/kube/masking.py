"""What a Secret holds is never shown: only that it is there, and whether it differs."""

from __future__ import annotations

from typing import Final

from fleetctl.model import values

__all__ = ["CHANGED", "MASKED", "masked"]

MASKED: Final = "(masked)"
CHANGED: Final = "(masked, changed)"
_FIELDS: Final = ("data", "stringData")


def masked(old: values.Vars | None, new: values.Vars | None) -> tuple[values.Vars | None, values.Vars | None]:
    """Return two states of one object without what is secret in them; None where it is not there."""
    return _without(old, None), _without(new, old)


def _without(shown: values.Vars | None, before: values.Vars | None) -> values.Vars | None:
    if shown is None or (shown.get("apiVersion"), shown.get("kind")) != ("v1", "Secret"):
        return shown
    hidden: values.Vars = {}
    for field in _FIELDS:
        held = shown.get(field)
        had = before.get(field) if before else None
        if isinstance(held, dict):
            hidden[field] = {key: _word(value, had, key) for key, value in held.items()}
        elif held is not None:
            hidden[field] = MASKED
    return {**shown, **hidden}


def _word(value: values.Value, had: values.Value | None, key: str) -> str:
    return CHANGED if isinstance(had, dict) and key in had and had[key] != value else MASKED
