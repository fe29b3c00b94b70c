"""``fleetctl explain``: what an error code means."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, completing, options
from fleetctl.model import codes, errors
from fleetctl.reading import scalars, shipped

__all__ = ["app", "explain"]

app = commands.application()


@app.command(cls=commands.Plain)
def explain(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="Such as inventory/group-conflict.", autocompletion=completing.codes)
    ],
    output: options.Format = options.Output.TABLE,
) -> None:
    """Explain an error code, offline."""
    known = [one.value for one in codes.Code]
    if code not in known:
        near = (
            scalars.did_you_mean(code, known) or f"; areas: {', '.join(sorted({c.partition('/')[0] for c in known}))}"
        )
        raise errors.UsageError(codes.Code.USAGE_UNKNOWN_CODE, f'there is no code "{code}"{near}')
    text = (shipped.folder("errors") / f"{code}.md").read_text(encoding="utf-8")
    if output in (options.Output.TABLE, options.Output.WIDE):
        sys.stdout.write(text)
        return
    from fleetctl.reports import envelopes

    summary = " ".join(text.split("\n\n")[1].split())
    said: dict[str, object] = {"apiVersion": envelopes.API_VERSION, "kind": "ErrorPage", "code": code}
    envelopes.write({**said, "summary": summary, "text": text}, output, sys.stdout)
