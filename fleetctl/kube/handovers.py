"""A set that changes hands between fleetctl and kubectl: what is written into its parent, and in whose name.

kubectl takes a parent whose tooling is kubectl's, and writes it by server-side apply as ``kubectl-applyset`` (kubectl's
pkg/cmd/apply/applyset.go). So the notes that both tools share are given to that manager, or taken from it: fields
left in two hands would meet the next writing as a conflict. Either way ``release`` goes, for from then on nobody can
know what is there.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from fleetctl.kube import applysets

__all__ = ["KUBECTL", "KUBECTL_MANAGER", "by_kubectl", "given", "kept", "let_go", "taken"]

KUBECTL: Final = "kubectl"
KUBECTL_MANAGER: Final = "kubectl-applyset"
"""Field manager under which kubectl writes parents."""

_FIRST: Final = "kubectl/v1.27.0"
"""The first kubectl with ApplySets: which one will take the set is not known, and it writes its own version."""
_SHARED: Final = "applyset.kubernetes.io/"
_TOOLING: Final = f"{_SHARED}tooling"


def by_kubectl(parent: applysets.Parent) -> bool:
    """Tell whether kubectl manages a set."""
    return parent.tooling.rpartition("/")[0] == KUBECTL


def given(bundle: str, namespace: str, parent: applysets.Parent, kinds: frozenset[str]) -> bytes:
    """Return what makes a parent kubectl's, to be forced as ``KUBECTL_MANAGER``; ``kinds`` are those still served."""
    found = _parent(bundle, namespace, parent, applysets.Written(applysets.Scope(kinds, parent.namespaces)))
    found["metadata"]["annotations"][_TOOLING] = parent.tooling if by_kubectl(parent) else _FIRST
    return _encoded(found)


def kept(bundle: str, namespace: str, parent: applysets.Parent) -> bytes:
    """Return all that fleetctl still says in a parent that it gave away, to be applied as ``applysets.MANAGER``."""
    found = _parent(bundle, namespace, parent, _noted(parent, applysets.Scope(), parent.project, parent.site))
    meta = found["metadata"]
    meta["annotations"] = {key: value for key, value in meta["annotations"].items() if not key.startswith(_SHARED)}
    del meta["labels"]
    return _encoded(found)


def taken(bundle: str, namespace: str, parent: applysets.Parent, project: str, site: str) -> bytes:
    """Return what makes a parent ours, to be forced as ``applysets.MANAGER``."""
    scope = applysets.Scope(parent.kinds, parent.namespaces)
    return applysets.body(bundle, namespace, parent, _noted(parent, scope, project, site))


def let_go(bundle: str, namespace: str, parent: applysets.Parent) -> bytes:
    """Return what says nothing at all: applied as ``KUBECTL_MANAGER``, it gives up whatever kubectl had written."""
    found = _parent(bundle, namespace, parent, applysets.Written(applysets.Scope()))
    del found["metadata"]["annotations"], found["metadata"]["labels"]
    return _encoded(found)


def _noted(parent: applysets.Parent, scope: applysets.Scope, project: str, site: str) -> applysets.Written:
    """Return notes without ``release``; the last one that was whole is where an undo can still go."""
    return applysets.Written(scope, previous=parent.release or parent.previous, project=project, site=site)


def _parent(bundle: str, namespace: str, parent: applysets.Parent, written: applysets.Written) -> dict[str, Any]:
    return msgspec.json.decode(applysets.body(bundle, namespace, parent, written), type=dict[str, Any])


def _encoded(found: dict[str, Any]) -> bytes:
    return msgspec.json.encode(found, order="deterministic")
