"""Results as JSON, JSON lines, YAML or bare names. ``apiVersion`` and ``kind`` say what it is; keys are stable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TextIO

import msgspec

from fleetctl.inventory import comparing, edits, explaining, graphing
from fleetctl.model import problems, releases, sites, values
from fleetctl.reading import yamltext

__all__ = [
    "API_VERSION",
    "FORMATS",
    "changes",
    "explanation_list",
    "graph",
    "one_site",
    "problem_list",
    "project_key",
    "release_list",
    "settings",
    "site_list",
    "unchecked",
    "write",
    "write_names",
]

API_VERSION: Final = "fleetctl.dev/v1alpha1"
FORMATS: Final = frozenset({"json", "jsonl", "name", "yaml"})

_Envelope = dict[str, object]


def write(envelope: _Envelope, style: str, stream: TextIO) -> None:
    """Write an envelope; lists give one item a line in ``jsonl`` and ``name``."""
    items = envelope.get("items")
    many = items if isinstance(items, list) else [envelope]
    if style == "json":
        stream.write(msgspec.json.format(msgspec.json.encode(envelope), indent=2).decode() + "\n")
    elif style == "yaml":
        stream.write(yamltext.block(envelope))
    elif style == "jsonl":
        stream.writelines(msgspec.json.encode(item).decode() + "\n" for item in many)
    else:
        stream.writelines(f"{item.get('name') or item.get('code')}\n" for item in many)


def write_names(names: Iterable[str], stream: TextIO) -> None:
    """Write what ``name`` shows of sites, which takes nothing but their names: for 10,000 sites that is a second."""
    stream.writelines(f"{name}\n" for name in names)


def site_list(chosen: Iterable[sites.Site]) -> _Envelope:
    """Return sites as all layers make them."""
    return _list("SiteList", [_site(site) for site in chosen])


def one_site(site: sites.Site) -> _Envelope:
    """Return one site as all layers make it."""
    return {"apiVersion": API_VERSION, "kind": "Site", **_site(site)}


def problem_list(found: Iterable[problems.Problem]) -> _Envelope:
    """Return problems; ``field`` is written as people read it."""
    return _list(
        "ProblemList",
        [
            {
                "code": str(problem.code),
                "path": _sound(problem.mark.path) if problem.mark else None,
                "line": problem.mark.line if problem.mark else None,
                "column": problem.mark.column if problem.mark else None,
                "field": problems.field_text(problem.field),
                "message": _sound(problem.message),
                "notes": [_sound(note) for note in problem.notes],
            }
            for problem in found
        ],
    )


def project_key(identity: str, place: str) -> _Envelope:
    """Return which key a project has and where it was found; never the key."""
    return {"apiVersion": API_VERSION, "kind": "ProjectKey", "name": identity, "place": place, "matches": True}


def release_list(made: Iterable[releases.Release], limits: releases.Limits) -> _Envelope:
    """Return releases without their objects: what was rendered for whom, its digest, and how far it was checked."""
    return {**_releases(made), **unchecked(limits)}


def unchecked(limits: releases.Limits) -> _Envelope:
    """Return what no schema could check: part of every result that has rendered objects."""
    return {
        "unchecked": [_plain(one) for one in limits.unchecked],
        "nearestVersions": [_plain(one) for one in limits.nearest],
    }


def _releases(made: Iterable[releases.Release]) -> _Envelope:
    return _list(
        "ReleaseList",
        [
            {
                "name": f"{release.site}/{release.bundle}",
                "site": release.site,
                "bundle": release.bundle,
                "version": release.version,
                # Of placeholders it would be a digest that never changes when a secret does.
                "digest": None if releases.has_secrets(release) else release.digest,
                "objects": len(release.objects),
            }
            for release in made
        ],
    )


def explanation_list(
    site: str,
    found: Iterable[explaining.Explanation],
    used: Mapping[problems.Field, Sequence[problems.Mark]],
) -> _Envelope:
    """Return values with the layers that made them, highest first."""
    items = [
        {
            "name": problems.field_text(one.field),
            "value": _plain(one.value),
            "layers": [
                {
                    "verb": part.verb,
                    "value": _plain(part.value),
                    "layer": part.layer,
                    "place": _sound(str(part.mark)),
                    "counts": part.counts,
                }
                for part in one.contributions
            ],
            "usedBy": [_sound(str(mark)) for mark in used.get(one.field, ())],
        }
        for one in found
    ]
    return {**_list("ExplanationList", items), "site": site}


def changes(found: comparing.Comparison) -> _Envelope:
    """Return what changed in a fleet, one item for each site; a side without the value leaves its key out."""
    items: list[object] = [{"name": name, "change": "added"} for name in found.added]
    items += [{"name": name, "change": "removed"} for name in found.removed]
    for fold in found.folds:
        fields = [
            {
                "field": problems.field_text(one.field),
                **({} if one.before is problems.NOTHING else {"before": one.before}),
                **({} if one.after is problems.NOTHING else {"after": one.after}),
            }
            for one in fold.changes
        ]
        items += [{"name": name, "change": "changed", "fields": fields} for name in fold.sites]
    return _list("InventoryDiff", items)


def settings(made: edits.Plan) -> _Envelope:
    """Return what ``inventory set`` makes of values; ``inherited`` is where another layer said the value before."""
    items = [
        {
            "name": one.site,
            "field": problems.field_text(one.field),
            "change": "changed" if one.changes else "unchanged",
            **({} if one.before is problems.NOTHING else {"before": _plain(one.before)}),
            "after": _plain(one.after),
            "place": _sound(str(one.mark)),
            **({"inherited": _sound(str(one.inherited))} if one.inherited else {}),
        }
        for one in made.settings
    ]
    return _list("SiteSettingList", items)


def graph(found: graphing.Graph) -> _Envelope:
    """Return how a fleet is put together; the items are its files and groups, which say which they are."""
    files = [
        {
            "item": "file",
            "path": _sound(one.path),
            "sites": one.sites,
            "groups": list(one.groups),
            "defaults": one.defaults,
        }
        for one in found.files
    ]
    groups = [
        {
            "item": "group",
            "name": one.name,
            "priority": one.priority,
            "match": one.match,
            "place": _sound(str(one.mark)),
            "sites": one.sites,
            "equal": list(one.beside),
        }
        for one in found.groups
    ]
    totals = {"sites": found.sites, "nodes": found.nodes, "ungrouped": found.ungrouped}
    return {**_list("InventoryGraph", [*files, *groups]), **totals}


def _list(kind: str, items: Sequence[object]) -> _Envelope:
    return {"apiVersion": API_VERSION, "kind": kind, "items": list(items)}


def _sound(text: str) -> str:
    """Return text that JSON can hold: a file's name may be bytes that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def _plain(value: object) -> object:
    """Return a value as JSON holds it: no tuples, and nothing (null) for what was taken away."""
    return None if value is values.UNSET else msgspec.json.decode(msgspec.json.encode(value))


def _site(site: sites.Site) -> dict[str, object]:
    nodes = [_plain(node) for node in site.nodes]
    for node in nodes:
        if isinstance(node, dict) and node["vars"] == site.vars:
            del node["vars"]  # the site's, which stand below
    shown = _plain(msgspec.structs.replace(site, nodes=()))
    return {**shown, "nodes": nodes} if isinstance(shown, dict) else {}
