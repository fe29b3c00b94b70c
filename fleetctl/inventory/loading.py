"""Inventory files to checked entries: what is written where, before anything is merged."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

import msgspec

from fleetctl.model import codes, problems, projects, selectors, values
from fleetctl.reading import disk, yaml12
from fleetctl.schema import checking, jsonschemas, shapes

__all__ = ["Files", "GroupEntry", "Layer", "SiteEntry", "collector_paused", "load"]

_VARS_SCHEMA = "vars.schema.json"
_KINDS = ("Defaults", "Group", "SiteList")
_UNREAD = frozenset(
    {codes.Code.PROJECT_UNREADABLE, codes.Code.YAML_ENCODING, codes.Code.YAML_SYNTAX, codes.Code.YAML_TOO_LARGE}
)
"""Problems after which it is not known what a file says."""
_TAGS = {str(values.UNSET): values.UNSET}


class Layer(msgspec.Struct, frozen=True):
    """One layer as written: its title for people, its data, and where the data stands."""

    title: str
    data: values.Written
    document: yaml12.Document
    field: problems.Field = ()
    lifted: int = 0
    """How many first steps of a field the document does not spell out, because the data was put below them."""

    def mark(self, field: problems.Field, *, key: bool = False) -> problems.Mark:
        """Return where a field of this layer stands."""
        return self.document.mark((*self.field, *field[self.lifted :]), key=key)


class SiteEntry(msgspec.Struct, frozen=True):
    """One site as written, and the defaults of its file."""

    name: str
    layer: Layer
    nodes: list[values.Written]
    file_defaults: Layer | None

    def node_layer(self, index: int) -> Layer:
        """Return what one node lays over the site."""
        node = self.nodes[index]
        field = (*self.layer.field, "nodes", index)
        return Layer(f"node {node['name']}", {"vars": node.get("vars", {})}, self.layer.document, field)


class GroupEntry(msgspec.Struct, frozen=True):
    """One group as written."""

    name: str
    match: selectors.Selector
    priority: int
    layer: Layer


class Files(msgspec.Struct):
    """Everything the inventory folder says, and every problem seen while reading it."""

    count: int = 0
    """Files read."""
    defaults: Layer | None = None
    groups: dict[str, GroupEntry] = {}
    sites: dict[str, SiteEntry] = {}
    vars_schema: jsonschemas.Checker | None = None
    has_references: bool = False
    """Whether any file contains ``${vars.``; when none does nobody needs to look."""
    incomplete: bool = False
    """Whether a layer that sites share could not be taken, so that merged sites would lack what it says."""
    problems: list[problems.Problem] = []


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector out of a burst of allocations that all stay alive: it costs 3 to 7 times the work."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def load(project: projects.Project) -> Files:
    """Read and check every file below the inventory folder; problems are collected, never raised."""
    files = Files()
    paths, refused = disk.files(project.inventory, (".yaml", ".yml"), project.shown)
    files.problems += refused
    files.count += len(refused)
    files.incomplete |= bool(refused)
    for path in paths:
        if path == project.inventory / _VARS_SCHEMA:  # a link that leads nowhere
            continue
        files.count += 1
        shown = project.shown(path)
        text, found = disk.read(path, shown)
        documents, faults = yaml12.read(text, shown, tags=_TAGS)
        files.problems += found or faults
        files.incomplete |= any(problem.code in _UNREAD for problem in found or faults)
        files.has_references |= b"${vars." in text
        for document in documents:
            _take(files, document, {fault.mark for fault in faults})
    if all(problem.mark != problems.Mark(project.shown(project.inventory)) for problem in refused):
        _load_vars_schema(files, project)
    return files


def _take(files: Files, document: yaml12.Document, told: set[problems.Mark | None]) -> None:
    """Take what a document says; ``told`` are places whose value is known to be wrong already."""
    if document.data is None:
        return
    kind = checking.kind(document, "inventory", _KINDS)
    if isinstance(kind, problems.Problem):
        files.problems.append(kind)
        files.incomplete = True
        return
    found = checking.check(document, "inventory", shapes.KINDS[kind])
    files.problems += [problem for problem in found if problem.mark not in told]
    if kind == "SiteList":
        _take_sites(files, document, {problem.field[:2] for problem in found})
    elif found:
        files.incomplete = True
    elif kind == "Defaults":
        _take_defaults(files, document)
    else:
        _take_group(files, document)


def _take_defaults(files: Files, document: yaml12.Document) -> None:
    if files.defaults is not None:
        message = f"defaults are also given at {files.defaults.mark(())}; a project has one Defaults document"
        problem = problems.Problem(
            codes.Code.INVENTORY_DUPLICATE_DEFAULTS, message, document.mark(("kind",)), ("kind",)
        )
        files.problems.append(problem)
        return
    files.defaults = Layer("defaults", _without(document.data, "apiVersion", "kind"), document)


def _take_group(files: Files, document: yaml12.Document) -> None:
    data = _map(document.data)
    name, priority = str(data["name"]), data["priority"]
    if name in files.groups:
        message = f"{name} is also defined at {files.groups[name].layer.mark(('name',))}"
        field: problems.Field = ("name",)
        files.problems.append(
            problems.Problem(codes.Code.INVENTORY_DUPLICATE_GROUP, message, document.mark(field), field)
        )
        return
    layer = Layer(
        f"group {name} (priority {priority})",
        _without(data, "apiVersion", "kind", "name", "match", "priority"),
        document,
    )
    match = selectors.parse(str(data["match"]))
    files.groups[name] = GroupEntry(name, match, priority if isinstance(priority, int) else 0, layer)


def _take_sites(files: Files, document: yaml12.Document, faulty: set[problems.Field]) -> None:
    """Take the entries that fit their shape; the others have been reported, and the rest can still be checked."""
    data = _map(document.data)
    defaults = None
    if any(field[:1] == ("defaults",) for field in faulty):
        files.incomplete = True
    elif data.get("defaults"):
        defaults = Layer("file defaults", _map(data["defaults"]), document, ("defaults",))
    listed = data.get("sites")
    for index, entry in enumerate(listed if isinstance(listed, list) else []):
        field: problems.Field = ("sites", index)
        if field not in faulty and isinstance(entry, dict):
            _take_site(files, Layer(f"site {entry['name']}", entry, document, field), defaults)


def _take_site(files: Files, written: Layer, defaults: Layer | None) -> None:
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
    layer = Layer(written.title, _without(written.data, "name", "nodes"), written.document, written.field)
    files.sites[name] = SiteEntry(name, layer, nodes, defaults)


def _load_vars_schema(files: Files, project: projects.Project) -> None:
    path = project.inventory / _VARS_SCHEMA
    if not disk.is_there(path):
        return
    files.count += 1
    text, found = disk.read(path, project.shown(path))
    files.problems += found
    if found:
        return
    try:
        files.vars_schema = jsonschemas.Checker(text)
    except jsonschemas.SchemaError as error:
        mark = problems.Mark(project.shown(path))
        files.problems.append(problems.Problem(codes.Code.INVENTORY_VARS_SCHEMA, str(error), mark))


def _without(data: object, *keys: str) -> values.Written:
    return {key: value for key, value in _map(data).items() if key not in keys}


def _map(data: object) -> values.Written:
    return data if isinstance(data, dict) else {}


def _list(data: object) -> list[values.Value]:
    return data if isinstance(data, list) else []
