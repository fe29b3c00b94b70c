"""Reads of a simulated cluster: what of its objects is asked for, in which form, and in pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, Final

import msgspec

from fleetctl.model import selectors
from fleetctl.sim import kinds, objects

__all__ = ["Wanted", "form", "number", "page", "partial", "wanted"]

_LASTS: Final = 300.0

Wanted = Callable[[objects.Object], bool]
"""Tells whether an object is selected."""

_FIELDS: Final = {
    "Event": [
        *(f"involvedObject.{field}" for field in ("kind", "name", "namespace", "uid", "fieldPath")),
        "reason",
        "type",
    ],
    "Namespace": ["status.phase"],
    "Node": ["spec.unschedulable"],
    "Pod": ["spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase"],
    "ReplicaSet": ["status.replicas"],
    "Secret": ["type"],
}
"""What each kind's field selectors may name beside its name and namespace."""


def partial(one: objects.Object) -> objects.Object:
    """Return an object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": one["metadata"]}


def form(accept: str, *, many: bool) -> bool:
    """Tell whether metadata alone is wanted; raises ``Refusal`` for forms that are not to be had."""
    for clause in accept.split(",") if accept else ():
        media, *given = (part.strip() for part in clause.split(";"))
        asked = dict(part.partition("=")[::2] for part in given).get("as", "")
        if media not in {"application/json", "application/*", "*/*"} or asked not in {
            "",
            "PartialObjectMetadata",
            "PartialObjectMetadataList",
        }:
            continue
        if asked and asked.endswith("List") != many:
            is_a = "a list" if many else "not a list"
            raise objects.Refusal(406, "NotAcceptable", f"you requested {asked}, but the requested object is {is_a}")
        return bool(asked)
    if accept:
        raise objects.Refusal(501, "NotImplemented", f"a simulated cluster does not do answers as {accept}")
    return False


def page(
    store: objects.Objects, resource: kinds.Resource, namespace: str, query: dict[str, str], *, bare: bool
) -> objects.Object:
    """Return a list, or a page of one. A page goes on after the last name of the one before, whatever changed since."""
    found = list(filter(wanted(resource, query), store.listed(resource, namespace)))
    limit = number(query.get("limit") or "0")
    version = store.version
    if query.get("continue"):
        version, last = _begin(query["continue"], store.clock())
        found = [one for one in found if _place(one) > last]
    meta: objects.Object = {"resourceVersion": version}
    if 0 < limit < len(found):
        meta["continue"] = _token(version, _place(found[limit - 1]), store.clock())
        if not {"labelSelector", "fieldSelector"} & query.keys():
            meta["remainingItemCount"] = len(found) - limit
        found = found[:limit]
    if bare:
        head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
        return {**head, "metadata": meta, "items": list(map(partial, found))}
    return {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta, "items": found}


def _place(one: objects.Object) -> tuple[str, str]:
    return one["metadata"].get("namespace", ""), one["metadata"]["name"]


def number(text: str) -> int:
    """Return the number that a query holds; raises ``Refusal``."""
    try:
        return int(text)
    except ValueError:
        raise _bad(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _token(version: str, last: tuple[str, str], now: float) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((version, last, now))).decode()


def _begin(token: str, now: float) -> tuple[str, tuple[str, str]]:
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(token), type=tuple[str, tuple[str, str], float])
    except (ValueError, msgspec.MsgspecError):
        raise _bad("invalid continue token: continue key is not valid") from None
    version, last, when = found
    if now - when > _LASTS:
        text = "The provided continue parameter is too old to display a consistent list result."
        raise objects.Refusal(410, "Expired", text)
    return version, last


def wanted(resource: kinds.Resource, query: dict[str, str]) -> Wanted:
    """Return what tells whether an object is selected; raises ``Refusal`` for selectors that cannot be had."""
    tests: list[Wanted] = []
    if query.get("labelSelector"):
        try:
            labels = selectors.parse(query["labelSelector"])
        except selectors.SelectorError as error:
            raise _bad(f"unable to parse requirement: {error}") from None
        tests.append(lambda one: labels.matches(one["metadata"].get("labels", {})))
    known = ("metadata.name", "metadata.namespace", *_FIELDS.get(resource.kind, ()))
    for part in filter(None, query.get("fieldSelector", "").split(",")):
        path, equals, value = part.partition("=")
        if not equals:
            raise _bad(f"invalid selector: '{part}'; can't understand '{part}'")
        differs, path = path.endswith("!"), path.removesuffix("!")
        if path not in known:
            words = ", ".join(f'"{one}"' for one in known)
            raise _bad(f'"{path}" is not a known field selector: only {words}')
        tests.append(_field(path, value.removeprefix("="), differs=differs))
    return lambda one: all(test(one) for test in tests)


def _field(path: str, value: str, *, differs: bool) -> Wanted:
    return lambda one: (_at(one, path) == value) != differs


def _at(one: objects.Object, path: str) -> str:
    found: Any = one
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return "" if found is None else found if isinstance(found, str) else json.dumps(found)


def _bad(message: str) -> objects.Refusal:
    return objects.Refusal(400, "BadRequest", message)
