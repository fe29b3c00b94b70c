"""Kubeconfigs: each context is a site that is reached by it. Credentials in the file are neither used nor kept."""

from __future__ import annotations

import fnmatch
import os
import pathlib
from collections.abc import Mapping
from typing import Any, Final

from fleetctl.inventory.sources import mapping, records, tables
from fleetctl.model import codes, problems
from fleetctl.reading import scalars, yaml12
from fleetctl.schema import sources

__all__ = ["gather"]

_MAP: Final[dict[str, str | dict[str, Any]]] = {
    "name": "context",
    "cluster.endpoint": "server",
    "access.kube.kubeconfig": "kubeconfig",
}


def gather(
    source: sources.Kubeconfig,
    own: Mapping[str, sources.Taken],
    folder: pathlib.Path,
    shown: str,
    *,
    named: str,
) -> records.Gathered:
    """Return a site for each context that is wanted; raises ``Failed``.

    ``named`` is how the inventory names the file in ``access.kube.kubeconfig``.
    """
    if os.pathsep in named or "#" in named:
        message = f"access.kube.kubeconfig cannot name {named}: a {os.pathsep} or # in it would divide it"
        raise _bad(message, problems.Mark(shown))
    path = folder / pathlib.Path(source.file).expanduser()
    found = _contexts(tables.read(path, shown), shown, named)
    unused = [one for one in source.contexts if not any(fnmatch.fnmatchcase(name, one) for name in found)]
    if unused:
        near = scalars.did_you_mean(unused[0], found) or f"; there is: {', '.join(sorted(found)) or 'none'}"
        message = f'no context matches "{unused[0]}"{near}'
        raise records.one(codes.Code.SOURCE_BAD_FILE, message, problems.Mark(shown))
    wanted = [name for name in sorted(found) if any(fnmatch.fnmatchcase(name, one) for one in source.contexts)]
    return mapping.sites([found[name] for name in wanted], mapping.rules(_MAP, own))


def _contexts(text: bytes, shown: str, named: str) -> dict[str, records.Record]:
    """Read the contexts and their servers; the message never quotes the file, which holds secrets."""
    documents, faults = yaml12.read(text, shown)
    if faults or len(documents) != 1 or not isinstance(documents[0].data, dict):
        mark = faults[0].mark if faults else None
        raise _bad("is no kubeconfig: it is not one YAML map", mark or problems.Mark(shown))
    document = documents[0]
    clusters = {one["name"]: one for one in _named(document, "clusters")}
    made: dict[str, records.Record] = {}
    for index, one in enumerate(_named(document, "contexts")):
        mark = document.mark(("contexts", index))
        context = _map(one.get("context"))
        name, cluster = one["name"], context.get("cluster")
        if name in made:
            raise _bad(f'two contexts have the name "{name}"', mark)
        data = {
            "context": name,
            "cluster": cluster,
            "user": context.get("user"),
            "namespace": context.get("namespace"),
            "server": _map(_map(clusters.get(cluster)).get("cluster")).get("server"),
            "kubeconfig": f"{named}#{name}",
        }
        made[name] = records.Record(mark, data, ())
    return made


def _named(document: yaml12.Document, key: str) -> list[dict[str, Any]]:
    """Return the named entries below a key; raises ``Failed`` for anything else."""
    listed = _map(document.data).get(key)
    entries = listed if isinstance(listed, list) else []
    if (listed is not None and not isinstance(listed, list)) or not all(
        isinstance(one, dict) and isinstance(one.get("name"), str) for one in entries
    ):
        raise _bad(f"is no kubeconfig: {key} is not a list of named entries", document.mark((key,)))
    return entries


def _map(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _bad(message: str, mark: problems.Mark) -> records.Failed:
    return records.one(codes.Code.SOURCE_BAD_FILE, message, mark)
