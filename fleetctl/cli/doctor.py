"""``fleetctl doctor``: is all well on the operator's own side, and with S, do the clusters answer."""

from __future__ import annotations

import os
import pathlib
import sys
from collections.abc import Iterator

import typer

from fleetctl.cli import commands, opening, options
from fleetctl.clusters import answering, connecting, operators
from fleetctl.console import checkups as screens
from fleetctl.inventory import selecting, settings
from fleetctl.kube import curl
from fleetctl.model import checkups, errors, exits, plans, projects, sites
from fleetctl.reports import checkups as reports
from fleetctl.reports import envelopes
from fleetctl.runs import loops

__all__ = ["app", "doctor"]

app = commands.application()


@app.command(cls=commands.Plain)
@options.selection_flags
def doctor(ctx: typer.Context, selection: selecting.Selection, output: options.Format = options.Output.TABLE) -> None:
    """Check the operator's own side; with a selection, also whether those clusters answer."""
    opened = opening.of(ctx)
    found = [
        operators.python(),
        operators.libraries(),
        operators.clock(),
        *operators.programs(),
        operators.proxies(os.environ),
    ]
    concurrency = _settled(opened, found)
    found.append(operators.limits(concurrency))
    fleet = _project(opened, found)
    reached = {exits.Exit.OK}
    if fleet is not None:
        project, everybody = fleet
        directory = opened.directory(project)
        found += operators.kubeconfigs(directory, everybody.sites.values())
        found.append(operators.secret_files(_secret_files(project, everybody)))
        if selection.narrows:
            chosen = selecting.select(everybody, selection, opening.read_stdin)
            given = _answers(directory, chosen, concurrency)
            found += answering.told(given)
            reached |= {exits.Exit.OWED if one.unreachable else exits.Exit.FAILED for one in given if one.cause}
    if output in envelopes.FORMATS:
        envelopes.write(reports.checkup_list(found), output, sys.stdout)
    else:
        screens.show(found, sys.stdout)
    if any(one.verdict is checkups.Verdict.FAIL and one.name != "api servers" for one in found):
        reached.add(exits.Exit.CONFIGURATION)
    raise typer.Exit(int(exits.worst(reached)))


def _settled(opened: opening.Opening, found: list[checkups.Checkup]) -> int:
    """Check the settings, and return how many sites at a time they say."""
    usual = plans.Strategy().concurrency
    try:
        said = opened.settings()
    except errors.FleetctlError as error:
        remedy = "Say it in full: fleetctl config show"
        found.append(checkups.Checkup("settings", checkups.Verdict.FAIL, error.message, remedy))
        return usual
    count = sum(bool(one.place) for one in said.found)
    found.append(checkups.Checkup("settings", checkups.Verdict.OK, f"{count} set (fleetctl config show --origin)"))
    return said.running.concurrency or usual


def _project(opened: opening.Opening, found: list[checkups.Checkup]) -> tuple[projects.Project, sites.Fleet] | None:
    """Check the project and its inventory; None when there is no sound one."""
    try:
        loaded = opened.fleet()
    except errors.InvalidInput as error:
        message = f"{len(error.problems):,} problems, the first: {error.message}"
        remedy = "See them all: fleetctl inventory validate"
        found.append(checkups.Checkup("project", checkups.Verdict.FAIL, message, remedy))
        return None
    except errors.NotConfigured as error:
        found.append(checkups.Checkup("project", checkups.Verdict.FAIL, error.message, error.hint))
        return None
    project, fleet = loaded.project, loaded.fleet
    shown = f"{project.name} in {project.root}: {len(fleet.sites):,} sites, {len(fleet.groups):,} groups"
    found += [checkups.Checkup("project", checkups.Verdict.OK, shown), operators.state_folder(project.root)]
    return project, fleet


def _secret_files(project: projects.Project, fleet: sites.Fleet) -> Iterator[pathlib.Path]:
    yield settings.user_file(os.environ)
    yield from sorted((project.root / ".fleetctl").glob("*.db"))
    yield from sorted({path for site in fleet.sites.values() for path in connecting.files_of(project.root, site)})


def _answers(directory: connecting.Directory, chosen: list[sites.Site], concurrency: int) -> list[answering.Answer]:
    endpoints = {}
    for site in chosen:
        try:
            endpoints[site.name] = directory.endpoint(site)
        except errors.NotConfigured:
            continue  # told already, with the kubeconfigs

    async def work() -> list[answering.Answer]:
        async with curl.CurlTransport() as wire:
            return await answering.ask(wire, endpoints, concurrency)

    return loops.run(work())
