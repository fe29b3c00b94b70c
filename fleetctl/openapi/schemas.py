"""From OpenAPI schemas to JSON Schema that refuses what an API server refuses with ``fieldValidation=Strict``.

What Kubernetes publishes describes types; the server decodes into Go types and refuses fields it does not know
(KEP-2885). Where the two differ, this follows the server: a check that is too lenient finds less, one that is too
strict is a lie. tests/integration/test_checking.py compares both.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["BASE64", "QUANTITY", "TIME", "Schema", "custom", "own"]

Schema = dict[str, Any]
"""A schema, of OpenAPI or of JSON Schema."""

QUANTITY: Final = r"^\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?\s*$"
"""What ``resource.ParseQuantity`` reads (apimachinery, pkg/api/resource/quantity.go)."""
TIME: Final = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01]?[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"
)
"""RFC 3339 as Go's ``time.Parse`` reads it."""
_SIGN: Final = r"[A-Za-z0-9+/][\r\n]*"
BASE64: Final = (
    rf"^[\r\n]*({_SIGN}{_SIGN}{_SIGN}{_SIGN})*({_SIGN}{_SIGN}=[\r\n]*=[\r\n]*|{_SIGN}{_SIGN}{_SIGN}=[\r\n]*)?$"
    r"|^\(\(fleetctl/base64/[^()]+\)\)$"
)
"""Base64 as Go's ``base64.StdEncoding`` reads it, which skips line breaks; or a secret's placeholder."""

_FORMATS: Final[dict[str, Schema]] = {
    "byte": {"pattern": BASE64},
    "date-time": {"pattern": TIME},
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
}
_SCHEMAS: Final = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
_TYPES: Final[dict[str, Schema]] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"], "pattern": QUANTITY},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["integer", "string"], **_FORMATS["int32"]},
    f"{_SCHEMAS}OrArray": {"$ref": f"#/$defs/{_SCHEMAS}"},
    f"{_SCHEMAS}OrBool": {
        "type": ["object", "boolean"],
        "if": {"type": "object"},
        "then": {"$ref": f"#/$defs/{_SCHEMAS}"},
    },
}
_NOT_ENFORCED: Final = frozenset(
    {
        ("apiextensions.CustomResourceDefinitionVersion", "served"),
        ("apps.ControllerRevision", "revision"),
        ("batch.PodFailurePolicy", "rules"),
        ("batch.PodFailurePolicyOnPodConditionsPattern", "status"),
        ("core.EndpointPort", "port"),
        ("core.ISCSIPersistentVolumeSource", "lun"),
        ("core.ISCSIVolumeSource", "lun"),
        ("core.LimitRangeSpec", "limits"),
        ("core.PreferredSchedulingTerm", "preference"),
        ("discovery.EndpointSlice", "endpoints"),
        ("discovery.ForNode", "name"),
        ("discovery.ForZone", "name"),
        ("rbac.RoleRef", "apiGroup"),
        ("resource.CapacityRequestPolicyRange", "min"),
        ("resource.Counter", "value"),
        ("resource.DeviceCapacity", "value"),
        ("resource.DeviceClass", "spec"),
        ("resource.ResourceClaim", "spec"),
        ("resource.ResourceClaimTemplate", "spec"),
        ("resource.ResourceClaimTemplateSpec", "spec"),
        ("scheduling.PriorityClass", "value"),
        ("storage.CSIDriver", "spec"),
        ("storage.CSINodeSpec", "drivers"),
        ("storage.TokenRequest", "audience"),
    }
)
"""Fields called required whose absence a server takes for zero, empty or a default, by group and definition.

Seen on Kubernetes 1.34 and 1.36, or likely by the field's type. Later definitions call fewer of them required.
"""
_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_IDENTITY: Final[Schema] = {
    "apiVersion": {"type": "string", "minLength": 1},
    "kind": {"type": "string", "pattern": "^[A-Za-z]([-A-Za-z0-9]*[A-Za-z0-9])?$"},
    "metadata": {"$ref": f"#/$defs/{_META}"},
}
"""What every object has, one inside a custom resource too."""
_VALUES: Final = ("maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties", "multipleOf")


def own(name: str, schema: Schema) -> Schema:
    """Return the strict schema of a definition of Kubernetes' own."""
    return _TYPES.get(name) or _own(schema, name)


def _own(schema: Schema, name: str = "") -> Schema:
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    strict: Schema = {key: schema[key] for key in ("type",) if key in schema}
    strict.update(_FORMATS.get(schema.get("format", ""), {}))
    if "enum" in schema:
        # An empty text is what a field is that was not set: the server puts the default in its place.
        strict["enum"] = sorted({*schema["enum"], ""})
    if "properties" in schema:
        strict["properties"] = {key: _own(inner) for key, inner in schema["properties"].items()}
        strict["additionalProperties"] = False
    if "additionalProperties" in schema:
        strict["additionalProperties"] = _own(schema["additionalProperties"])
    if "items" in schema:
        strict["items"] = _own(schema["items"])
    group, _, short = name.rpartition(".")
    known = f"{group.split('.')[-2]}.{short}" if name else ""
    required = [key for key in schema.get("required", ()) if (known, key) not in _NOT_ENFORCED]
    if required:
        strict["required"] = required
    return strict


def custom(schema: Schema, *, whole: bool = False) -> Schema:
    """Return the strict schema of a structural schema of a custom resource (``whole``), or of a part of it.

    Not checked are CEL rules and formats. Defaults are set before the server validates, so what has one is not missing.
    """
    strict = _values(schema)
    properties = {key: custom(inner) for key, inner in schema.get("properties", {}).items()}
    required = list(schema.get("required", ()))
    if whole or schema.get("x-kubernetes-embedded-resource"):
        properties |= _IDENTITY
        required += ["apiVersion", "kind"]
    strict["properties"] = properties  # empty or not: without it, an error names no field
    if isinstance(schema.get("additionalProperties"), dict):
        strict["additionalProperties"] = custom(schema["additionalProperties"])
    elif schema.get("type") == "object" and not _open(schema):
        strict["additionalProperties"] = False
    if isinstance(schema.get("items"), dict):
        strict["items"] = custom(schema["items"])
    defaults = {key for key, inner in schema.get("properties", {}).items() if "default" in inner}
    strict["required"] = [key for key in dict.fromkeys(required) if key not in defaults]
    return strict


def _open(schema: Schema) -> bool:
    return bool(schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("additionalProperties"))


def _values(schema: Schema) -> Schema:
    """Return what a schema asks of a value itself, in the words of JSON Schema 2020-12; OpenAPI 3.0 differs in some."""
    strict: Schema = {key: schema[key] for key in (*_VALUES, "enum", "pattern", "type") if key in schema}
    if schema.get("x-kubernetes-int-or-string"):
        strict["type"] = ["integer", "string"]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if bound in schema:
            strict[exclusive if schema.get(exclusive) is True else bound] = schema[bound]
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema and not schema.get("x-kubernetes-int-or-string"):
            strict[key] = [_junctor(inner) for inner in schema[key]]
    if "not" in schema:
        strict["not"] = _junctor(schema["not"])
    return strict


def _junctor(schema: Schema) -> Schema:
    """Return one side of ``allOf`` and its like, which says what values are and adds no fields."""
    strict = _values(schema)
    if "properties" in schema:
        strict["properties"] = {key: _junctor(inner) for key, inner in schema["properties"].items()}
    if isinstance(schema.get("items"), dict):
        strict["items"] = _junctor(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        strict["additionalProperties"] = _junctor(schema["additionalProperties"])
    if "required" in schema:
        strict["required"] = schema["required"]
    return strict
