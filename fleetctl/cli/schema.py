"""``fleetctl schema``: JSON Schemas of our files, for editors."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Annotated, Any

import typer

from fleetctl.cli import commands
from fleetctl.model import codes, errors
from fleetctl.reading import disk, scalars
from fleetctl.schema import editors

__all__ = ["app", "schema"]

app = commands.application()


@app.command(cls=commands.Command)
def schema(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="Such as SiteList; without one, a schema for all kinds.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="DIR", help="Write KIND.schema.json there; without KIND those of all kinds."),
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of file, for editors."""
    if out == "":
        raise errors.UsageError(codes.Code.USAGE, '--out "" names no folder (an empty variable?)')
    wanted = None if kind is None else _known(kind)
    if out is None:
        sys.stdout.write(_text(editors.combined() if wanted is None else editors.of(wanted)))
        return
    named = {one: editors.of(one) for one in ([wanted] if wanted else editors.KINDS)}
    if wanted is None:
        named[editors.COMBINED] = editors.combined()
    for name, made in named.items():
        sys.stdout.write(f"{_write(pathlib.Path(out) / f'{name}.schema.json', made)}\n")


def _known(kind: str) -> str:
    """Return a kind as it is spelled; raises ``UsageError``."""
    spelled = {one.lower(): one for one in editors.KINDS}
    if kind.lower() not in spelled:
        near = scalars.did_you_mean(kind, editors.KINDS) or f"; there is: {', '.join(editors.KINDS)}"
        raise errors.UsageError(codes.Code.USAGE, f'there is no kind "{kind}"{near}')
    return spelled[kind.lower()]


def _text(made: dict[str, Any]) -> str:
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _write(path: pathlib.Path, made: dict[str, Any]) -> pathlib.Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.replace(path, _text(made).encode())
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise errors.Refused(codes.Code.OUTPUT_UNWRITABLE, message, "Give --out another folder.") from None
    return path
