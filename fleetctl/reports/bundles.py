"""Bundles as data for machines: a project's catalogue, one bundle in full, and how its examples fare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from fleetctl.model import problems
from fleetctl.rendering import describing, examples
from fleetctl.reports import envelopes

__all__ = ["bundle_list", "example_list", "one_bundle"]


def bundle_list(found: Iterable[describing.Listed]) -> dict[str, object]:
    """Return a catalogue."""
    items = [msgspec.to_builtins(one) for one in found]
    return {"apiVersion": envelopes.API_VERSION, "kind": "BundleList", "items": items}


def one_bundle(shown: describing.Shown) -> dict[str, object]:
    """Return a bundle; ``site``, ``digest`` and ``objects`` are there when it was asked for a site."""
    bundle = shown.bundle
    envelope: dict[str, object] = {
        "apiVersion": envelopes.API_VERSION,
        "kind": "Bundle",
        "name": bundle.name,
        "version": bundle.version,
        "description": bundle.description,
        "namespace": bundle.namespace,
        "valuesKey": bundle.values_key,
        "folder": shown.folder,
        "sites": shown.sites,
        "examples": list(shown.examples),
        "values": [_value(one, shown.merged) for one in shown.values],
    }
    if shown.release is not None:
        envelope |= {
            "site": shown.release.site,
            "digest": shown.release.digest,
            "objects": [
                {
                    "group": one.id.group,
                    "kind": one.id.kind,
                    "namespace": one.id.namespace,
                    "name": one.id.name,
                    "template": one.template,
                }
                for one in shown.release.objects
            ],
        }
    return envelope


def _value(one: describing.Described, merged: Mapping[str, object] | None) -> dict[str, object]:
    found: dict[str, object] = {
        "name": one.name,
        "type": one.type,
        "default": None if one.default is problems.NOTHING else one.default,
        "required": one.must,
        "description": one.description,
        "usedBy": [str(mark) for mark in one.used],
    }
    if merged is not None:
        at_site = problems.value_at(merged, one.field)
        found["value"] = None if at_site is problems.NOTHING else at_site
    return found


def example_list(tested: Iterable[examples.Tested]) -> dict[str, object]:
    """Return how examples fared; a difference has ``expected`` and ``made``, null where there is no such file."""
    items = [
        {
            "name": f"{one.bundle}/{one.case}",
            "bundle": one.bundle,
            "case": one.case,
            "files": one.files,
            "updated": one.updated,
            "differences": [msgspec.to_builtins(difference) for difference in one.differences],
        }
        for one in tested
    ]
    return {"apiVersion": envelopes.API_VERSION, "kind": "ExampleList", "items": items}
