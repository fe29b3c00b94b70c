"""Checked entries to a fleet: every layer laid over the next for each site, all problems in one pass."""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Iterator

import msgspec

from fleetctl.inventory import entries, layers, references
from fleetctl.model import codes, errors, layering, problems, projects, sites, values
from fleetctl.reading import scalars

__all__ = ["assemble"]

_MANY = 3
"""How many sites a problem names before it only counts them."""


def assemble(project: projects.Project, files: entries.Files) -> sites.Fleet:
    """Merge every site and check what only merging can show; raises ``InvalidInput`` with all that is wrong."""
    assembly = _Assembly(project, files)
    members = {name: assembly.site(files.sites[name]) for name in sorted(files.sites)}
    found = [*files.problems, *assembly.found(), *_unknown_bundles(project, files)]
    if found:
        raise errors.InvalidInput(found, files.count)
    groups = {
        entry.name: sites.Group(entry.name, entry.match, entry.priority, entry.layer.data, entry.layer.mark(("name",)))
        for entry in sorted(files.groups.values(), key=lambda entry: entry.name)
    }
    return sites.Fleet(project.name, {name: site for name, site in members.items() if site is not None}, groups)


class _Assembly:
    """Builds sites one by one; what many sites share (defaults and groups) is merged once per combination."""

    def __init__(self, project: projects.Project, files: entries.Files) -> None:
        self._project = project
        self._files = files
        self._groups = layers.by_priority(files)
        self._bases: dict[tuple[int, tuple[int, ...]], values.Vars] = {}
        self._labels: dict[int, dict[str, str]] = {}
        self._declarations: dict[tuple[int, tuple[tuple[str, object], ...]], dict[str, str]] = {}
        self._matches: dict[tuple[tuple[str, str], ...], tuple[int, ...]] = {}
        self._clashes: set[tuple[int, int]] = set()
        self._found: dict[tuple[problems.Mark, codes.Code, str], tuple[problems.Field, list[str]]] = {}

    def found(self) -> Iterator[problems.Problem]:
        """Return what was wrong; what many sites inherit from one place is one problem that counts them."""
        for (mark, code, message), (field, names) in self._found.items():
            shown = ", ".join(names[:_MANY])
            note = f"{len(names):,} sites, e.g. {shown}" if len(names) > _MANY else f"at {shown}"
            yield problems.Problem(code, message, mark, field, (note,) if names else ())

    def site(self, entry: entries.SiteEntry) -> sites.Site | None:
        """Merge one site; None when a problem was found that leaves no sound site."""
        faults: list[layering.Fault] = []
        declared = self._declared(entry)
        matched = self._matched(declared)
        base = self._base(entry, matched)
        merged = layering.merge(base, entry.layer.data, faults)
        merged = self._with_highest(merged)
        merged["labels"] = {**declared}
        for fault in faults:
            self._note(entry.layer.mark(fault.field, key=True), fault, ())
        if not self._files.incomplete:
            self._check(entry, merged)
        written = layers.map_of(merged.pop("vars", None))
        shared = self._settled(entry, written)
        nodes = [
            self._node_vars(entry, index, written) if node.get("vars") else shared
            for index, node in enumerate(entry.nodes)
        ]
        return self._converted(entry, merged, shared, nodes)

    def _matched(self, declared: dict[str, str]) -> tuple[int, ...]:
        """Return which groups match labels; a large fleet has few combinations of them."""
        key = tuple(declared.items())
        known = self._matches.get(key)
        if known is None:
            known = tuple(i for i, group in enumerate(self._groups) if group.match.matches(declared))
            self._matches[key] = known
        return known

    def _declared(self, entry: entries.SiteEntry) -> dict[str, str]:
        lower = self._labels.get(id(entry.file_defaults))
        if lower is None:
            below = [layer for layer in (self._files.defaults, entry.file_defaults) if layer is not None]
            lower = self._labels[id(entry.file_defaults)] = layers.declared(below, {})
        own = entry.layer.data.get("labels")
        if not isinstance(own, dict):
            return layers.declared([entry.layer], lower)
        key = (id(lower), tuple(own.items()))
        known = self._declarations.get(key)  # as for groups: few combinations
        if known is None:
            known = self._declarations[key] = layers.declared([entry.layer], lower)
        return known

    def _base(self, entry: entries.SiteEntry, matched: tuple[int, ...]) -> values.Vars:
        key = (id(entry.file_defaults), matched)
        if key in self._bases:
            return self._bases[key]
        base: values.Vars = {}
        shared = (self._files.defaults, entry.file_defaults, *(self._groups[i].layer for i in matched))
        for layer in shared:
            if layer is None:
                continue
            faults: list[layering.Fault] = []
            base = layering.merge(base, layer.data, faults)
            for fault in faults:
                self._note(layer.mark(fault.field, key=True), fault, ())
        for one, two in itertools.combinations(matched, 2):
            self._compare(self._groups[one], self._groups[two], (one, two), entry.name)
        self._bases[key] = base
        return base

    def _compare(self, one: entries.GroupEntry, two: entries.GroupEntry, pair: tuple[int, int], example: str) -> None:
        if one.priority != two.priority or pair in self._clashes:
            return
        self._clashes.add(pair)
        for conflict in layering.conflicts(one.layer.data, two.layer.data):
            place = two.layer.mark(conflict.theirs.written)
            either = conflict.mine.appends or conflict.theirs.appends
            message = (
                f'groups "{one.name}" and "{two.name}" have equal priority {one.priority} and '
                f"{'change one list' if either else 'set different values'} "
                f"({place} {_does(conflict)}); give one a higher priority"
            )
            fault = layering.Fault(codes.Code.INVENTORY_GROUP_CONFLICT, conflict.mine.written, message)
            self._note(one.layer.mark(conflict.mine.written), fault, (example,))

    def _settled(self, entry: entries.SiteEntry, merged: values.Vars, node: int | None = None) -> values.Vars:
        """Resolve the references in merged vars and hold the result against vars.schema.json.

        Not when a layer was lost: what it says cannot be missed a second time.
        """
        if self._files.incomplete:
            return merged
        if self._files.has_references:
            merged, faults = references.resolve(merged)
            for fault in faults:
                self._note_inherited(entry, layering.Fault(fault.code, ("vars", *fault.field), fault.message), node)
        if self._files.vars_schema is not None:
            for field, message in self._files.vars_schema.complaints(merged):
                complaint = layering.Fault(codes.Code.INVENTORY_VARS_SCHEMA, ("vars", *field), message)
                self._note_inherited(entry, complaint, node)
        return merged

    def _node_vars(self, entry: entries.SiteEntry, index: int, written: values.Vars) -> values.Vars:
        """Lay a node's own vars over its site's, as they were before their references were resolved."""
        faults: list[layering.Fault] = []
        layer = entry.node_layer(index)
        merged = layering.merge({"vars": written}, layer.data, faults)
        for fault in faults:
            self._note(layer.mark(fault.field, key=True), fault, ())
        return self._settled(entry, layers.map_of(self._with_highest(merged)["vars"]), index)

    def _with_highest(self, merged: values.Vars) -> values.Vars:
        """Lay what the command line sets over everything."""
        highest = self._files.highest
        if highest is None:
            return merged
        faults: list[layering.Fault] = []
        merged = layering.merge(merged, highest.data, faults)
        for fault in faults:
            self._note(highest.mark(fault.field, key=True), fault, ())
        return merged

    def _check(self, entry: entries.SiteEntry, merged: values.Vars) -> None:
        """Check what only the merged site can show."""
        window = merged.get("window")
        for key in ("cron", "duration"):
            if isinstance(window, dict) and key not in window:
                message = f"the window has no {key}; a window needs cron and duration"
                self._note_inherited(entry, _fault("MISSING_KEY", ("window", key), message))
        access = merged.get("access")
        kube = access.get("kube") if isinstance(access, dict) else None
        if isinstance(kube, dict) and kube.get("via") == "proxy" and not kube.get("proxy"):
            message = "proxy needs access.kube.proxy, the proxy's URL"
            self._note_inherited(entry, _fault("MISSING_KEY", ("access", "kube", "via"), message))

    def _converted(
        self, entry: entries.SiteEntry, merged: values.Vars, own: values.Vars, of_nodes: list[values.Vars]
    ) -> sites.Site | None:
        try:
            site = msgspec.convert({**merged, "name": entry.name, "nodes": entry.nodes}, sites.Site)
        except msgspec.ValidationError:
            if not self._found and not self._files.problems:
                raise  # every way here is a problem that was noted; anything else is a bug
            return None
        # Free maps are as they shall be, and converting copies them whole, once more for each node. Nobody has seen
        # the site that was made above: it is not frozen yet.
        for one, free in zip((site, *site.nodes), (own, *of_nodes), strict=True):
            msgspec.structs.force_setattr(one, "vars", free)
        return site

    def _note_inherited(self, entry: entries.SiteEntry, fault: layering.Fault, node: int | None = None) -> None:
        known = layers.layers_of(self._files, entry.name, node)
        name = entry.name if node is None else f"{entry.name}/{entry.nodes[node]['name']}"
        mark = layers.origin(known, fault.field) or entry.layer.mark(())
        self._note(mark, fault, (name,))

    def _note(self, mark: problems.Mark, fault: layering.Fault, names: tuple[str, ...]) -> None:
        _, known = self._found.setdefault((mark, fault.code, fault.message), (fault.field, []))
        last = known[-1].partition("/")[0] if known else ""  # sites are counted, whichever of their nodes it was
        known += [name for name in names if name.partition("/")[0] != last]


def _does(conflict: layering.Conflict) -> str:
    """Say what the other side of a conflict does, and where when it is not the same place."""
    theirs = conflict.theirs
    what = problems.field_text(theirs.field) if theirs.field != conflict.mine.field else ""
    if theirs.value is values.UNSET:
        return f"removes {what or 'it'}"
    if theirs.appends:
        return f"appends to {what or 'it'}"
    return f"sets {what}{' to ' if what else ''}{values.kind_of(theirs.value)}"


def _fault(what: str, field: problems.Field, message: str) -> layering.Fault:
    return layering.Fault(codes.Code[f"INVENTORY_{what}"], field, message)


def _unknown_bundles(project: projects.Project, files: entries.Files) -> Iterator[problems.Problem]:
    """Find assignments of bundles that the project does not have."""
    known = project.bundles()
    groups = [group.layer for group in files.groups.values()]
    file_defaults = {id(entry.file_defaults): entry.file_defaults for entry in files.sites.values()}
    own = [entry.layer for entry in files.sites.values()]
    for layer in filter(None, (files.defaults, *file_defaults.values(), *groups, *own)):
        assigned = layer.data.get("bundles")
        for name in assigned if isinstance(assigned, dict) else ():
            if name not in known:
                near = scalars.did_you_mean(name, known)
                folder = project.shown(pathlib.Path(project.templates))
                message = f'no bundle "{name}" in {folder}/{near}'
                field = ("bundles", name)
                mark = layer.mark(field, key=True)
                yield problems.Problem(codes.Code.INVENTORY_UNKNOWN_BUNDLE, message, mark, (*layer.field, *field))
