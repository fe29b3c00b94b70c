"""What schemas say against objects: Kubernetes' own kinds as an API server takes them, and custom resources."""

from typing import Any

import pytest

from fleetctl.model import codes, problems
from fleetctl.openapi import minors, validators

BAD, MISSING = codes.Code.OBJECT_BAD_VALUE, codes.Code.OBJECT_MISSING_FIELD
UNKNOWN, WRONG = codes.Code.OBJECT_UNKNOWN_FIELD, codes.Code.OBJECT_WRONG_TYPE


def _said(api_version: str, kind: str, minor: str = "1.36", **body: object) -> list[tuple[str, codes.Code, str]]:
    found = minors.get(minor)
    data = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, **body}
    complaints = validators.of_kind(found, found.kinds[api_version, kind]).complaints(data)
    return [(problems.field_text(one.field), one.code, one.message) for one in complaints]


def _pod(minor: str = "1.36", **container: object) -> list[tuple[str, codes.Code, str]]:
    return _said("v1", "Pod", minor, spec={"containers": [{"name": "a", "image": "a", **container}]})


@pytest.mark.parametrize(
    "quantity", ["1", "0.5", "128Mi", "1e3", "1E", "2E+2", "-1", ".5", "5.", "100m", 7, 7.5, " 1 "]
)
def test_quantities(quantity: object) -> None:
    """A quantity is what Kubernetes' own parser reads, as text or as a number."""
    assert _pod(resources={"limits": {"memory": quantity}}) == []


@pytest.mark.parametrize("quantity", ["128MiB", "1 Mi", "", "m", "1,5", "0x1", "1e", "Mi"])
def test_no_quantities(quantity: str) -> None:
    """What that parser refuses is a bad value."""
    ((field, code, message),) = _pod(resources={"limits": {"memory": quantity}})
    assert (field, code) == ("spec.containers[0].resources.limits.memory", BAD)
    assert message.startswith('expected a quantity such as "500m" or "128Mi", got the text ')


def test_a_boolean_is_no_quantity() -> None:
    """Another type than text and number is a wrong type."""
    ((_, code, message),) = _pod(resources={"limits": {"cpu": True}})
    assert (code, message) == (WRONG, 'expected a quantity such as "500m" or "128Mi", got the boolean true')


@pytest.mark.parametrize("port", [80, "http", 80.0])
def test_int_or_string(port: object) -> None:
    """A field of both types takes either, and a whole number with a point."""
    assert _pod(livenessProbe={"httpGet": {"port": port}}) == []


@pytest.mark.parametrize(("port", "code"), [(True, WRONG), (1.5, WRONG), ([80], WRONG), (2**31, BAD)])
def test_not_int_or_string(port: object, code: codes.Code) -> None:
    """Nothing else, and no number beyond 32 bits."""
    assert [said[1] for said in _pod(livenessProbe={"httpGet": {"port": port}})] == [code]


def test_unknown_fields_at_any_depth() -> None:
    """Every unknown field is named, with the one that was meant."""
    assert _pod(imag="a", env=[{"name": "A", "valeu": "b"}]) == [
        ("spec.containers[0].env[0].valeu", UNKNOWN, 'unknown field; did you mean "value"?'),
        ("spec.containers[0].imag", UNKNOWN, 'unknown field; did you mean "image"?'),
    ]


def test_an_unknown_field_that_another_minor_has() -> None:
    """When another minor knows the field, that is what is said."""
    said = _said("v1", "Pod", "1.34", spec={"containers": [{"name": "a"}], "schedulingGroup": {}})
    assert said == [
        ("spec.schedulingGroup", UNKNOWN, "unknown field in Kubernetes 1.34; 1.36, 1.37 have it"),
    ]


def test_few_known_fields_are_listed() -> None:
    """Where nothing is near and there is little to choose from, all of it is shown."""
    said = _said("v1", "ConfigMap", zzz=1)
    known = "apiVersion, binaryData, data, immutable, kind, metadata"
    assert said == [("zzz", UNKNOWN, f"unknown field; known here: {known}")]


def test_missing_fields() -> None:
    """What is required is named where it should stand."""
    assert _said("v1", "Service", spec={"ports": [{}]}) == [
        ("spec.ports[0].port", MISSING, "this field is required"),
    ]


def test_what_a_server_does_not_enforce_is_not_required() -> None:
    """Some fields are called required and are taken for zero when they are not there."""
    assert _said("v1", "LimitRange", spec={}) == []


@pytest.mark.parametrize("minor", minors.shipped())
def test_what_only_older_definitions_require_is_not_required(minor: str) -> None:
    """Servers of all minors fill these in; a later minor's definitions say so."""
    role = {"kind": "ClusterRole", "name": "view"}
    assert _said("rbac.authorization.k8s.io/v1", "RoleBinding", minor, roleRef=role) == []
    assert _said("scheduling.k8s.io/v1", "PriorityClass", minor) == []
    assert _said("discovery.k8s.io/v1", "EndpointSlice", minor, addressType="IPv4") == []
    rule = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}}
    spec = {"template": template, "podFailurePolicy": {"rules": [rule]}}
    assert _said("batch/v1", "Job", minor, spec=spec) == []


@pytest.mark.parametrize("policy", ["Always", ""])
def test_words(policy: str) -> None:
    """One of the words, or the empty text, which is a field that was not set."""
    assert _pod(imagePullPolicy=policy) == []


def test_other_words() -> None:
    """Another word is refused with those that are known and the nearest."""
    ((_, code, message),) = _pod(imagePullPolicy="always")
    known = '"Always", "IfNotPresent", "Never"'
    assert code == BAD
    assert message == f'expected one of {known}, got the text "always"; did you mean "Always"?'


@pytest.mark.parametrize(
    ("value", "fix"), [(8080, '; write "8080"'), (True, '; write "true"'), (1.5, '; write "1.5"'), ({}, "")]
)
def test_text_is_text(value: object, fix: str) -> None:
    """A scalar where text belongs comes with the way to write it."""
    ((_, code, message),) = _pod(env=[{"name": "A", "value": value}])
    assert code == WRONG
    assert message.startswith("expected text, got ")
    assert message.endswith(fix)


@pytest.mark.parametrize(("value", "fix"), [("true", "; write true, without quotes"), ("yes", ""), (1, "")])
def test_booleans(value: object, fix: str) -> None:
    """Text and numbers are no booleans."""
    ((_, code, message),) = _pod(tty=value)
    assert (code, message.partition(";")[1] + message.partition(";")[2]) == (WRONG, fix)


@pytest.mark.parametrize(
    ("time", "fits"),
    [
        ("2026-01-31T12:00:00Z", True),
        ("2026-01-31T12:00:00.123456+01:00", True),
        ("2026-01-31", False),
        ("2026-13-31T12:00:00Z", False),
        ("2026-01-31T25:00:00Z", False),
        ("", False),
    ],
)
def test_times(time: str, fits: bool) -> None:  # noqa: FBT001  # a case's data
    """Times are RFC 3339."""
    assert (_said("coordination.k8s.io/v1", "Lease", spec={"renewTime": time}) == []) is fits


@pytest.mark.parametrize(
    ("text", "fits"), [("aGVsbG8=", True), ("aGVs\nbG8=", True), ("", True), ("hello", False), ("aGVsbG8", False)]
)
def test_base64(text: str, fits: bool) -> None:  # noqa: FBT001  # a case's data
    """Bytes are base64 with its padding; line breaks may stand in it."""
    assert (_said("v1", "ConfigMap", binaryData={"a": text}) == []) is fits


def test_the_value_is_apart_from_the_sentence() -> None:
    """What quotes the value can be left out, as it must be for Secrets."""
    minor = minors.get("1.36")
    data = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"a": "hunter2"}}
    (one,) = validators.of_kind(minor, minor.kinds["v1", "Secret"]).complaints(data)
    assert (one.bare, one.got) == ("expected base64", ', got the text "hunter2"')


def test_schemas_inside_a_definition() -> None:
    """The schemas in a CustomResourceDefinition are held against the schema of schemas, at every depth."""
    inner = {"type": "object", "properties": {"a": {"type": "array", "items": {"typ": "string"}}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": inner}}
    spec = {"group": "b.c", "scope": "Cluster", "names": {"kind": "A", "plural": "as"}, "versions": [version]}
    said = _said("apiextensions.k8s.io/v1", "CustomResourceDefinition", spec=spec)
    field = "spec.versions[0].schema.openAPIV3Schema.properties.a.items.typ"
    assert said == [(field, UNKNOWN, 'unknown field; did you mean "type"?')]


def _custom(spec: dict[str, Any], value: object) -> list[str]:
    schema = {"type": "object", "properties": {"spec": spec}}
    validator = validators.of_custom(minors.get("1.36"), schema)
    assert validator is not None
    data = {"apiVersion": "b.c/v1", "kind": "A", "metadata": {"name": "a"}, "spec": value}
    return [f"{problems.field_text(one.field)}: {one.message}" for one in validator.complaints(data)]


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("spec", "value", "said"),
    [
        ({"type": "object", "properties": {"a": TEXT}}, {"a": "x"}, []),
        ({"type": "object", "properties": {"a": TEXT}}, {"b": 1}, ["spec.b: unknown field; known here: a"]),
        ({"type": "object"}, {"b": 1}, ["spec.b: unknown field; known here: none"]),
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"b": 1}, []),
        ({"x-kubernetes-preserve-unknown-fields": True}, {"b": 1}, []),
        ({"x-kubernetes-preserve-unknown-fields": True}, "text", []),
        (
            {"type": "object", "additionalProperties": TEXT},
            {"b": 1},
            ['spec.b: expected text, got the number 1; write "1"'],
        ),
        ({"type": "object", "additionalProperties": True}, {"b": 1}, []),
        ({"x-kubernetes-int-or-string": True}, 1, []),
        ({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, TEXT]}, "1", []),
        ({"x-kubernetes-int-or-string": True}, True, ["spec: expected a whole number or text, got the boolean true"]),
        ({"type": "object", "required": ["a"], "properties": {"a": TEXT}}, {}, ["spec.a: this field is required"]),
        ({"type": "object", "required": ["a"], "properties": {"a": {**TEXT, "default": ""}}}, {}, []),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, 2, []),
        ({"type": "integer", "maximum": 1}, 2, ["spec: expected at most 1, got the number 2"]),
        ({**TEXT, "pattern": "^a+$"}, "b", ['spec: expected text like ^a+$, got the text "b"']),
        ({**TEXT, "enum": ["a"]}, "", ['spec: expected "a", got the text ""']),
        ({**TEXT, "format": "ipv4"}, "no address", []),
        ({"type": "array", "items": TEXT, "maxItems": 1}, ["a", "b"], ["spec: breaks the rule maxItems: "]),
        (
            {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
            {"apiVersion": 1, "kind": "B"},
            ['spec.apiVersion: expected text, got the number 1; write "1"'],
        ),
        (
            {
                "type": "object",
                "properties": {"a": TEXT, "b": TEXT},
                "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
            },
            {"a": "x", "b": "x"},
            ["spec: breaks the rule oneOf: "],
        ),
    ],
)
def test_custom_resources(spec: dict[str, Any], value: object, said: list[str]) -> None:
    """A structural schema closes what it lists, leaves open what it says, and rules values as the server does."""
    found = _custom(spec, value)
    assert len(found) == len(said)
    assert all(one.startswith(start) for one, start in zip(found, said, strict=True)), found


def test_metadata_of_a_custom_resource() -> None:
    """Metadata is checked as that of any object."""
    validator = validators.of_custom(minors.get("1.36"), {"type": "object"})
    assert validator is not None
    data = {"apiVersion": "b.c/v1", "kind": "A", "metadata": {"name": "a", "lables": {}}}
    assert [one.message for one in validator.complaints(data)] == ['unknown field; did you mean "labels"?']


def test_a_pattern_that_only_go_reads_is_left_out() -> None:
    r"""Go's ``\z`` is none of ours: the rest of the schema still counts."""
    spec = {"type": "object", "properties": {"a": {"type": "string", "pattern": r"(?P<x>\pN)\Q.\E("}}}
    assert _custom(spec, {"a": 1}) == ['spec.a: expected text, got the number 1; write "1"']


def test_no_schema_at_all() -> None:
    """What cannot be compiled without its patterns either is not a schema."""
    assert validators.of_custom(minors.get("1.36"), {"type": "nonsense"}) is None
