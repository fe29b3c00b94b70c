"""``inventory set``: values of sites changed in the files that they stand in, checked as a whole before any is written.

Pure up to ``write``: the plan holds the new text of each file, from which a fleet was made without problems.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from fleetctl.inventory import edits, entries, explaining, fleets, layers, loading, overriding, selecting, snapshots
from fleetctl.model import codes, errors, problems, secretrefs, values
from fleetctl.reading import disk, editing, scalars, yaml12

__all__ = ["plan", "write"]

_LOOKED_AT: Final = 20
"""Changes of one file that are tried one by one when they cannot be made together."""


class _Place(msgspec.Struct, frozen=True):
    """Where a site stands."""

    file: snapshots.File
    document: int
    field: problems.Field
    written: values.Written


def plan(loaded: fleets.Loaded, words: Sequence[str]) -> edits.Plan:
    """Plan ``SITE... KEY=VALUE...``; raises ``UsageError`` or, with all that is in the way, ``InvalidInput``.

    Keys are those of ``inventory explain``. A key that neither a site nor its vars know yet has to be spelt with
    ``vars.`` in front, so that a misspelt ``stat=retired`` is no new value that nobody reads.
    """
    with loading.collector_paused():
        return _plan(loaded, words)


def _plan(loaded: fleets.Loaded, words: Sequence[str]) -> edits.Plan:
    names = [word for word in dict.fromkeys(words) if "=" not in word]
    given = [word for word in words if "=" in word]
    if not names or not given:
        message = "say which sites, and what to set: no " + ("KEY=VALUE was given" if names else "SITE was given")
        raise errors.UsageError(codes.Code.USAGE, message, "Such as: fleetctl inventory set store-7 state=retired")
    chosen = {name: msgspec.to_builtins(selecting.one(loaded.fleet, name)) for name in names}
    wanted = [_assignment(word, chosen) for word in given]
    places = _places(loaded, names)
    _refuse_secrets(loaded, chosen, wanted)
    _refuse_overlaps(given, [field for field, _ in wanted])
    texts = {place.file.path: place.file.text for place in places.values()}
    found: list[problems.Problem] = []
    for field, value in wanted:
        for path, text in texts.items():
            changes = [
                editing.Change(place.document, (*place.field, *field), value)
                for place in places.values()
                if place.file.path == path and not values.same(problems.value_at(place.written, field), value)
            ]
            try:
                texts[path] = editing.changed(text, loaded.project.shown(path), changes, values.TAGS)
            except editing.Obstacle as error:
                found += [_problem(field, one) for one in _obstacles(text, changes, error)]
    if found:
        raise errors.InvalidInput(found, files=len(texts))
    files = {file.path: (file.text, texts[file.path]) for file in loaded.snapshot.files if file.path in texts}
    files = {path: both for path, both in files.items() if both[0] != both[1]}
    _check(loaded, files)
    return edits.Plan(tuple(_settings(loaded, chosen, wanted, places, texts)), files)


def _obstacles(text: bytes, changes: Sequence[editing.Change], first: editing.Obstacle) -> Iterator[editing.Obstacle]:
    """Find what is in the way of each of several changes; of the first only, where that would take long."""
    if len(changes) > _LOOKED_AT:
        changes = ()
    found = False
    for change in changes:
        try:
            editing.changed(text, first.mark.path, [change], values.TAGS)
        except editing.Obstacle as error:
            found = True
            yield error
    if not found:
        yield first


def _problem(field: problems.Field, obstacle: editing.Obstacle) -> problems.Problem:
    message = f"{problems.field_text(field)} cannot be set here: {obstacle.message}; change it by hand"
    return problems.Problem(codes.Code.INVENTORY_CANNOT_SET, message, obstacle.mark, obstacle.field)


def write(loaded: fleets.Loaded, made: edits.Plan) -> None:
    """Write the files of a plan, each whole or not at all; raises ``Refused``."""
    written: list[str] = []
    for path, (old, new) in made.files.items():
        shown = loaded.project.shown(path)
        try:
            if path.read_bytes() != old:
                message = f"{shown} was changed by somebody else meanwhile"
                raise errors.Refused(codes.Code.INVENTORY_UNWRITABLE, message, _left(written))
            real = path.resolve()
            disk.replace(real, new, like=real.stat())
        except OSError as error:
            message = f"{shown} cannot be written: {error.strerror}"
            raise errors.Refused(codes.Code.INVENTORY_UNWRITABLE, message, _left(written)) from None
        written.append(shown)


def _left(written: Sequence[str]) -> str:
    return f"Written before it: {', '.join(written)}." if written else "Nothing was written."


def _assignment(word: str, chosen: Mapping[str, values.Vars]) -> tuple[problems.Field, object]:
    key, _, text = word.partition("=")
    field, spelt = explaining.field_of(key), problems.parse_field(key)
    if not spelt or field == ("name",):
        message = f'"{word}" sets no value' if not spelt else "a site's name is what everything knows it by"
        raise errors.UsageError(codes.Code.USAGE, message, "Give KEY=VALUE, such as state=retired or pos.terminals=6.")
    known = {str(one) for site in chosen.values() for one in layers.map_of(site["vars"])}
    if spelt != field and str(spelt[0]) not in known:
        first = str(spelt[0])
        guess = scalars.did_you_mean(first, sorted(known | set(explaining.ROOTS)))
        message = f'"{first}" is no key of a site, and none of these sites has it below vars{guess}'
        raise errors.UsageError(codes.Code.USAGE, message, f"To add it as a new value: vars.{word}")
    value, faults = overriding.value_of(text, key)
    is_label = len(field) > 1 and field[-2] == "labels" and field[0] in {"labels", "nodes"}
    if is_label and isinstance(value, bool | int | float | str | None):  # labels are text, whatever it looks like
        return field, value if isinstance(value, str) else text.strip()
    if faults:
        raise errors.InvalidInput(faults)
    return field, value


def _refuse_overlaps(given: Sequence[str], fields: Sequence[problems.Field]) -> None:
    """Raise ``UsageError`` where two words are about one value: which of them is meant, nobody can tell."""
    indices = {field: index for index, field in reversed(list(enumerate(fields)))}  # of equal ones, the first
    for index, field in enumerate(fields):
        for other in (indices[field[:depth]] for depth in range(1, len(field) + 1) if field[:depth] in indices):
            if other != index:
                first, second = (given[one].partition("=")[0] for one in sorted((other, index)))
                message = f"{first} and {second} are the same value, or one is within the other"
                message = f"{first} is given twice" if first == second else message
                raise errors.UsageError(codes.Code.USAGE, message, "Give each value once.")


def _places(loaded: fleets.Loaded, names: Sequence[str]) -> dict[str, _Place]:
    """Return where sites stand; raises ``InvalidInput`` for those that come from sources."""
    found = {name: loaded.files.sites[name].layer for name in names}
    locked = [
        problems.Problem(
            codes.Code.INVENTORY_CANNOT_SET,
            f"{name} comes from a source, which would set it back; change it there, or in the source's defaults",
            layer.mark(("name",)),
            layer.field,
        )
        for name, layer in found.items()
        if layer.path.endswith(snapshots.LOCK)
    ]
    if locked:
        raise errors.InvalidInput(locked)
    files = {loaded.project.shown(file.path): file for file in loaded.snapshot.files}
    return {name: _place(files[layer.path], layer) for name, layer in found.items()}


def _place(file: snapshots.File, layer: entries.Layer) -> _Place:
    document = layer.document
    if not isinstance(document, yaml12.Document):
        msg = "a site that no file has"
        raise TypeError(msg)
    written = problems.value_at(document.data, layer.field)
    return _Place(file, document.index, layer.field, layers.map_of(written))


def _refuse_secrets(
    loaded: fleets.Loaded, chosen: Mapping[str, values.Vars], wanted: Sequence[tuple[problems.Field, object]]
) -> None:
    """Raise ``InvalidInput`` where a value would take the place of a reference to a secret."""
    found = []
    for name, site in chosen.items():
        for field, value in wanted:
            above = [problems.value_at(site, field[:depth]) for depth in range(1, len(field) + 1)]
            if value is values.UNSET or secretrefs.is_reference(value) or not any(map(secretrefs.is_reference, above)):
                continue
            message = "it is a reference to a secret, and secrets do not stand in files; change it where it is kept"
            mark = layers.origin(layers.layers_of(loaded.files, name), field)
            found.append(problems.Problem(codes.Code.INVENTORY_CANNOT_SET, message, mark, field))
    if found:
        raise errors.InvalidInput(found)


def _check(loaded: fleets.Loaded, files: Mapping[pathlib.Path, tuple[bytes, bytes]]) -> None:
    """Make the fleet of the new texts; raises ``InvalidInput`` with everything that would be wrong."""
    if not files:
        return
    texts = [
        msgspec.structs.replace(file, text=files[file.path][1]) if file.path in files else file
        for file in loaded.snapshot.files
    ]
    fleets.load(loaded.project, msgspec.structs.replace(loaded.snapshot, files=texts))


def _settings(
    loaded: fleets.Loaded,
    chosen: Mapping[str, values.Vars],
    wanted: Sequence[tuple[problems.Field, object]],
    places: Mapping[str, _Place],
    texts: Mapping[pathlib.Path, bytes],
) -> list[edits.Setting]:
    read = {path: yaml12.read(text, loaded.project.shown(path), tags=values.TAGS)[0] for path, text in texts.items()}
    made = []
    for name, place in places.items():
        for field, value in wanted:
            mark = read[place.file.path][place.document].mark((*place.field, *field))
            before, inherited = problems.value_at(place.written, field), None
            here = before is not problems.NOTHING
            if not here:
                before = problems.value_at(chosen[name], field)
                inherited = layers.origin(layers.layers_of(loaded.files, name), field, exact=True)
            made.append(edits.Setting(name, field, before, value, mark, inherited, here=here))
    return made
