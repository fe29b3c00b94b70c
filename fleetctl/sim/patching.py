"""JSON patches (RFC 6902) of a simulated object, its managed fields among what may be patched.

Source for the latter: ``DecodeManagedFields`` and the updates of the apiserver's fieldmanager. Managed fields that
somebody sends count, and an empty list or entry takes all away; only where the field is removed do they stay.
"""

from __future__ import annotations

import copy
from typing import Any, Final

import msgspec

from fleetctl.sim import applying, checking, kinds, objects, schemas

__all__ = ["is_json", "patched"]

_REFUSED: Final = "the server rejected our request due to an error in our request"
_ABSENT: Final = object()


class _Operation(msgspec.Struct):
    op: str
    path: str
    value: Any = None


def is_json(content: str) -> bool:
    """Tell by a content type whether a patch is one of these, or an apply; raises ``Refusal`` for all others."""
    if "apply-patch" in content or "json-patch" in content:
        return "json-patch" in content
    if "merge-patch" in content:
        raise objects.Refusal(501, "NotImplemented", f"a simulated cluster does not do a patch of type {content}")
    raise objects.Refusal(415, "UnsupportedMediaType", "415: Unsupported Media Type")


def patched(resource: kinds.Resource, live: objects.Object, body: bytes, by: applying.Managed) -> objects.Object:
    """Return an object as a patch makes it, the live one stays; ``by`` says who patches. Raises ``Refusal``."""
    try:
        operations = msgspec.json.decode(body, type=list[_Operation])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise objects.Refusal(400, "BadRequest", f"error decoding patch: {error}") from None
    new = copy.deepcopy(live)
    for one in operations:
        _change(new, one)
    meta = new.get("metadata")
    if not isinstance(meta, dict):
        raise _refused()
    checking.unmoved(resource, live["metadata"]["name"], live, meta)
    own = {key: live["metadata"][key] for key in objects.OWN if key in live["metadata"]}
    # Maps of which nothing is left are not stored: the types of the apiserver leave them out.
    new["metadata"] = {**{key: value for key, value in meta.items() if value or key == "managedFields"}, **own}
    if "status" in live and resource.kind != "Namespace":
        new["status"] = live["status"]
    sent = new["metadata"].get("managedFields")
    managed = live["metadata"].get("managedFields", []) if sent is None else [one for one in sent if one]
    result = applying.updated(live, new, managed, schemas.of(resource), by)
    if not result["metadata"]["managedFields"]:
        del result["metadata"]["managedFields"]
    return result


def _change(found: objects.Object, one: _Operation) -> None:
    if one.op not in {"add", "remove", "replace", "test"}:
        raise objects.Refusal(501, "NotImplemented", f"a simulated cluster does not do the operation {one.op}")
    *above, last = [step.replace("~1", "/").replace("~0", "~") for step in one.path.split("/")[1:]] or [""]
    node: Any = found
    for step in above:
        node = _child(node, step)
    there = _child(node, last, may_lack=True)
    lacks = there is _ABSENT and (one.op == "remove" or (one.op == "replace" and not isinstance(node, dict)))
    if lacks or (one.op == "test" and there != one.value):
        raise _refused()
    if not isinstance(node, dict):
        _change_item(node, last, one)
    elif one.op == "remove":
        del node[last]
    elif one.op != "test":
        node[last] = one.value


def _change_item(node: Any, last: str, one: _Operation) -> None:  # noqa: ANN401  # JSON
    if one.op == "add" and isinstance(node, list):
        node.insert(len(node) if last == "-" else int(last), one.value)
    elif one.op == "remove":
        del node[int(last)]
    elif one.op == "replace":
        node[int(last)] = one.value


def _child(node: Any, step: str, *, may_lack: bool = False) -> Any:  # noqa: ANN401  # JSON
    found = _ABSENT
    if isinstance(node, dict):
        found = node.get(step, _ABSENT)
    elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
        found = node[int(step)]
    if found is _ABSENT and not may_lack:
        raise _refused()
    return found


def _refused() -> objects.Refusal:
    return objects.Refusal(422, "Invalid", _REFUSED)
