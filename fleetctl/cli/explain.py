"""``fleetctl explain``: what an error code means."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, completing
from fleetctl.model import codes, errors
from fleetctl.reading import scalars, shipped

__all__ = ["app", "explain"]

app = commands.application()


@app.command(cls=commands.Command)
def explain(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="Such as inventory/group-conflict.", autocompletion=completing.codes)
    ],
) -> None:
    """Explain an error code, offline."""
    known = [one.value for one in codes.Code]
    if code not in known:
        near = (
            scalars.did_you_mean(code, known) or f"; areas: {', '.join(sorted({c.partition('/')[0] for c in known}))}"
        )
        raise errors.UsageError(codes.Code.USAGE_UNKNOWN_CODE, f'there is no code "{code}"{near}')
    sys.stdout.write((shipped.folder("errors") / f"{code}.md").read_text(encoding="utf-8"))
