"""What a simulated API server refuses before it looks at what is there, and the versions that requests are made for."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from fleetctl.sim import kinds, objects, schemas, shapes, validating

__all__ = ["addressed", "decoded", "manager", "meant", "shaped", "unmoved"]

_MOST_MANAGER: Final = 128
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def decoded(body: bytes) -> objects.Object:
    """Return an object from a request's body, with metadata that is a map."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if body.lstrip()[:1] not in {b"{", b"["}:
            text = "a simulated cluster does not do YAML that is not JSON"
            raise objects.Refusal(501, "NotImplemented", text) from None
        raise _bad(f"error decoding YAML: error converting YAML to JSON: {error}") from None
    if not isinstance(found, dict):
        raise _bad("error decoding YAML: error unmarshaling JSON: cannot unmarshal into a map")
    if not isinstance(found.get("metadata") or {}, dict):
        raise _bad("metadata is not a map")
    found["metadata"] = found.get("metadata") or {}
    return found


def manager(query: dict[str, str]) -> str:
    """Return the field manager of an apply, after a look at the other options."""
    name = query.get("fieldManager", "")
    faults = []
    if not name:
        faults.append(("fieldManager", "FieldValueRequired", "Required value: is required for apply patch"))
    if len(name.encode()) > _MOST_MANAGER:
        why = f"Too long: may not be more than {_MOST_MANAGER} bytes"
        faults.append(("fieldManager", "FieldValueTooLong", why))
    for field, known in (("dryRun", ("All",)), ("fieldValidation", ("Ignore", "Strict", "Warn"))):
        if query.get(field, known[0]) not in known:
            words = ", ".join(f'"{one}"' for one in known)
            why = f'Unsupported value: "{query[field]}": supported values: {words}'
            faults.append((field, "FieldValueNotSupported", why))
    if faults:
        options = kinds.Resource("meta.k8s.io", "v1", "PatchOptions", "patchoptions")
        raise validating.invalid(options, "", [validating.Fault(*fault) for fault in faults])
    return name


def addressed(resource: kinds.Resource, namespace: str, name: str, wanted: objects.Object) -> None:
    """Hold an object against the path that it was sent to."""
    version, kind, meta = wanted.get("apiVersion", ""), wanted.get("kind", ""), wanted["metadata"]
    if (version, kind) != (resource.api_version, resource.kind):
        raise _bad(f"invalid object type: {version if '/' in str(version) else f'/{version}'}, Kind={kind}")
    if not meta.get("name"):
        raise _bad("the name of the object (one based on URL) was undeterminable: name must be provided")
    if meta["name"] != name:
        raise _bad(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
    if (meta.get("namespace") or namespace) != namespace:
        raise _bad("the namespace of the provided object does not match the namespace sent on the request")
    if meta.get("managedFields"):
        raise _bad("metadata.managedFields must be nil")


def shaped(resource: kinds.Resource, wanted: objects.Object) -> None:
    """Refuse as a real server does what cannot be typed, whatever fieldValidation says: with a 500 without a reason."""
    meta = wanted["metadata"]
    version = resource.api_version if resource.group else f"/{resource.version}"
    about = f"({meta.get('namespace') or ''}/{meta.get('name')}; {version}, Kind={resource.kind})"
    fault = next(shapes.faults(schemas.of(resource), wanted), None)
    if fault is not None:
        raise objects.Refusal(500, "", f"failed to create typed patch object {about}: {fault}")
    if resource.kind == "Secret" and not all(map(_is_base64, (wanted.get("data") or {}).values())):
        text = f"failed to convert new object {about} to proper version: error decoding from json: illegal base64 data"
        raise objects.Refusal(500, "", text)


def _is_base64(value: str | None) -> bool:
    return value is None or bool(_BASE64.fullmatch(value.replace("\n", "")))


def unmoved(resource: kinds.Resource, name: str, live: objects.Object | None, meta: dict[str, Any]) -> None:
    """Hold a change against the version and the UID that it was made for. Without a UID it may create anew."""
    uid, version = meta.get("uid") or "", meta.get("resourceVersion") or ""
    if live is None:
        if uid:
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise _moved(resource, name, why)
        return
    if version not in {"", live["metadata"]["resourceVersion"]}:
        why = "the object has been modified; please apply your changes to the latest version and try again"
        raise _moved(resource, name, why)
    if uid not in {"", live["metadata"]["uid"]}:
        message = f'Invalid value: "{uid}": field is immutable'
        raise validating.invalid(resource, name, [validating.Fault("metadata.uid", "FieldValueInvalid", message)])


def _moved(resource: kinds.Resource, name: str, why: str) -> objects.Refusal:
    text = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return objects.Refusal(409, "Conflict", text, kind=resource.plural, group=resource.group, name=name)


def _bad(message: str) -> objects.Refusal:
    return objects.Refusal(400, "BadRequest", message)


def meant(resource: kinds.Resource, found: objects.Object, wanted: dict[str, str]) -> None:
    """Hold a delete against what it was meant for; raises ``Refusal``."""
    for key, named in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        there = found["metadata"][key]
        if wanted.get(key) and wanted[key] != there:
            text = (
                f'Operation cannot be fulfilled on {resource.kind} "{found["metadata"]["name"]}": the {named} in the'
                f" precondition ({wanted[key]}) does not match the {named} in record ({there})."
            )
            name = found["metadata"]["name"]
            raise objects.Refusal(409, "Conflict", text, kind=resource.kind, group=resource.group, name=name)
