"""Kinds that a CustomResourceDefinition adds: from the definition itself, or from what a cluster says it serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from fleetctl.model import objects
from fleetctl.openapi import schemas

__all__ = ["Custom", "is_definition", "of_definition", "of_document"]

_Schema = schemas.Schema
_VERBS: Final = ("get", "patch", "post", "put")


class Custom(msgspec.Struct, frozen=True):
    """A kind of custom resources; ``schemas`` are by API version, empty where nothing is said about the fields."""

    group: str
    kind: str
    namespaced: bool
    schemas: dict[str, _Schema]


class _Validation(msgspec.Struct, rename="camel"):
    open_api_v3_schema: _Schema = msgspec.field(default={}, name="openAPIV3Schema")


class _Version(msgspec.Struct, rename="camel"):
    name: str
    served: bool = True
    schema: _Validation = msgspec.field(default_factory=_Validation)


class _Names(msgspec.Struct):
    kind: str


class _Spec(msgspec.Struct):
    group: str
    names: _Names
    scope: str
    versions: list[_Version]


class _Definition(msgspec.Struct):
    spec: _Spec


def of_definition(body: bytes) -> Custom | None:
    """Return what a CustomResourceDefinition, as JSON, defines; None when it is not a sound one."""
    try:
        spec = msgspec.json.decode(body, type=_Definition).spec
    except msgspec.DecodeError:
        return None
    served = {f"{spec.group}/{one.name}": one.schema.open_api_v3_schema for one in spec.versions if one.served}
    return Custom(spec.group, spec.names.kind, spec.scope == "Namespaced", served)


def of_document(document: Mapping[str, Any]) -> Iterator[Custom]:
    """Yield the kinds of one document of a cluster's ``/openapi/v3``, such as that of ``apis/cert-manager.io/v1``."""
    schemas = {
        (said.get("group"), said.get("version"), said.get("kind")): schema
        for schema in document.get("components", {}).get("schemas", {}).values()
        for said in schema.get("x-kubernetes-group-version-kind", ())
    }
    found: dict[tuple[str, str, str], bool] = {}
    for path, verbs in document.get("paths", {}).items():
        for said in (verbs.get(verb, {}).get("x-kubernetes-group-version-kind") for verb in _VERBS):
            if said is not None and path.endswith("/{name}"):
                found[said["group"], said["version"], said["kind"]] = "/namespaces/{namespace}/" in path
    for (group, version, kind), namespaced in sorted(found.items()):
        api_version = f"{group}/{version}" if group else version
        yield Custom(group, kind, namespaced, {api_version: schemas.get((group, version, kind), {})})


def is_definition(identity: objects.ObjectId) -> bool:
    """Tell whether an object defines a kind."""
    return (identity.group, identity.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition")
