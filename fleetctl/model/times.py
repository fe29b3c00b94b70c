"""Times as operators write them: a moment, or so long from now."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

__all__ = ["moment_of"]

_UNITS: Final = {"d": 86400, "h": 3600, "m": 60}
_SPAN: Final = re.compile(r"(?:(?P<d>[0-9]{1,4})d)?(?:(?P<h>[0-9]{1,5})h)?(?:(?P<m>[0-9]{1,6})m)?")


def moment_of(text: str, now: float) -> float:
    """Return the seconds since the epoch of a moment; raises ``ValueError`` for anything else.

    It is a date or date and time of ISO 8601 (local time, unless an offset or ``Z`` says otherwise), or a span from
    now: ``90m``, ``36h``, ``2d12h``.
    """
    text = text.strip()
    match = _SPAN.fullmatch(text)
    if text and match is not None:
        return now + sum(int(match[unit] or 0) * seconds for unit, seconds in _UNITS.items())
    try:
        return dt.datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OSError, OverflowError):
        msg = f"no time: {text}"
        raise ValueError(msg) from None
