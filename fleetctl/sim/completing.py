"""What a simulated API server adds to an object that is sent: counters, defaults, the beginning of a status."""

from __future__ import annotations

import base64

from fleetctl.sim import discovery, objects, templates, volumes

__all__ = ["complete"]


def complete(place: discovery.Place, live: objects.Object | None, result: objects.Object) -> None:
    """Add what the server itself writes into a changed object."""
    resource, meta = place.resource, result["metadata"]
    meta["name"] = place.name
    if place.namespace:
        meta["namespace"] = place.namespace
    if not meta.get("managedFields"):
        meta.pop("managedFields", None)
    if "template" in (result.get("spec") or {}):
        result["spec"] = templates.completed(resource.kind, result["spec"])
    if resource.counted:
        changed = live is None or live.get("spec") != result.get("spec")
        meta["generation"] = (live or {}).get("metadata", {}).get("generation", 0) + changed
    if resource.kind == "Secret":
        result.setdefault("type", "Opaque")
        clear = result.pop("stringData", None) or {}
        coded = {key: base64.b64encode((value or "").encode()).decode() for key, value in clear.items()}
        if coded:
            result["data"] = {**result.get("data", {}), **coded}
    if resource.kind == "Namespace":
        result.setdefault("status", {"phase": "Active"})
        meta["labels"] = {**meta.get("labels", {}), "kubernetes.io/metadata.name": meta["name"]}
    if resource.kind in volumes.BEGUN:
        result.setdefault("status", volumes.BEGUN[resource.kind])
