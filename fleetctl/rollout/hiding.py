"""What is told of a visit, without the secrets that the visit sent."""

from __future__ import annotations

import msgspec

from fleetctl.model import outcomes, releases
from fleetctl.secrets import filled

__all__ = ["cause", "evidence", "moved"]

_MOST = 3


def cause(told: outcomes.Cause | None, hidden: filled.Hiding) -> outcomes.Cause | None:
    """Return a cause without values in its words."""
    if told is None or not hidden:
        return told
    return msgspec.structs.replace(told, subject=hidden.text(told.subject), message=hidden.text(told.message))


def evidence(seen: bytes | None, hidden: filled.Hiding) -> bytes | None:
    """Return evidence (JSON, see ``kube.evidence``) without values in its texts."""
    if seen is None or not hidden:
        return seen
    return msgspec.json.encode(hidden.all(msgspec.json.decode(seen)), order="deterministic")


def moved(release: releases.Release) -> outcomes.Cause:
    """Say that a secret of a release has another value than when the plan was made; which one is not known."""
    names = [str(one) for one in releases.references(release)]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    words = "has another value" if len(names) == 1 else "one of these has another value"
    return outcomes.Cause("SecretMoved", f"{', '.join(names[:_MOST])}{more}", f"{words} than when the plan was made")
