"""Inventory files to checked entries: what is written where, before anything is merged."""

from __future__ import annotations

import contextlib
import gc
import pathlib
from collections.abc import Iterator

from fleetctl.inventory import entries, snapshots
from fleetctl.inventory.sources import matching
from fleetctl.model import codes, problems, projects, selectors, values
from fleetctl.reading import yaml12
from fleetctl.schema import checking, jsonschemas, shapes
from fleetctl.schema import sources as source_shapes

__all__ = ["collector_paused", "load"]

_SHAPES: dict[str, type[shapes.Shape]] = {
    "Defaults": shapes.Defaults,
    "Group": shapes.Group,
    "SiteList": shapes.SiteList,
    "Source": source_shapes.Source,
}
_UNREAD = frozenset(
    {codes.Code.PROJECT_UNREADABLE, codes.Code.YAML_ENCODING, codes.Code.YAML_SYNTAX, codes.Code.YAML_TOO_LARGE}
)
"""Problems after which it is not known what a file says."""


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector out of a burst of allocations that all stay alive: it costs 3 to 7 times the work."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()  # else the first thing that it does is to look at all of them once
            gc.enable()


def load(
    project: projects.Project, snapshot: snapshots.Snapshot, sources: matching.Sources | None = None
) -> entries.Files:
    """Read and check every file of the inventory folder; problems are collected, never raised.

    ``sources`` takes the sources that are declared, for whoever wants them.
    """
    sources = sources or matching.Sources()
    files = entries.Files(count=snapshot.count, problems=[*snapshot.refused], incomplete=bool(snapshot.refused))
    for file in snapshot.files:
        documents, faults = yaml12.read(file.text, project.shown(file.path), tags=values.TAGS)
        found = file.refused or faults
        files.problems += found
        files.incomplete |= any(problem.code in _UNREAD for problem in found)
        files.has_references |= b"${vars" in file.text or b"\\" in file.text  # it may be written with escapes
        for document in documents:
            _take(files, sources, file.path, document, {fault.mark for fault in faults})
    _take_locks(files, sources, project, snapshot)
    if snapshot.schema is not None:
        _take_schema(files, snapshot.schema, project.shown(snapshot.schema.path))
    return files


def _take(
    files: entries.Files,
    sources: matching.Sources,
    path: pathlib.Path,
    document: yaml12.Document,
    told: set[problems.Mark | None],
) -> None:
    """Take what a document says; ``told`` are places whose value is known to be wrong already."""
    if document.data is None:
        return
    kind = checking.kind(document, "inventory", tuple(_SHAPES))
    if isinstance(kind, problems.Problem):
        files.problems.append(kind)
        files.incomplete = True
        return
    found = checking.check(document, "inventory", _SHAPES[kind])
    files.problems += [problem for problem in found if problem.mark not in told]
    if kind == "SiteList":
        _take_sites(files, document, {problem.field[:2] for problem in found})
    elif kind == "Source":
        files.problems += sources.add(path, document, sound=not found)
    elif found:
        files.incomplete = True
    elif kind == "Defaults":
        _take_defaults(files, document)
    else:
        _take_group(files, document)


def _take_defaults(files: entries.Files, document: yaml12.Document) -> None:
    if files.defaults is not None:
        message = f"defaults are also given at {files.defaults.mark(())}; a project has one Defaults document"
        problem = problems.Problem(
            codes.Code.INVENTORY_DUPLICATE_DEFAULTS, message, document.mark(("kind",)), ("kind",)
        )
        files.problems.append(problem)
        return
    files.defaults = entries.Layer("defaults", _without(document.data, "apiVersion", "kind"), document)


def _take_group(files: entries.Files, document: yaml12.Document) -> None:
    data = _map(document.data)
    name, priority = str(data["name"]), data["priority"]
    if name in files.groups:
        message = f"{name} is also defined at {files.groups[name].layer.mark(('name',))}"
        field: problems.Field = ("name",)
        files.problems.append(
            problems.Problem(codes.Code.INVENTORY_DUPLICATE_GROUP, message, document.mark(field), field)
        )
        return
    layer = entries.Layer(
        f"group {name} (priority {priority})",
        _without(data, "apiVersion", "kind", "name", "match", "priority"),
        document,
    )
    match = selectors.parse(str(data["match"]))
    files.groups[name] = entries.GroupEntry(name, match, priority if isinstance(priority, int) else 0, layer)


def _take_sites(files: entries.Files, document: yaml12.Document, faulty: set[problems.Field]) -> None:
    """Take the entries that fit their shape; the others have been reported, and the rest can still be checked."""
    data = _map(document.data)
    defaults = None
    if any(field[:1] == ("defaults",) for field in faulty):
        files.incomplete = True
    elif data.get("defaults"):
        defaults = entries.Layer("file defaults", _map(data["defaults"]), document, ("defaults",))
    _take_entries(files, document, faulty, defaults)


def _take_entries(
    files: entries.Files,
    document: yaml12.Document,
    faulty: set[problems.Field],
    defaults: entries.Layer | None,
    of: str = "",
) -> None:
    for index, entry in enumerate(_list(_map(document.data).get("sites"))):
        field: problems.Field = ("sites", index)
        if field not in faulty and isinstance(entry, dict):
            _take_site(files, entries.Layer(f"site {entry['name']}{of}", entry, document, field), defaults)


def _take_locks(
    files: entries.Files, sources: matching.Sources, project: projects.Project, snapshot: snapshots.Snapshot
) -> None:
    """Take the sites of each source from its lock."""
    for file in snapshot.others:
        if file.path.name.endswith(snapshots.LOCK):
            files.problems += file.refused or sources.add_lock(file.text, project.shown(file.path))
            files.has_references |= b"${vars." in file.text
    texts = {file.path: file.text for file in snapshot.others if not file.refused}
    pairs, found = sources.matched(files.problems, project.shown, texts)
    files.problems += found
    for source, lock in pairs:
        found = checking.check(lock.document, "inventory", source_shapes.Lock)
        files.problems += found
        written = _map(source.document.data).get("defaults")
        title, of = f"defaults of source {source.name}", f" (source {source.name})"
        defaults = entries.Layer(title, _map(written), source.document, ("defaults",)) if written else None
        _take_entries(files, lock.document, {problem.field[:2] for problem in found}, defaults, of)


def _take_site(files: entries.Files, written: entries.Layer, defaults: entries.Layer | None) -> None:
    name = str(written.data["name"])
    if name in files.sites:
        other = files.sites[name].layer.mark(("name",))
        field = (*written.field, "name")
        message = f"{name} is also defined at {other}"
        files.problems.append(
            problems.Problem(codes.Code.INVENTORY_DUPLICATE_SITE, message, written.mark(("name",)), field)
        )
        return
    nodes = [_map(node) for node in _list(written.data.get("nodes"))]
    seen: dict[object, int] = {}
    for index, node in enumerate(nodes):
        field = ("nodes", index, "name")
        if node["name"] in seen:
            other = written.mark(("nodes", seen[node["name"]], "name"))
            message = f"{node['name']} is also defined at {other}"
            files.problems.append(
                problems.Problem(
                    codes.Code.INVENTORY_DUPLICATE_NODE, message, written.mark(field), (*written.field, *field)
                )
            )
        else:
            seen[node["name"]] = index
    layer = entries.Layer(written.title, _without(written.data, "name", "nodes"), written.document, written.field)
    files.sites[name] = entries.SiteEntry(name, layer, nodes, defaults)


def _take_schema(files: entries.Files, schema: snapshots.File, shown: str) -> None:
    files.problems += schema.refused
    if schema.refused:
        return
    try:
        files.vars_schema = jsonschemas.Checker(schema.text)
    except jsonschemas.SchemaError as error:
        files.problems.append(problems.Problem(codes.Code.INVENTORY_VARS_SCHEMA, str(error), problems.Mark(shown)))


def _without(data: object, *keys: str) -> values.Written:
    return {key: value for key, value in _map(data).items() if key not in keys}


def _map(data: object) -> values.Written:
    return data if isinstance(data, dict) else {}


def _list(data: object) -> list[values.Value]:
    return data if isinstance(data, list) else []
