"""``fleetctl render``: bundles to files."""

from __future__ import annotations

import enum
import pathlib
import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, completing, opening, options
from fleetctl.console import checks, tables
from fleetctl.inventory import selecting
from fleetctl.model import codes, errors, sites
from fleetctl.openapi import learned
from fleetctl.rendering import describing, rendering, trees
from fleetctl.reports import envelopes, manifests

__all__ = ["Style", "app", "render"]

app = commands.application()


class Style(enum.StrEnum):
    """How manifests are written."""

    YAML = "yaml"
    KYAML = "kyaml"
    JSON = "json"


@app.command(cls=commands.Command)
@options.selection_flags
def render(
    ctx: typer.Context,
    selection: selecting.Selection,
    wanted: Annotated[
        list[str],
        typer.Argument(
            metavar="BUNDLE[@VERSION]",
            help="Bundles; without any, all assigned ones.",
            autocompletion=completing.bundles,
        ),
    ] = [],  # noqa: B006  # Typer reads the default, nobody changes it
    out: Annotated[
        str | None,
        typer.Option(
            "--out", metavar="DIR", help='Folder to write to, by default "rendered" in the project; - prints.'
        ),
    ] = None,
    style: Annotated[
        Style, typer.Option("--format", metavar="STYLE", help="How manifests are written: yaml, kyaml or json.")
    ] = Style.YAML,
    revision: options.Revision = None,
    override: options.Overrides = [],  # noqa: B006  # Typer reads the default, nobody changes it
    output: options.Format = options.Output.TABLE,
) -> None:
    """Render bundles for sites into files, without contacting anything."""
    if out == "-" and commands.given(ctx, "output") and output != options.Output.TABLE:
        message = "--out - prints the objects themselves, so -o has no place; --format says how they are written"
        raise errors.UsageError(codes.Code.USAGE, message)
    if out == "":
        raise errors.UsageError(codes.Code.USAGE, '--out "" names no folder (an empty variable?)')
    loaded = opening.of(ctx, revision).overriding(override).fleet()
    chosen = selecting.select(loaded.fleet, selection, opening.read_stdin)
    project = loaded.project
    names = wanted or sorted({name for site in chosen for name in site.bundles})
    asked = describing.load_all(project.templates, names, project.shown)
    names_of_bundles = [bundle.name for bundle in asked]
    members = _assigned(chosen, names_of_bundles)
    rendered = rendering.render(loaded.fleet, asked, members, loaded.origin, learned.Learned(project.root))
    checks.notes(rendered.limits, sys.stderr)
    if not rendered.releases and rendered.left_out:
        raise errors.EmptySelection(*rendering.nobody(rendered.left_out))
    if out == "-" or output in envelopes.FORMATS:
        tables.left_out(rendered, sys.stderr)
    if out == "-":
        manifests.write(rendered.releases, style, sys.stdout)
        return
    folder = pathlib.Path(out) if out else project.root / "rendered"
    names_of_sites = {site.name for site in chosen}

    def decides(site: str, bundle: str) -> bool:
        return (selection.whole or site in names_of_sites) and (not wanted or bundle in names_of_bundles)

    written = trees.write(rendered.releases, folder, style, decides)
    if output in envelopes.FORMATS:
        envelopes.write(envelopes.release_list(rendered.releases, rendered.limits), output, sys.stdout)
    else:
        tables.rendered(rendered, written, folder, len(chosen) - len(members), sys.stdout)


def _assigned(chosen: list[sites.Site], names: list[str]) -> list[sites.Site]:
    """Return the sites that have any of the bundles; raises ``EmptySelection`` when none has."""
    members = [site for site in chosen if site.bundles.keys() & names]
    if not members:
        raise errors.EmptySelection(*rendering.unassigned(len(chosen), ", ".join(names) or "any bundle"))
    return members
