"""Server-side apply: who owns which field, what is a conflict, and what goes when a manager no longer names it.

Source: structured-merge-diff and the list and map types of the Kubernetes OpenAPI definitions, for the kinds served.
A field set is a set of paths; a step is ``f:NAME``, ``k:{KEYS}`` for an item of a list with keys, or ``v:VALUE`` for an
item of a set, as in ``managedFields``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from fleetctl.sim import objects

__all__ = ["Conflicts", "Path", "apply", "key_step", "keys_of", "shown"]

Path = tuple[str, ...]

_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
"""Keys of lists that are merged item by item, by the list's name; ports have other keys in a Service."""
_SETS: Final = frozenset({"finalizers"})
_ATOMIC_MAPS: Final = frozenset(
    {
        "nodeSelector",
        "selector",
        "matchLabels",
        "fieldRef",
        "secretKeyRef",
        "configMapKeyRef",
        "roleRef",
        "labelSelector",
    }
)
_DEFAULTS: Final = {"protocol": "TCP"}
_IDENTITY: Final = frozenset({"apiVersion", "kind"})
_META_IDENTITY: Final = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"}
)


class Conflicts(Exception):
    """Fields that others own, with their managers, in order."""

    def __init__(self, found: list[tuple[Path, str]]) -> None:
        super().__init__("conflicts")
        self.found = found

    def refusal(self) -> objects.Refusal:
        """Return the conflict as an API server words it."""
        causes = [
            {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}"', "field": shown(path)}
            for path, manager in self.found
        ]
        many = f"{len(causes)} conflict{'s' if len(causes) > 1 else ''}"
        first = causes[0]["message"] if len(causes) == 1 else "conflicts"
        text = f"Apply failed with {many}: {first}: " + ", ".join(cause["field"] for cause in causes)
        return objects.Refusal(409, "Conflict", text, causes=causes)


def apply(
    live: objects.Object | None, wanted: objects.Object, manager: str, now: str, *, force: bool
) -> objects.Object:
    """Return the object after an apply; raises ``Conflicts``. The live object is not changed.

    An apply that changes nothing returns an object equal to the live one.
    """
    result: objects.Object = copy.deepcopy(live) if live else {"metadata": {}}
    managed = _read(result["metadata"].pop("managedFields", []))
    fields = dict(_leaves((), wanted))
    mine = set(fields)
    others = {name: paths for name, paths in managed.items() if name != manager}
    clashes = sorted(
        (path, name)
        for name, paths in others.items()
        for path in paths & mine
        if path[-1] != "." and _value(result, path) != fields[path]
    )
    if clashes and not force:
        raise Conflicts(clashes)
    for path, name in clashes:
        others[name].discard(path)
    held = set().union(*others.values()) if others else set()
    for path in sorted(managed.get(manager, set()) - mine - held, key=len, reverse=True):
        _remove(result, path)
    for path, value in fields.items():
        _set(result, path, value)
    for key in _IDENTITY:
        result[key] = wanted[key]
    for key in ("name", "namespace"):
        if key in wanted["metadata"]:
            result["metadata"][key] = wanted["metadata"][key]
    before = (live or {}).get("metadata", {}).get("managedFields", [])
    result["metadata"]["managedFields"] = _written(
        {**others, manager: mine}, before, manager, now, wanted["apiVersion"]
    )
    return result


def shown(path: Path) -> str:
    """Return a path as conflicts name it: ``.spec.template.spec.containers[name="web"].image``."""
    text = ""
    for step in path:
        sort, _, rest = step.partition(":")
        if sort == "f":
            text += f".{rest}"
        elif sort == "k":
            keys = msgspec.json.decode(rest)
            text += "[" + ",".join(f"{key}={msgspec.json.encode(value).decode()}" for key, value in keys.items()) + "]"
        elif sort == "v":
            text += f"[={rest}]"
    return text


def keys_of(path: Path, items: list[Any]) -> tuple[str, ...] | None:
    """Return the keys of a list's items, () for a set, None for a list that is one value."""
    name = path[-1].removeprefix("f:")
    if name in _SETS:
        return ()
    if name == "ports" and items and all(isinstance(item, dict) for item in items):
        return (
            ("containerPort", "protocol")
            if "containerPort" in items[0]
            else ("port", "protocol")
            if "port" in items[0]
            else None
        )
    if name == "ports":
        return None
    keys = _KEYS.get(name)
    if name == "secrets" and len(path) > 1:
        return None
    return keys if keys and all(isinstance(item, dict) and keys[0] in item for item in items) else None


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401  # JSON
    """Yield what an applied object owns: values that are not taken apart, and the items of keyed lists."""
    if isinstance(value, dict):
        below = [(key, inner) for key, inner in value.items() if not _unowned(path, key)]
        if path == ("f:metadata",) and not below:
            return
        if path and path[-1].removeprefix("f:") in _ATOMIC_MAPS:
            yield path, value
            return
        if path and not below:
            yield (*path, "."), value
            return
        for key, inner in below:
            yield from _leaves((*path, f"f:{key}"), inner)
    elif isinstance(value, list) and (keys := keys_of(path, value)) is not None and value:
        for item in value:
            if not keys:
                yield (*path, f"v:{msgspec.json.encode(item).decode()}"), item
                continue
            step = (*path, key_step(item, keys))
            yield (*step, "."), {key: item.get(key, _DEFAULTS.get(key)) for key in keys}
            yield from _leaves(step, item)
    else:
        yield path, value


def _unowned(path: Path, key: str) -> bool:
    return (not path and key in _IDENTITY) or (path == ("f:metadata",) and key in _META_IDENTITY)


def key_step(item: dict[str, Any], keys: tuple[str, ...]) -> str:
    """Return the step of an item: ``k:`` and its keys as JSON."""
    return "k:" + msgspec.json.encode({key: item.get(key, _DEFAULTS.get(key)) for key in keys}).decode()


def _matches(item: Any, step: str) -> bool:  # noqa: ANN401
    if step.startswith("v:"):
        return bool(item == msgspec.json.decode(step[2:]))
    wanted = msgspec.json.decode(step[2:])
    return isinstance(item, dict) and all(item.get(key, _DEFAULTS.get(key)) == value for key, value in wanted.items())


def _value(found: Any, path: Path) -> Any:  # noqa: ANN401
    for step in path:
        if step == ".":
            return found
        if step.startswith("f:"):
            if not isinstance(found, dict) or step[2:] not in found:
                return _Nothing
            found = found[step[2:]]
        else:
            items = found if isinstance(found, list) else []
            found = next((item for item in items if _matches(item, step)), _Nothing)
    return found


class _Nothing:
    """Stands for what is not there."""


def _set(found: Any, path: Path, value: Any) -> None:  # noqa: ANN401
    for index, step in enumerate(path):
        if step == ".":
            return
        last = index == len(path) - 1
        if step.startswith("f:"):
            if last:
                found[step[2:]] = copy.deepcopy(value)
                return
            follows = path[index + 1]
            if not isinstance(found.get(step[2:]), dict | list):
                found[step[2:]] = [] if follows[:2] in {"k:", "v:"} else {}
            found = found[step[2:]]
            continue
        item = next((item for item in found if _matches(item, step)), None)
        if item is None:
            item = msgspec.json.decode(step[2:])
            found.append(item)
        found = item


def _remove(found: Any, path: Path) -> None:  # noqa: ANN401
    """Take away what a path names, and what that leaves empty."""
    steps = [step for step in path if step != "."]
    trail = []
    for step in steps[:-1]:
        trail.append((found, step))
        found = _value(found, (step,))
        if found is _Nothing:
            return
    _drop(found, steps[-1], whole=path[-1] == ".")
    for parent, step in reversed(trail):
        if _value(parent, (step,)) in ({}, []):
            _drop(parent, step, whole=False)


def _drop(found: Any, step: str, *, whole: bool) -> None:  # noqa: ANN401
    if step.startswith("f:"):
        if isinstance(found, dict):
            found.pop(step[2:], None)
    elif isinstance(found, list) and (whole or step.startswith("v:")):
        found[:] = [item for item in found if not _matches(item, step)]


def _read(managed: list[dict[str, Any]]) -> dict[str, set[Path]]:
    return {entry["manager"]: set(_paths((), entry["fieldsV1"])) for entry in managed}


def _paths(path: Path, tree: dict[str, Any]) -> Iterator[Path]:
    if not tree and path:
        yield path
    for step, below in tree.items():
        if step == ".":
            yield (*path, ".")
        else:
            yield from _paths((*path, step), below)


def _tree(paths: set[Path]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        at = tree
        for step in path:
            at = at.setdefault(step, {})
    return tree


def _written(
    managed: dict[str, set[Path]], before: list[dict[str, Any]], manager: str, now: str, version: str
) -> list[dict[str, Any]]:
    """Return the managed fields; the time of an entry moves only when its fields do."""
    earlier = {entry["manager"]: entry for entry in before}
    made = []
    for name, paths in managed.items():
        if not paths:
            continue
        entry = {
            "manager": name,
            "operation": "Apply",
            "apiVersion": version,
            "time": now,
            "fieldsType": "FieldsV1",
            "fieldsV1": _tree(paths),
        }
        old = earlier.get(name)
        if old is not None and (old["fieldsV1"] == entry["fieldsV1"] or name != manager):
            entry["time"], entry["apiVersion"], entry["operation"] = old["time"], old["apiVersion"], old["operation"]
        made.append(entry)
    return made
