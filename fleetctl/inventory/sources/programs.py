"""Programs that print JSON: started without a shell, with the variables that the source names, within limits."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from fleetctl.inventory.sources import ansible, mapping, records
from fleetctl.model import codes, problems, values
from fleetctl.reading import ownership, processes, yaml12
from fleetctl.schema import checking, fields, shapes, sources

__all__ = ["MOST", "gather"]

MOST: Final = 64 * 2**20
"""Bytes that a program may print."""
_ALWAYS: Final = ("PATH", "HOME", "LANG", "TMPDIR")
_SHORTEST_SECRET: Final = 6


def gather(
    source: sources.Exec, own: Mapping[str, sources.Taken], file: pathlib.Path, mark: problems.Mark
) -> records.Gathered:
    """Run a program in the folder of the source's file and return the sites that it prints; raises ``Failed``.

    ``mark`` is where the source stands, for what goes wrong.
    """
    _require_own(file, mark)
    text = _output(source, file.parent, mark)
    named = f"output of {pathlib.PurePath(source.command[0]).name}"
    if source.format == "sites":
        return _as_they_are(text, named)
    try:
        data = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise records.one(codes.Code.SOURCE_BAD_ANSWER, "what it printed is not JSON", mark) from None
    if source.format == "ansible":
        return mapping.sites(ansible.records_of(data, named), mapping.rules(ansible.MAP, own))
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        message = f"expected a list of maps, got {values.kind_of(data)}"
        raise records.one(codes.Code.SOURCE_BAD_ANSWER, message, problems.Mark(named))
    found = [records.Record(problems.Mark(f"{named}, record {index}"), one) for index, one in enumerate(data, 1)]
    return mapping.sites(found, mapping.rules({}, own))


def _as_they_are(text: bytes, named: str) -> records.Gathered:
    """Take a SiteList, JSON being YAML: each fault has its line."""
    documents, found = yaml12.read(text, named)
    if not found and len(documents) != 1:
        found = [problems.Problem(codes.Code.SOURCE_BAD_ANSWER, "expected one SiteList, as JSON", problems.Mark(named))]
    if not found:
        kind = checking.kind(documents[0], "inventory", ("SiteList",))
        found = (
            [kind]
            if isinstance(kind, problems.Problem)
            else checking.check(documents[0], "inventory", shapes.KINDS["SiteList"])
        )
    if found:
        raise records.Failed(found)
    data: Any = documents[0].data
    if data.get("defaults"):
        message = "a program prints no defaults; put them into the source"
        raise records.one(codes.Code.SOURCE_BAD_ANSWER, message, documents[0].mark(("defaults",)), ("defaults",))
    listed = {}
    for index, site in enumerate(data["sites"]):
        if site["name"] in listed:
            field = ("sites", index, "name")
            message = f"{site['name']} is printed twice"
            raise records.one(codes.Code.SOURCE_DUPLICATE_NAME, message, documents[0].mark(field), field)
        listed[site["name"]] = site
    return records.Gathered([listed[name] for name in sorted(listed)])


def _require_own(file: pathlib.Path, mark: problems.Mark) -> None:
    """Start nothing that somebody else could have written here."""
    who = ownership.stranger(file)
    if who:
        message = f"no program of it is started: {who}"
        raise records.one(codes.Code.SOURCE_PROGRAM_FAILED, message, mark, ("exec",))


def _output(source: sources.Exec, folder: pathlib.Path, mark: problems.Mark) -> bytes:
    missing = [name for name in source.env if name not in os.environ]
    if missing:
        message = f"the variables that it needs are not set: {', '.join(missing)}"
        raise records.one(codes.Code.SOURCE_NO_TOKEN, message, mark, ("exec", "env"))
    given = {name: os.environ[name] for name in (*_ALWAYS, *source.env) if name in os.environ}
    program = source.command[0]
    # A path is read from the source's folder, a bare name looked for as a shell does.
    found = str(folder / program) if "/" in program else shutil.which(program)
    words, timeout = [found or program, *source.command[1:]], fields.seconds_of(source.timeout)
    try:
        done = processes.run(words, folder=folder, environment=given, timeout=timeout, most=MOST)
    except processes.Failed as failed:
        said, field = {
            "start": (f"cannot be started: {failed}", ("exec", "command")),
            "time": (f"did not end within {timeout:g} s", ("exec",)),
            "size": (f"printed more than {MOST // 2**20} MiB", ("exec",)),
        }[failed.why]
        raise records.one(codes.Code.SOURCE_PROGRAM_FAILED, f"{program} {said}", mark, field) from None
    if done.status:
        last = _last_line(done.said, [given[name] for name in source.env])
        message = f"{program} ended with {_ending(done.status)}{f': {last}' if last else ''}"
        raise records.one(codes.Code.SOURCE_PROGRAM_FAILED, message, mark, ("exec",))
    return done.output


def _ending(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {signal.Signals(-code).name}"


def _last_line(said: bytes, secrets: Sequence[str]) -> str:
    """Return what it said last, without the values that it was given."""
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    text = lines[-1].strip()[:300] if lines else ""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text
