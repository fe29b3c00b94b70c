"""``fleetctl sim``: a simulated fleet for people, in a process that stays: up, fault, down."""

from __future__ import annotations

import enum
import pathlib
import sys
from typing import Annotated, Final, cast

import typer

from fleetctl.cli import commands, opening, options
from fleetctl.console import simulations as screens
from fleetctl.inventory import selecting
from fleetctl.model import codes, errors
from fleetctl.reports import envelopes
from fleetctl.reports import simulations as reports
from fleetctl.sim import behaviours, faults, fleets, folders

__all__ = ["Fate", "Trick", "app", "down", "fault", "up"]

app = commands.application("Serve a simulated fleet for --sim: up, fault, down.")

_MOST: Final = 20_000
_JOURNAL: Final = ("state.db", "state.db-wal", "state.db-shm")
_SHAPE: Final = "Give PATTERN=WHAT[:SECONDS], such as --image '*/gateway:1.5.0=pull-fails' or --image '*=ready:0.5'."


class Fate(enum.Enum):
    """How all pods of a site fare, whatever their images."""

    CRASHING: Final = "crashing"
    STUCK: Final = "stuck"


class Trick(enum.Enum):
    """What a hostile server sends."""

    ENDLESS: Final = "endless"
    GARBAGE: Final = "garbage"


@app.command(cls=commands.Command)
@options.selection_flags
def up(
    ctx: typer.Context,
    selection: selecting.Selection,
    number: Annotated[
        int | None,
        typer.Option(
            "--sites", min=1, max=_MOST, metavar="N", help="So many made-up sites; for use without a project."
        ),
    ] = None,
    image: Annotated[
        list[str],
        typer.Option(
            "--image", metavar="PATTERN=WHAT[:SECONDS]", help="How pods of such images fare; the first counts."
        ),
    ] = [],  # noqa: B006  # Typer reads the default, nobody changes it
    output: options.Format = options.Output.TABLE,
) -> None:
    """Serve a simulated cluster for each site, in a process that stays until ``sim down``."""
    rules = tuple(_rule(word) for word in image)
    if number is not None:
        if selection != selecting.Selection():
            message = "--sites N are made-up sites, so nothing can be selected among them"
            raise errors.UsageError(codes.Code.USAGE, message, "In a project leave --sites away: it has sites.")
        names = tuple(f"site-{one:05}" for one in range(1, number + 1))
    else:
        fleet = opening.of(ctx).fleet().fleet
        names = tuple(selecting.names(fleet, selection, opening.read_stdin))
    folder = _folder(ctx)
    spec = fleets.Spec(names, rules, stays=True)
    found = folders.served(folder)
    if found is not None and found.spec != spec:
        message = f"a simulated fleet of {len(found.spec.sites):,} sites is up here, and it is another one"
        raise errors.Refused(codes.Code.SIM_OTHER, message, "End it first: fleetctl sim down")
    if found is None:
        aside = _put_aside(folder)
        folders.begin(folder, spec, {})
        if aside:
            sys.stderr.write(f"note: these are new clusters; the journal of those before is {aside} now\n")
    _tell(folder, output)


@app.command(cls=commands.Command)
@options.selection_flags
def fault(
    ctx: typer.Context,
    selection: selecting.Selection,
    refuse: Annotated[bool, typer.Option("--refuse", help="Nothing listens.")] = False,
    silent: Annotated[bool, typer.Option("--silent", help="Connections are taken and never answered.")] = False,
    latency: Annotated[
        float, typer.Option("--latency", min=0, max=600, metavar="SECONDS", help="Every answer is late.")
    ] = 0.0,
    status: Annotated[
        int | None, typer.Option("--status", min=400, max=599, metavar="CODE", help="Every answer is this refusal.")
    ] = None,
    retry_after: Annotated[
        int, typer.Option("--retry-after", min=0, metavar="SECONDS", help="What a refusal says about coming back.")
    ] = 0,
    reset: Annotated[bool, typer.Option("--reset", help="Connections are broken off.")] = False,
    cut: Annotated[bool, typer.Option("--cut", help="Answers end in the middle.")] = False,
    bandwidth: Annotated[
        int, typer.Option("--bandwidth", min=0, metavar="BYTES", help="So many bytes of an answer a second.")
    ] = 0,
    expired: Annotated[bool, typer.Option("--expired", help="The server's certificate has expired.")] = False,
    stuck: Annotated[bool, typer.Option("--stuck", help="Answers end after their head.")] = False,
    flapping: Annotated[
        str, typer.Option("--flapping", metavar="SECONDS[:SEED]", help="Up or down anew in each such period.")
    ] = "",
    workloads: Annotated[
        Fate | None, typer.Option("--workloads", help="How all pods fare that are made from now on.")
    ] = None,
    hostile: Annotated[Trick | None, typer.Option("--hostile", help="What is sent in place of every answer.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="All is well again.")] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Let something be wrong with sites of the simulated fleet, or right again; without a fault, list what is wrong."""
    folder = _folder(ctx)
    found = folders.served(folder)
    if found is None:
        raise errors.NotConfigured(codes.Code.SIM_DOWN, "no simulated fleet is up here", "Start it: fleetctl sim up")
    wanted = faults.Fault(
        refuse,
        silent,
        latency,
        status or 0,
        retry_after,
        reset,
        cut,
        bandwidth,
        expired,
        stuck,
        *_flapping(flapping),
        workloads.value if workloads else "",
        hostile.value if hostile else "",
    )
    if clear and wanted != faults.Fault():
        raise errors.UsageError(codes.Code.USAGE, "--clear takes faults away, so it names none")
    if clear or wanted != faults.Fault():
        selecting.require_narrowing(selection, len(found.spec.sites))
        chosen = _chosen(ctx, selection, found.spec)
        broken = {site: one for site, one in folders.broken(folder).items() if site not in chosen}
        folders.suffer(folder, broken if clear else broken | dict.fromkeys(chosen, wanted))
    _tell(folder, output)


@app.command(cls=commands.Command)
def down(ctx: typer.Context, output: options.Format = options.Output.TABLE) -> None:
    """End the simulated fleet; what its clusters held is gone."""
    folder = _folder(ctx)
    folders.end(folder)
    _tell(folder, output)


def _folder(ctx: typer.Context) -> pathlib.Path:
    """Return where the simulated fleet of the project lives, or of the folder where there is no project."""
    opened = opening.of(ctx)
    try:
        root = opened.project().root
    except errors.NotConfigured:
        root = opened.start.absolute()
    return root / ".fleetctl" / "sim"


def _chosen(ctx: typer.Context, selection: selecting.Selection, spec: fleets.Spec) -> list[str]:
    """Return the selected sites that are served; raises ``EmptySelection``."""
    served = set(spec.sites)
    selected = selecting.names(opening.of(ctx).fleet().fleet, selection, opening.read_stdin)
    chosen = [name for name in selected if name in served]
    if not chosen:
        message = "none of the selected sites is served"
        raise errors.EmptySelection(codes.Code.SELECTION_EMPTY, message, "See which are: fleetctl sim fault -o json")
    return chosen


def _rule(word: str) -> behaviours.Behaviour:
    """Read a word of ``--image``; raises ``UsageError``."""
    pattern, equals, rest = word.rpartition("=")
    what, _, after = rest.partition(":")
    try:
        seconds = float(after) if after else 1.0
    except ValueError:
        seconds = -1.0
    if not equals or not pattern or what not in behaviours.DOES or not 0 <= seconds < 1e6:
        message = f'--image "{word}" does not say how pods fare; known: {", ".join(behaviours.DOES)}'
        raise errors.UsageError(codes.Code.USAGE, message, _SHAPE)
    return behaviours.Behaviour(pattern, cast("behaviours.Does", what), seconds)


def _flapping(word: str) -> tuple[float, int]:
    """Read the word of ``--flapping``: a period in seconds, and a seed; raises ``UsageError``."""
    seconds, _, seed = word.partition(":")
    try:
        period, number = float(seconds or 0), int(seed or 0)
    except ValueError:
        period, number = -1.0, 0
    if not 0 <= period < 1e6 or (word and not period):
        message = f'--flapping "{word}" is no period in seconds'
        raise errors.UsageError(codes.Code.USAGE, message, "Give SECONDS or SECONDS:SEED, such as --flapping 30:7.")
    return period, number


def _put_aside(folder: pathlib.Path) -> str:
    """Put the journal of the clusters before aside, and return its new name; there is one such at most."""
    if not (folder / _JOURNAL[0]).exists():
        return ""
    for name in _JOURNAL:
        if (folder / name).exists():
            (folder / name).replace(folder / name.replace("state.db", "state.db.before"))
        else:
            (folder / name.replace("state.db", "state.db.before")).unlink(missing_ok=True)
    return str(pathlib.PurePath(".fleetctl", "sim", "state.db.before"))


def _tell(folder: pathlib.Path, output: options.Output) -> None:
    found, broken = folders.served(folder), folders.broken(folder)
    if output == options.Output.NAME:
        envelopes.write_names(found.spec.sites if found else (), sys.stdout)
    elif output in envelopes.FORMATS:
        envelopes.write(reports.fleet(found, broken, folder / fleets.KUBECONFIG), output, sys.stdout)
    else:
        screens.fleet(found, broken, folder / fleets.KUBECONFIG, sys.stdout)
