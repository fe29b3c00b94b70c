"""``inventory sync``: sources asked, held against their locks, and written where nothing speaks against it."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from fleetctl.inventory.sources import contexts, locks, netbox, programs, records, tables
from fleetctl.model import codes, errors, exits, problems, projects
from fleetctl.reading import disk, scalars
from fleetctl.schema import sources

__all__ = ["Change", "Result", "Status", "choose", "exit_of", "gather", "sync"]

_LARGEST_DROP: Final = 0.05
"""The part of a source's sites that a sync may drop unasked."""
_CREDENTIALS: Final = frozenset({codes.Code.SOURCE_NO_TOKEN, codes.Code.SOURCE_REFUSED})
_OUTSIDE: Final = frozenset(
    {codes.Code.SOURCE_UNREACHABLE, codes.Code.SOURCE_BAD_ANSWER, codes.Code.SOURCE_PROGRAM_FAILED}
)

Status = Literal["written", "unchanged", "would-write", "refused", "failed"]


class Change(msgspec.Struct, frozen=True):
    """A site that is not what it was: each leaf with its value before and after (``NOTHING`` where there is none)."""

    site: str
    leaves: tuple[tuple[problems.Field, object, object], ...]


class Result(msgspec.Struct):
    """What a sync of one source came to."""

    name: str
    status: Status
    lock: str
    """The lock file as people see it."""
    sites: int = 0
    added: list[str] = []
    changed: list[Change] = []
    removed: list[str] = []
    problems: list[problems.Problem] = []
    notes: list[str] = []


def choose(known: Mapping[str, locks.Source], names: Sequence[str], confirmed: int | None = None) -> list[locks.Source]:
    """Return the sources of these names, all without any; a confirmation is for one. Raises ``UsageError``."""
    if not known:
        message = "the project has no sources"
        hint = "Write one (kind: Source) below the inventory folder; see docs/reference/sources.md."
        raise errors.UsageError(codes.Code.SOURCE_UNKNOWN, message, hint)
    for name in names:
        if name not in known:
            near = scalars.did_you_mean(name, known) or f"; there is: {', '.join(sorted(known))}"
            raise errors.UsageError(codes.Code.SOURCE_UNKNOWN, f'there is no source "{name}"{near}')
    chosen = [known[name] for name in dict.fromkeys(names or sorted(known))]
    if confirmed is not None and len(chosen) != 1:
        message = f"--confirm-removed is for one source, and these are {len(chosen)}: name the one that is meant"
        raise errors.UsageError(codes.Code.USAGE, message)
    return chosen


def sync(
    project: projects.Project,
    source: locks.Source,
    confirmed: int | None = None,
    *,
    dry_run: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Result:
    """Ask a source and write its lock, unless it fails, too much would go, or nothing has changed."""
    result = Result(source.name, "failed", project.shown(source.lock))
    try:
        gathered = gather(project, source, pause)
        before = _before(source, result.lock)
    except records.Failed as failed:
        result.problems = problems.in_order(_placed(problem, source) for problem in failed.problems)
        return result
    result.sites, result.notes = len(gathered.sites), gathered.notes
    after = {site["name"]: site for site in gathered.sites}
    result.added = sorted(after.keys() - before.keys())
    result.removed = sorted(before.keys() - after.keys())
    result.changed = [
        Change(name, tuple(_differences(before[name], after[name])))
        for name in sorted(after.keys() & before.keys())
        if before[name] != after[name]
    ]
    if len(result.removed) > _LARGEST_DROP * len(before) and confirmed != len(result.removed):
        result.status = "refused"
        return result
    text = locks.text(source, gathered.sites, gathered.inputs)
    if _content(source.lock) == text:
        result.status = "unchanged"
    elif dry_run:
        result.status = "would-write"
    else:
        _write(source.lock, text, result)
    return result


def exit_of(results: Sequence[Result]) -> exits.Exit:
    """Return how the command ends: the worst of its sources; input that is wrong counts where nothing else is."""
    found = {_exit(result) for result in results}
    graver = found - {exits.Exit.INVALID, exits.Exit.OK}
    return exits.worst(graver) if graver else max(found, default=exits.Exit.OK)


def _exit(result: Result) -> exits.Exit:
    if result.status == "refused":
        return exits.Exit.REFUSED
    if result.status != "failed":
        return exits.Exit.OK
    given = {problem.code for problem in result.problems}
    if given & _CREDENTIALS:
        return exits.Exit.CONFIGURATION
    if codes.Code.LOCK_UNWRITABLE in given:
        return exits.Exit.REFUSED
    return exits.Exit.FAILED if given & _OUTSIDE else exits.Exit.INVALID


def gather(
    project: projects.Project, source: locks.Source, pause: Callable[[float], None] = time.sleep
) -> records.Gathered:
    """Return what a source says now; raises ``Failed``."""
    settings = sources.Source.model_validate(source.document.data)
    folder = source.file.parent
    if settings.csv is not None:
        return tables.gather(settings.csv, settings.map, folder, project.shown(folder / settings.csv.file))
    if settings.kubeconfig is not None:
        path = pathlib.Path(os.path.normpath(folder / pathlib.Path(settings.kubeconfig.file).expanduser()))
        # The inventory reads such paths from the project's folder; one in the home folder is everybody's own.
        named = settings.kubeconfig.file if settings.kubeconfig.file.startswith("~") else project.shown(path)
        return contexts.gather(settings.kubeconfig, settings.map, folder, project.shown(path), named=named)
    if settings.netbox is not None:
        return netbox.gather(settings.netbox, settings.map, folder, source.document.mark(("netbox",)), pause)
    if settings.exec is None:
        raise AssertionError  # the shape has one of the four
    return programs.gather(settings.exec, settings.map, source.file, source.document.mark(("exec",)))


def _placed(problem: problems.Problem, source: locks.Source) -> problems.Problem:
    """Return a problem with a place: where it has none it is about the source itself."""
    if problem.mark is not None:
        return problem
    return msgspec.structs.replace(problem, mark=source.document.mark(problem.field, key=True))


def _before(source: locks.Source, shown: str) -> dict[str, Any]:
    """Return the sites of the lock that is there; raises ``Failed`` when nobody can tell what would be lost."""
    content = _content(source.lock)
    if content is None:
        return {}
    lock, fault = locks.read(content, shown)
    if lock is None:
        raise records.Failed([fault] if fault else [])
    return {str(site.get("name")): site for site in lock.sites if isinstance(site, dict)}


def _content(path: pathlib.Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise records.Failed([disk.refusal(error, str(path))]) from None


def _write(path: pathlib.Path, text: bytes, result: Result) -> None:
    try:
        disk.replace(path, text)
        path.chmod(0o644)  # committed, and no secrets in it
    except OSError as error:
        message = f"cannot be written: {error.strerror}"
        result.status = "failed"
        result.problems = [problems.Problem(codes.Code.LOCK_UNWRITABLE, message, problems.Mark(result.lock))]
    else:
        result.status = "written"


def _differences(
    before: object, after: object, field: problems.Field = ()
) -> Iterator[tuple[problems.Field, object, object]]:
    if isinstance(before, dict) and isinstance(after, dict):
        keys: list[problems.Step] = sorted(before.keys() | after.keys())
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        keys = list(range(len(before)))
    else:
        if before != after:
            yield field, before, after
        return
    for key in keys:
        yield from _differences(problems.value_at(before, (key,)), problems.value_at(after, (key,)), (*field, key))
