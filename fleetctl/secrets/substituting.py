"""Values put where placeholders stand: the last step before objects are sent, kept in memory only. Pure."""

from __future__ import annotations

import base64
import json

import msgspec

from fleetctl.model import codes, errors, objects, placeholders, problems, releases, secretrefs, values
from fleetctl.secrets import projectkeys, resolving

__all__ = ["digest", "fingerprints", "substituted"]

_CONTENTS = ("data", "stringData")
"""The fields of a Secret that values may stand in."""


def fingerprints(
    release: releases.Release, known: resolving.Values, key: projectkeys.Key
) -> dict[secretrefs.Reference, str]:
    """Return the keyed hash of every secret of a release."""
    return {one: key.fingerprint(one, known[one]) for one in releases.references(release)}


def digest(release: releases.Release, known: resolving.Values, key: projectkeys.Key) -> str:
    """Return the digest of a release with its values: another one when any of them rotates."""
    return releases.digest(release.objects, fingerprints(release, known, key))


def substituted(
    release: releases.Release, known: resolving.Values, key: projectkeys.Key
) -> tuple[releases.RenderedObject, ...]:
    """Return a release's objects with the values of secrets in them; raises ``Unresolved``.

    Objects without placeholders are passed on as they are. A placeholder where none may stand, which rendering would
    have refused, is refused here too: a release may come from a store.
    """
    filling = _Filling(known, key)
    made = tuple(filling.object(one) for one in release.objects)
    if filling.found:
        raise errors.Unresolved(filling.found)
    return made


class _Filling:
    def __init__(self, known: resolving.Values, key: projectkeys.Key) -> None:
        self._known = known
        self._key = key
        self.found: list[problems.Problem] = []

    def object(self, one: releases.RenderedObject) -> releases.RenderedObject:
        if placeholders.MARK.encode() not in one.body:
            return one
        data: values.Vars = msgspec.json.decode(one.body)
        inside = _CONTENTS if (one.id.group, one.id.kind) == ("", "Secret") else ()
        filled = {
            field: self._contents(value, one, field) if field in inside else self._hashes(value, one)
            for field, value in data.items()
        }
        return msgspec.structs.replace(one, body=objects.canonical(filled))

    def _contents(self, value: values.Value, one: releases.RenderedObject, field: str) -> values.Value:
        if not isinstance(value, dict):
            return value
        return {name: self._content(inner, one, (field, name)) for name, inner in value.items()}

    def _content(self, value: values.Value, one: releases.RenderedObject, field: problems.Field) -> values.Value:
        """Fill one value of a Secret; under ``data`` rendering lets a placeholder stand only alone, in base64."""
        if not isinstance(value, str):
            return value
        made, end = "", 0
        for place in placeholders.found(value):
            made += value[end : place.start] + self._text(place, value, one, field)
            end = place.end
        return made + value[end:]

    def _text(
        self, place: placeholders.Placeholder, text: str, one: releases.RenderedObject, field: problems.Field
    ) -> str:
        secret = self._known[place.reference]
        if place.form == "base64":
            return base64.b64encode(secret.reveal()).decode()
        if place.form == "hash":
            return self._key.fingerprint(place.reference, secret)
        try:
            value = secret.reveal().decode()
        except UnicodeDecodeError:
            message = (
                f"the secret {place.reference} is no text, as {one.id} wants it; write it under data, with | b64enc"
            )
            self.found.append(
                problems.Problem(codes.Code.SECRET_BAD_VALUE, message, problems.Mark(one.template), field)
            )
            return ""
        alone = (place.start, place.end) == (0, len(text))
        return json.dumps(value, ensure_ascii=False)[1:-1] if place.form == "json" and not alone else value

    def _hashes(self, value: values.Value, one: releases.RenderedObject) -> values.Value:
        """Fill what is no content of a Secret, where only keyed hashes may stand."""
        if isinstance(value, dict):
            return {key: self._hashes(inner, one) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._hashes(inner, one) for inner in value]
        if not isinstance(value, str) or placeholders.MARK not in value:
            return value
        made, end = "", 0
        for place in placeholders.found(value):
            if place.form != "hash":
                message = f"the secret {place.reference} stands in {one.id}, outside of a Secret's data"
                raise errors.Refused(codes.Code.OBJECT_SECRET_OUTSIDE, message)
            made += value[end : place.start] + self._key.fingerprint(place.reference, self._known[place.reference])
            end = place.end
        return made + value[end:]
