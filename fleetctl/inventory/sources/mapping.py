"""Records to sites: which field is filled from what, as data. Pure; all that is wrong is found in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fleetctl.inventory.sources import converting, records
from fleetctl.model import codes, problems
from fleetctl.reading import scalars, yaml12
from fleetctl.schema import checking, shapes, sources

__all__ = ["Rule", "rules", "sites"]

_ABSENT = problems.NOTHING


class Rule(msgspec.Struct, frozen=True):
    """One field of a site, or of a node (below ``node``), and where its value comes from."""

    target: problems.Field
    path: problems.Field
    """Steps into a record; a list on the way is passed through item by item."""
    taken: sources.Taken
    required: bool = False
    """Whether some record must know the path: people wrote it, so it is a slip when none does."""


def rules(
    builtin: Mapping[str, str | dict[str, Any]], own: Mapping[str, sources.Taken], *, whole: bool = False
) -> list[Rule]:
    """Return the rules of a source: what is built in, and its own map laid over it; whole maps before what is in them.

    ``whole`` takes a ``from`` as one name, dots and all: columns of a table.
    """
    made = {
        key: (sources.Taken.model_validate(one if isinstance(one, dict) else {"from": one}), False)
        for key, one in builtin.items()
    }
    made |= {key: (one, True) for key, one in own.items()}
    return sorted(
        (
            Rule(problems.parse_field(key), (one.from_,) if whole else _path(one.from_), one, required)
            for key, (one, required) in made.items()
        ),
        key=lambda rule: rule.target,
    )


def _path(text: str) -> problems.Field:
    try:
        return problems.parse_field(text)
    except ValueError:
        return (text,)


def sites(found: Sequence[records.Record], by: Sequence[Rule]) -> records.Gathered:
    """Return the sites that records make, by name; raises ``Failed`` with all that is wrong.

    Records without nodes of their own (rows of a table) that give one name are one site with several nodes.
    """
    if all(rule.target != ("name",) for rule in by):
        raise records.one(codes.Code.SOURCE_UNKNOWN_FIELD, "nothing fills the name of a site", None, ("map", "name"))
    mapped = _Mapped(by)
    for record in found:
        mapped.add(record)
    return mapped.finished(found)


class _Entry(msgspec.Struct):
    """A site in the making: where each of its fields and nodes came from."""

    record: records.Record
    raw: str
    site: dict[str, Any]
    nodes: list[dict[str, Any]]
    places: list[problems.Mark]
    sound: bool = True
    """Whether every value could be taken; where not, what is missing is no second fault."""


class _Mapped:
    def __init__(self, by: Sequence[Rule]) -> None:
        self._of_site = [rule for rule in by if rule.target[0] != "node"]
        self._of_node = [rule for rule in by if rule.target[0] == "node"]
        self._seen: set[problems.Field] = set()
        self._entries: dict[str, _Entry] = {}
        self._renamed: dict[str, str] = {}
        self._problems: list[problems.Problem] = []

    def add(self, record: records.Record) -> None:
        before = len(self._problems)
        site = self._filled(record, self._of_site)
        name = site.pop("name", None)
        if name is None:
            if len(self._problems) == before:
                self._complain(codes.Code.SOURCE_BAD_RECORD, record.mark, ("name",), "this record has none")
            return
        hosts = (record,) if record.nodes is None else record.nodes
        nodes = [(one, self._filled(one, self._of_node).get("node")) for one in hosts]
        raw = self._raw_name(record)
        if raw != name:
            self._renamed[raw] = name
        entry = self._entry(name, raw, record, site)
        if entry is not None:
            entry.sound &= len(self._problems) == before
            for one, node in nodes:
                if node:
                    entry.nodes.append(node)
                    entry.places.append(one.mark)

    def _entry(self, name: str, raw: str, record: records.Record, site: dict[str, Any]) -> _Entry | None:
        known = self._entries.get(name)
        if known is None:
            self._entries[name] = made = _Entry(record, raw, site, [], [])
            return made
        if record.nodes is not None or known.raw != raw:
            message = f'"{raw}" gives the name {name}, which {known.record.mark} has ("{known.raw}")'
            self._complain(codes.Code.SOURCE_DUPLICATE_NAME, record.mark, ("name",), message)
            return None
        for field, value in _leaves(site, ()):
            before = problems.value_at(known.site, field)
            if before not in (_ABSENT, value):
                message = f"{value!r} differs from {before!r} at {known.record.mark}, the same site {name}"
                self._complain(codes.Code.SOURCE_DUPLICATE_NAME, record.mark, field, message)
            _put(known.site, field, value)
        return known

    def _raw_name(self, record: records.Record) -> str:
        rule = next(one for one in self._of_site if one.target == ("name",))
        return str(_looked_up(record.data, rule.path))

    def _filled(self, record: records.Record, by: Iterable[Rule]) -> dict[str, Any]:
        """Return the fields that a record fills, as far as it can."""
        made: dict[str, Any] = {}
        for rule in by:
            value = _looked_up(record.data, rule.path)
            if value is _ABSENT:
                continue
            self._seen.add(rule.path)
            try:
                taken = rule.taken
                converted = converting.convert(rule.target, value, taken.type, taken.values, taken.prefix)
            except converting.Unfit as fault:
                message = f"{fault.message} (from {problems.field_text(rule.path)})"
                self._complain(codes.Code.SOURCE_BAD_RECORD, record.mark, rule.target, message)
                continue
            if converted is not None:
                _put(made, rule.target, converted)
        return made

    def finished(self, found: Sequence[records.Record]) -> records.Gathered:
        """Name the nodes, check each site as if a file had it, and return them all."""
        if found:
            self._problems += self._unknown(found)
        made = [self._checked(name, self._entries[name]) for name in sorted(self._entries)]
        if self._problems:
            raise records.Failed(self._problems)
        return records.Gathered(made, notes=self._notes())

    def _notes(self) -> list[str]:
        """Say that names were changed, which people then have to use."""
        if not self._renamed:
            return []
        raw, name = min(self._renamed.items())
        one = len(self._renamed) == 1
        return [f"{len(self._renamed):,} {'name is' if one else 'names are'} written as DNS labels: {raw} as {name}"]

    def _unknown(self, found: Sequence[records.Record]) -> Iterable[problems.Problem]:
        known = sorted({key for record in found for one in (record, *(record.nodes or ())) for key in one.data})
        has_nodes = any(record.nodes != () for record in found)
        for rule in [*self._of_site, *(self._of_node if has_nodes else ())]:
            if rule.required and rule.path not in self._seen:
                text = problems.field_text(rule.path)
                near = scalars.did_you_mean(text, known) or f"; there is: {', '.join(known)}"
                message = f"no record has {text}{near}"
                field = ("map", problems.field_text(rule.target))
                yield problems.Problem(codes.Code.SOURCE_UNKNOWN_FIELD, message, None, field)

    def _checked(self, name: str, entry: _Entry) -> dict[str, Any]:
        site = {"name": name, **{key: entry.site[key] for key in sorted(entry.site)}}
        if entry.nodes:
            site["nodes"] = [{"name": f"n{index}", **node} for index, node in enumerate(entry.nodes)]
        seen: dict[str, problems.Mark] = {}
        for node, mark in zip(site.get("nodes", ()), entry.places, strict=True):
            if (other := seen.setdefault(node["name"], mark)) is not mark:
                message = f"{name} has a node {node['name']} already, at {other}"
                self._complain(codes.Code.SOURCE_DUPLICATE_NAME, mark, ("node", "name"), message)
        self._problems += [
            problem
            for problem in checking.check(_Placed(site, entry), "inventory", shapes.Site)
            if entry.sound or problem.code is not codes.Code.INVENTORY_MISSING_KEY
        ]
        return site

    def _complain(self, code: codes.Code, mark: problems.Mark, field: problems.Field, message: str) -> None:
        self._problems.append(problems.Problem(code, message, mark, field))


class _Placed(yaml12.Document):
    """A site whose fields stand where its records are."""

    def __init__(self, data: object, entry: _Entry) -> None:
        super().__init__(entry.record.mark.path, "", 0, data, 1)
        self._entry = entry

    def mark(self, field: problems.Field, *, key: bool = False) -> problems.Mark:  # noqa: ARG002  # as its parent's
        """Return the place of the record."""
        if field[:1] == ("nodes",) and len(field) > 1 and isinstance(field[1], int):
            return self._entry.places[field[1]]
        return self._entry.record.mark


def _looked_up(value: object, path: problems.Field) -> object:
    """Return what a record has at a path, or ``NOTHING``; null on the way is null."""
    for depth, step in enumerate(path):
        if value is None:
            return None
        if isinstance(value, list) and isinstance(step, str):
            inner = [_looked_up(item, path[depth:]) for item in value]
            return [item for item in inner if item is not _ABSENT]
        value = problems.value_at(value, (step,))
        if value is _ABSENT:
            return _ABSENT
    return value


def _leaves(value: object, field: problems.Field) -> Iterable[tuple[problems.Field, object]]:
    if isinstance(value, dict) and (value or not field):
        for key, inner in value.items():
            yield from _leaves(inner, (*field, key))
    else:
        yield field, value


def _put(data: dict[str, Any], field: problems.Field, value: object) -> None:
    """Set a value inside nested maps; over a map that is there, a map is merged."""
    *above, last = field
    for step in above:
        inner = data.setdefault(str(step), {})
        if not isinstance(inner, dict):
            inner = data[str(step)] = {}
        data = inner
    before = data.get(str(last))
    data[str(last)] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
