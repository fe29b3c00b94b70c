"""What the API says is decoded no further than needed."""

import asyncio
import typing

import hypothesis
import pytest
from hypothesis import strategies

from fleetctl.kube import answers


def test_metadata_is_read_without_managed_fields() -> None:
    """What is not needed may be anything, and costs nothing."""
    body = b"""{"kind": "Secret", "data": {"x": 7}, "metadata": {"name": "a", "uid": "u", "resourceVersion": "5",
        "managedFields": "whatever", "generation": 3, "deletionTimestamp": "2026-11-27T20:00:00Z",
        "ownerReferences": [{"kind": "Job", "name": "j", "uid": "v", "controller": true}]}}"""
    meta = answers.decode(body, answers.Partial).metadata
    assert (meta.name, meta.uid, meta.resourceVersion, meta.generation) == ("a", "u", "5", 3)
    assert (meta.deletionTimestamp, meta.ownerReferences) == (
        "2026-11-27T20:00:00Z",
        (answers.Owner("Job", "j", "v"),),
    )


@hypothesis.given(strategies.binary())
@hypothesis.example(b'{"metadata": {"name": "\\ud800"}}')
@hypothesis.example(b'{"metadata": {"labels": {"a": null}}}')
@hypothesis.example(b"[" * 100_000)
def test_unreadable_answers_are_failures(body: bytes) -> None:
    """Whatever bytes come, they are metadata or a failure called broken."""
    for shape in (answers.Partial, answers.Listing):
        found: object = None
        try:
            found = answers.decode(body, shape)
        except answers.Failure as failure:
            found = failure.kind
        assert found == "broken" or isinstance(found, shape)


def test_conflicts_name_fields_and_managers() -> None:
    """A conflict says who would lose what; a field that nobody is known to have counts as a stranger's."""
    causes = tuple(answers.FieldCause("FieldManagerConflict", "", f".data.{name}") for name in "aabcdef")
    owners = {".data.a": ("hpa", "kubectl"), **{f".data.{name}": ("kubectl",) for name in "bcde"}}
    conflict = answers.Conflict(causes, owners)
    assert conflict.managers == {"hpa", "kubectl", "?"}
    assert conflict.words() == (
        "would take .data.a of hpa; .data.a, .data.b, .data.c, ... of kubectl; .data.f of another manager"
    )
    assert len(answers.Conflict((answers.FieldCause(field="x" * 9999),)).words()) <= 400


@pytest.mark.parametrize("kind", sorted(typing.get_args(answers.Kind)))
def test_only_what_is_not_there_is_optional(kind: answers.Kind) -> None:
    """Any other refusal is still raised."""

    async def refuse() -> bytes:
        raise answers.Failure(kind, "Reason", "said so")

    async def ask() -> object:
        try:
            return await answers.optional(refuse())
        except answers.Failure as failure:
            return failure.kind

    assert asyncio.run(ask()) == (None if kind == "missing" else kind)
