"""Where placeholders of secrets may stand in an object: in the contents of a Secret, in a form that fits there."""

from __future__ import annotations

from collections.abc import Iterator

from fleetctl.model import codes, placeholders, problems, values

__all__ = ["MARK", "Fault", "faults", "literals"]

MARK = placeholders.MARK.encode()
Fault = tuple[problems.Field, codes.Code, str]

_CONTENTS = ("data", "stringData")
_IDENTITY: frozenset[problems.Field] = frozenset(
    {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}
)


def faults(data: values.Vars) -> Iterator[Fault]:
    """Return what is wrong with the placeholders of an object."""
    for field, value in _texts(data, ()):
        if placeholders.MARK not in value:
            continue
        found = list(placeholders.found(value))
        if value.count(placeholders.MARK) != len(found):
            yield field, codes.Code.OBJECT_SECRET_ENCODING, "a secret's placeholder was cut or changed on the way here"
        elif _is_secret(data) and len(field) == 2 and field[0] in _CONTENTS:
            yield from _content_faults(field, value, found)
        elif any(one.form != "hash" for one in found):
            yield field, codes.Code.OBJECT_SECRET_OUTSIDE, _outside(data, found)
        elif field in _IDENTITY or isinstance(field[-1], _Key):
            message = "a secret's hash cannot name anything; put it into an annotation"
            yield field, codes.Code.OBJECT_SECRET_OUTSIDE, message


def literals(data: values.Vars) -> list[problems.Field]:
    """Return the contents of a Secret that no secret has a part in."""
    contents = [(field, data.get(field)) for field in _CONTENTS]
    return [
        (field, name)
        for field, content in contents
        if isinstance(content, dict)
        for name, value in content.items()
        if not isinstance(value, str) or not any(one.form != "hash" for one in placeholders.found(value))
    ]


class _Key(str):
    """The last step of the field of a key, which is text too."""

    __slots__ = ()


def _texts(value: values.Value, field: problems.Field) -> Iterator[tuple[problems.Field, str]]:
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield (*field, _Key(key)), key
            yield from _texts(inner, (*field, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*field, index))


def _content_faults(field: problems.Field, value: str, found: list[placeholders.Placeholder]) -> Iterator[Fault]:
    if isinstance(field[-1], _Key):
        yield field, codes.Code.OBJECT_SECRET_OUTSIDE, "a secret cannot be a key"
        return
    whole = len(found) == 1 and (found[0].start, found[0].end) == (0, len(value))
    if field[0] == "data" and not (whole and found[0].form == "base64"):
        message = "data holds base64: write the whole value with | b64enc, or put the text under stringData"
        yield field, codes.Code.OBJECT_SECRET_ENCODING, message
    elif any(one.form == "json" and not whole and not _in_quotes(value, one) for one in found):
        message = "a secret that k or quote escaped stands in other text without its quotes; write it there as it is"
        yield field, codes.Code.OBJECT_SECRET_ENCODING, message


def _in_quotes(value: str, one: placeholders.Placeholder) -> bool:
    return value[one.start - 1 : one.start] == '"' == value[one.end : one.end + 1]


def _outside(data: values.Vars, found: list[placeholders.Placeholder]) -> str:
    reference = next(one.reference for one in found if one.form != "hash")
    where = "here" if _is_secret(data) else f"in a {data['kind']}"
    return f"the secret {reference} would stand {where}; only data and stringData of a Secret may hold one"


def _is_secret(data: values.Vars) -> bool:
    return data["kind"] == "Secret" and data["apiVersion"] == "v1"
