"""Values where placeholders stood: exactly what a template would have made, had it known them."""

import base64
import json
from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from fleetctl.model import codes, errors, objects, placeholders, releases, secretrefs
from fleetctl.secrets import masking, projectkeys, substituting

KEY = projectkeys.Key(bytes(range(32)))
A, B = secretrefs.Reference("env", "A"), secretrefs.Reference("exec", ("pass", "show", "b c"))
P = placeholders.text


def _release(*made: dict[str, Any]) -> releases.Release:
    rendered = tuple(
        releases.RenderedObject(
            objects.ObjectId("", one["kind"], "pos", one["metadata"]["name"]), objects.canonical(one), "a.yaml.j2"
        )
        for one in made
    )
    return releases.Release("store-1", "app", "1.0.0", releases.digest(rendered), rendered)


def _secret(**contents: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **contents}


def _known(a: str | bytes = "one", b: str = "two") -> dict[secretrefs.Reference, masking.Secret]:
    return {A: masking.Secret(a if isinstance(a, bytes) else a.encode()), B: masking.Secret(b.encode())}


def _filled(release: releases.Release, known: dict[secretrefs.Reference, masking.Secret]) -> list[Any]:
    return [msgspec.json.decode(one.body) for one in substituting.substituted(release, known, KEY)]


@hypothesis.given(st.text(min_size=1), st.text(min_size=1))
def test_any_value_arrives(a: str, b: str) -> None:
    """In text, whole, in base64 and inside JSON, whatever characters it has, placeholders among them."""
    text = {"url": f"x:{P(A)}@{P(B)}", "whole": P(A, "json"), "in.json": f'{{"a": "{P(A, "json")}", "b": 1}}'}
    (made,) = _filled(_release(_secret(data={"a": P(A, "base64")}, stringData=text)), _known(a, b))
    assert base64.b64decode(made["data"]["a"]).decode() == a
    assert made["stringData"]["url"] == f"x:{a}@{b}"
    assert made["stringData"]["whole"] == a
    assert json.loads(made["stringData"]["in.json"]) == {"a": a, "b": 1}


@hypothesis.given(st.binary(min_size=1))
def test_any_bytes_arrive_in_base64(value: bytes) -> None:
    """What is no text can stand under data."""
    (made,) = _filled(_release(_secret(data={"a": P(A, "base64")})), _known(value))
    assert base64.b64decode(made["data"]["a"]) == value


def test_bytes_are_no_text() -> None:
    """Under stringData they are refused by the name of the secret, not by what they are."""
    with pytest.raises(errors.Unresolved) as caught:
        _filled(_release(_secret(stringData={"a": P(A), "b": P(A)})), _known(b"\xff\xfe"))
    assert [problem.field for problem in caught.value.problems] == [("stringData", "a"), ("stringData", "b")]
    assert {problem.code for problem in caught.value.problems} == {codes.Code.SECRET_BAD_VALUE}


def test_hashes_stand_anywhere_and_follow_the_value() -> None:
    """An annotation changes when its secret does, and with no other."""
    pod = {"kind": "Pod", "metadata": {"name": "p", "annotations": {"a": P(A, "hash"), "b": f"v-{P(B, 'hash')}"}}}
    before, after = (_filled(_release(pod), _known(value))[0]["metadata"]["annotations"] for value in ("1", "2"))
    assert before["a"] == KEY.fingerprint(A, masking.Secret(b"1"))
    assert before["a"] != after["a"]
    assert before["b"] == after["b"] == f"v-{KEY.fingerprint(B, masking.Secret(b'two'))}"


def test_other_objects_are_passed_on() -> None:
    """Objects without placeholders are the same ones; the release given is not changed."""
    release = _release({"kind": "ConfigMap", "metadata": {"name": "c"}}, _secret(data={"a": P(A, "base64")}))
    plain, filled = substituting.substituted(release, _known(), KEY)
    assert plain is release.objects[0]
    assert filled.id == release.objects[1].id
    assert placeholders.MARK.encode() in release.objects[1].body


def test_a_placeholder_outside_is_refused() -> None:
    """A release that was tampered with carries no secret into a ConfigMap."""
    release = _release({"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": P(A)}})
    with pytest.raises(errors.Refused) as caught:
        _filled(release, _known())
    assert caught.value.code is codes.Code.OBJECT_SECRET_OUTSIDE


def test_a_rotated_secret_is_another_digest() -> None:
    """The digest covers what the values are, by keyed hashes; without secrets it is the plain one."""
    release = _release(_secret(stringData={"a": P(A), "b": P(B)}))
    digests = {substituting.digest(release, _known(a), KEY) for a in ("1", "2", "1")}
    assert len(digests) == 2
    assert release.digest not in digests
    assert substituting.digest(release, _known("1"), projectkeys.Key(bytes(32))) not in digests
    plain = _release({"kind": "ConfigMap", "metadata": {"name": "c"}})
    assert substituting.digest(plain, {}, KEY) == plain.digest
