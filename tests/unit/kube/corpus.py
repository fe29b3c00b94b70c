"""Objects that kstatus and fleetctl both judge; ``python -m`` prints them for tests/kstatus/record, one a line."""

from __future__ import annotations

import itertools
import json
import pathlib
from collections.abc import Iterator

from tests.unit.kube import scenarios

__all__ = ["corpus"]

_GENERATION = 2
_TOLD = [
    *itertools.product(["Ready", "Available", "Reconciling", "Stalled"], ["True", "False", "Unknown"]),
    ("Programmed", "False"),
]


def corpus() -> Iterator[tuple[str, scenarios.Json]]:
    """Give each object with a name."""
    for file in sorted(pathlib.Path(__file__).with_name("recorded").iterdir()):
        yield file.stem, json.loads(file.read_text(encoding="utf-8"))["object"]
    for kind, version in (("Certificate", "cert-manager.io/v1"), ("ServiceCIDR", "networking.k8s.io/v1")):
        yield from _conditions(kind, version)
    yield from _definitions()
    for kind, phase in itertools.product(
        ("Namespace", "PersistentVolume", "PersistentVolumeClaim", "Pod"),
        ("", "Active", "Available", "Bound", "Failed", "Lost", "Pending", "Running", "Succeeded", "Terminating"),
    ):
        yield _named(kind, "v1", f"phase {phase}", {"phase": phase})


def _conditions(kind: str, version: str) -> Iterator[tuple[str, scenarios.Json]]:
    """Give objects with every pair of conditions, in both orders, seen by their controller or not."""
    for one, other in itertools.permutations(_TOLD, 2):
        if one[0] != other[0]:
            told = [_condition(*one), _condition(*other)]
            yield _named(kind, version, f"{one} {other}", {"observedGeneration": _GENERATION, "conditions": told})
    for one, seen in itertools.product(_TOLD, (None, _GENERATION - 1, _GENERATION, _GENERATION + 1)):
        said = {} if seen is None else {"observedGeneration": seen}
        yield _named(kind, version, f"{one} seen {seen}", {**said, "conditions": [_condition(*one)]})
    yield _named(kind, version, "no conditions", {"observedGeneration": _GENERATION})
    name, found = _named(kind, version, "being deleted", {})
    found["metadata"] |= {"deletionTimestamp": "2026-11-27T10:00:00Z"}
    yield name, found


def _definitions() -> Iterator[tuple[str, scenarios.Json]]:
    accepted = [None, ("NamesAccepted", "True", "NoConflicts"), ("NamesAccepted", "False", "ListKindConflict")]
    established = [
        None,
        ("Established", "True", "InitialNamesAccepted"),
        ("Established", "False", "Installing"),
        ("Established", "False", "NotAccepted"),
        ("Established", "Unknown", "Odd"),
    ]
    for one, other in itertools.product(accepted, established):
        told = [_condition(*said) for said in (one, other) if said]
        version = "apiextensions.k8s.io/v1"
        yield _named("CustomResourceDefinition", version, f"{one} {other}", {"conditions": told})


def _condition(kind: str, status: str, reason: str = "Because") -> scenarios.Json:
    return {"type": kind, "status": status, "reason": reason, "message": "told"}


def _named(kind: str, version: str, name: str, status: scenarios.Json) -> tuple[str, scenarios.Json]:
    meta = {"name": "x", "generation": _GENERATION}
    return f"{kind} {name}", {"apiVersion": version, "kind": kind, "metadata": meta, "status": status}


if __name__ == "__main__":
    for _, one in corpus():
        print(json.dumps(one))  # noqa: T201  # for another program
