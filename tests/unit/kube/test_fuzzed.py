"""Answers that are garbage, and real ones that were tampered with: every decoder gives a value or a typed error.

The real answers are those of Kubernetes 1.36 (``python -m tests.kubebox.recording`` writes them).
"""

import asyncio
import contextlib
import copy
import json
import os
import pathlib
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import hypothesis
import msgspec
import pytest
from hypothesis import strategies

from fleetctl.kube import (
    answers,
    applysets,
    discoverycache,
    evidence,
    kinds,
    leases,
    lists,
    managers,
    observed,
    refusals,
    standing,
    surroundings,
    transport,
    views,
    workloads,
)
from fleetctl.model import objects, outcomes

RECORDED: Final[dict[str, str]] = json.loads(
    pathlib.Path(__file__).with_name("recorded-answers.json").read_text("utf-8")
)
RECORDED["Widget"] = json.dumps(
    {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "it", "namespace": "pos", "uid": "u", "generation": 2},
        "spec": {"type": "LoadBalancer"},
        "status": {
            "observedGeneration": 2,
            "phase": "Pending",
            "conditions": [
                {"type": kind, "status": status, "reason": "NotYet", "message": "wait", "observedGeneration": 2}
                for kind, status in (("Stalled", "True"), ("Ready", "False"), ("Established", "False"))
            ],
            "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "b"}}}],
        },
    }
)
"""No recorded one: a bit of everything that is judged."""
NASTY: Final[tuple[object, ...]] = (
    None,
    True,
    -1,
    2**31,
    2**63,
    -(2**64),
    10**400,
    -(10**4000),
    1e308,
    0.5,
    "",
    "\x00\x1b[2J",
    "\u202e" * 9,
    "x" * 5000,
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "99999999999999999999",
    "\u0663",
    [],
    [None],
    [[]],
    {},
    {"": {}},
    {"f:a": {"k:{": {}}, "k:[1]": {}, "v:": {}, "i:x": {}},
    [{"type": "Ready"}, {"type": "Ready", "status": "True"}],
)

# --- what is done to an answer


def _places(value: object, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Collect where values stand in a tree, as (container, key)."""
    if isinstance(value, dict | list):
        for key, below in list(value.items() if isinstance(value, dict) else enumerate(value)):
            found.append((value, key))
            _places(below, found)
    return found


def _each(name: str) -> Iterator[bytes]:
    """Return a real answer with each of its values, in turn, replaced by nasty ones: each by each, or taking turns.

    Of a list one item is enough.
    """
    whole = [json.loads(RECORDED[name])]
    if "items" in whole[0]:
        items = whole[0]["items"]
        whole[0]["items"] = [item for item in items if "gateway" in json.dumps(item)][:1] or items[:1]
    each = 1 if len(RECORDED[name]) < 2000 else 4
    for number, (container, key) in enumerate(_places(whole, [])):
        kept = container[key]
        for value in NASTY[number % each :: each]:
            container[key] = value
            yield json.dumps(whole[0]).encode()
        container[key] = kept


def _tampered(text: str, source: random.Random) -> bytes:
    """Return an answer with some values replaced, taken out, swapped or doubled; or with some bytes changed."""
    if source.random() < 0.2 or not text.startswith("{"):
        raw = bytearray(text.encode())
        for _ in range(source.randint(1, 5)):
            at = source.randrange(len(raw) + 1)
            raw[at : at + source.randint(0, 3)] = source.randbytes(source.randint(0, 3))
        return bytes(raw[: source.randint(0, len(raw))] if source.random() < 0.2 else raw)
    whole = [json.loads(text)]
    for _ in range(source.randint(1, 4)):
        container, key = source.choice(_places(whole, []))
        if source.random() < 0.2 and container is not whole:
            del container[key]
        elif source.random() < 0.2:
            other, place = source.choice(_places(whole, []))
            container[key] = json.loads(json.dumps(other[place]))
        else:
            container[key] = copy.deepcopy(source.choice(NASTY))
    return json.dumps(whole[0]).encode()


def _fuzz(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a test real answers of these names tampered with, and every now and then bytes that are nothing."""

    @strategies.composite
    def said(draw: strategies.DrawFn) -> bytes:
        if draw(strategies.integers(0, 9)) == 0:
            return draw(strategies.binary(max_size=200))
        source = draw(strategies.randoms(use_true_random=False))
        return _tampered(RECORDED[draw(strategies.sampled_from(names))], source)

    return hypothesis.given(said())


class _Says:
    """An API server that answers everything alike."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def get_raw(self, _: str) -> bytes:
        """Say it."""
        return self._body

    async def conditional(self, _: str, accept: str, etag: str = "") -> transport.Answer:  # noqa: ARG002
        """Say it."""
        return transport.Answer(200, answers.bounded(self._body))

    async def page(self, _: str, *, metadata_only: bool = False) -> bytes:  # noqa: ARG002
        """Say it."""
        return answers.bounded(self._body)


def _read_list(body: bytes) -> list[bytes]:
    return asyncio.run(lists.whole(_Says(body), "/a", {})).items


def _items(body: bytes | str) -> list[bytes]:
    with contextlib.suppress(answers.Failure):
        found = answers.decode(body if isinstance(body, bytes) else body.encode(), answers.Listing).items or ()
        return [bytes(item) for item in found]
    return []


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_real_answers_are_read(name: str) -> None:
    """What is tampered with below is understood as it is."""
    body = RECORDED[name].encode()
    if name.endswith("List") or name == "Page":
        with contextlib.nullcontext() if name != "Page" else pytest.raises(answers.Failure, match="longer"):
            assert _read_list(body) or name == "APIResourceList"
    elif name == "Lease":
        assert leases.read(body).holder == "shop a r 1"
    elif name not in {"NoSuchGroup", "Version"}:
        assert answers.decode(body, answers.Partial).kind in {name, "Status"}


# --- answers, refusals, lists


@contextlib.contextmanager
def _broken() -> Iterator[None]:
    """Let nothing end in another way than well, or as an answer that cannot be read."""
    kinds_of: set[str] = set()
    try:
        yield
    except answers.Failure as failure:
        kinds_of.add(failure.kind)
    assert kinds_of <= {"broken"}


def _read_parent(body: bytes) -> object:
    return applysets.read(answers.decode(body, answers.Partial))


def _read_lease(body: bytes) -> object:
    found = leases.read(body)
    return leases.decide(found, "shop a r 2", 1e9, None, 0.0), leases.body("pos", "shop a r 2", 1e9, found)


_READERS: Final = {
    "Secret": _read_parent,
    "Deployment": _read_parent,
    "Lease": _read_lease,
    "Page": _read_list,
    "PartialObjectMetadataList": _read_list,
}


@pytest.mark.parametrize("name", _READERS)
def test_one_wrong_value_anywhere_is_a_value_or_a_failure(name: str) -> None:
    """Objects, pages, leases, parents: what cannot be read is a ``Failure``."""
    for body in _each(name):
        with _broken():
            _READERS[name](body)


@_fuzz(*RECORDED)
def test_answers_are_values_or_failures(body: bytes) -> None:
    """More that is wrong, or an answer to another question."""
    for read in _READERS.values():
        with _broken():
            read(body)


@_fuzz("Conflict", "Invalid", "NotFound", "NoSuchGroup")
def test_refusals_are_failures(body: bytes) -> None:
    """Whatever the body is, a refusal has a kind, a reason and one line of words."""
    for status in (400, 401, 403, 404, 409, 410, 422, 429, 500, 503):
        failure = refusals.refused(transport.Answer(status, body, classified=True), applying=True)
        assert failure.reason.isalnum()
        assert failure.message.isprintable()
        assert failure.retry_after is None or 0 < failure.retry_after <= 3600
        conflict = answers.Conflict(
            failure.causes, managers.owners_of(managers.entries(body), tuple(one.field for one in failure.causes))
        )
        assert conflict.words().isprintable()


@_fuzz("ConfigMap", "Deployment", "Secret")
def test_managers_are_found_or_not(body: bytes) -> None:
    """Managed fields may be anything."""
    fields = (".data.a", ".spec.replicas", "", ".spec.template.spec.containers")
    for names in managers.owners_of(managers.entries(body), fields).values():
        assert all(isinstance(name, str) for name in names)


@_fuzz("APIGroup", "APIResourceList")
def test_discovery_finds_or_fails(body: bytes) -> None:
    """A group or a list of kinds that makes no sense is a ``Failure``; what is found has a path."""

    async def find() -> None:
        known = discoverycache.Cache(pathlib.Path(os.devnull)).of(transport.Endpoint("https://a"))
        served = kinds.Resources(_Says(body), known)
        for kind in ("Deployment", "Widget", "LeaseCandidate"):
            for version in ("", "example.com/v1"):
                found = await served.of("example.com", kind, version)
                if found is not None:
                    assert "/" not in found.plural
                    assert found.path("a/b", "../c").isascii()

    with _broken():
        asyncio.run(find())


# --- health and evidence


_KINDS: Final = {
    "ConfigMap": ("", "ConfigMap"),
    "DaemonSet": ("apps", "DaemonSet"),
    "Deployment": ("apps", "Deployment"),
    "Job": ("batch", "Job"),
    "Namespace": ("", "Namespace"),
    "StatefulSet": ("apps", "StatefulSet"),
}
_OTHERS: Final = (
    ("", "PersistentVolumeClaim"),
    ("", "Pod"),
    ("", "Service"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apps", "ReplicaSet"),
    ("example.com", "Widget"),
)
_AROUND: Final = {
    surroundings.PODS: "PodList",
    surroundings.REPLICA_SETS: "ReplicaSetList",
    surroundings.REVISIONS: "ControllerRevisionList",
    surroundings.EVENTS: "EventList",
    surroundings.NODES: "NodeList",
}


def _around(told: Callable[[str], bytes | str]) -> surroundings.Surroundings:
    """Return lists of a cluster that were tampered with; what cannot be read of them is left out, as in a visit."""
    listed: dict[surroundings.List, list[Any]] = {}
    for one, name in _AROUND.items():
        found = []
        for item in _items(told(name)):
            with contextlib.suppress(observed.Unreadable):
                found.append(observed.decode(item, one.into))
        listed[one] = found
    return surroundings.Surroundings(listed)


def _judge(view: views.View) -> None:
    """Take all that a visit takes from a look at an object; it must be fit to be shown and stored."""
    verdict = workloads.verdict(view)
    assert isinstance(verdict.state, outcomes.State)
    assert _is_fit(verdict.message)
    assert verdict.cause is None or _is_fit(*msgspec.structs.astuple(verdict.cause))
    logs = dict.fromkeys(evidence.logs(view), b"\xff\x1b[2J\n" * 9)
    assert len(msgspec.json.encode(evidence.chain(view, verdict, logs))) < 100_000
    fallen = standing.fallen(view, standing.standing(view))
    assert fallen is None or _is_fit(*msgspec.structs.astuple(fallen))


def _is_fit(*texts: str) -> bool:
    return all(text.isprintable() and len(text) <= 1100 for text in texts)


@pytest.mark.parametrize("name", [*sorted(_KINDS), "Widget"])
def test_one_wrong_value_anywhere_is_a_verdict(name: str) -> None:
    """Whatever single value of an object is none, the verdict is one, and nothing crashes."""
    around = _around(RECORDED.__getitem__)
    for body in _each(name):
        for group, kind in _OTHERS if name == "Widget" else [_KINDS[name]]:
            _judge(views.View(objects.ObjectId(group, kind, "pos", "it"), body, since=1e6, around=around))


@hypothesis.given(strategies.sampled_from(sorted(_KINDS)), strategies.randoms(use_true_random=False))
def test_health_is_judged_whatever_is_seen(name: str, source: random.Random) -> None:
    """A verdict, the evidence for it and a soak's look come of any object among any others."""
    around = _around(lambda other: _tampered(RECORDED[other], source))
    body = _tampered(RECORDED[name], source)
    for group, kind in (_KINDS[name], *_OTHERS):
        identity = objects.ObjectId(group, kind, "pos", "it")
        generation, since = source.choice([0, 1, 10**400]), source.choice([0.0, 1e6])
        _judge(views.View(identity, body, generation, since, around))


@pytest.mark.parametrize("one", _AROUND, ids=_AROUND.values())
def test_one_wrong_value_around_is_a_verdict(one: surroundings.List) -> None:
    """Pods, their makers, events and nodes are read one by one; a strange one hides no other."""
    body = RECORDED["Deployment"].encode()
    told: dict[str, bytes | str] = dict(RECORDED)
    for listed in _each(_AROUND[one]):
        told[_AROUND[one]] = listed
        around = _around(told.__getitem__)
        _judge(views.View(objects.ObjectId("apps", "Deployment", "pos", "it"), body, since=1e6, around=around))


@hypothesis.given(strategies.binary(max_size=200) | strategies.text(max_size=60).map(str.encode))
@hypothesis.example(b"Fri, 27 Nov " + b"9" * 5000 + b" 20:00:00 GMT")
@hypothesis.example(b"Fri, 27 Nov 2026 20:00:00 +" + b"9" * 5000)
def test_dates_are_times_or_none(header: bytes) -> None:
    """Whatever a server calls its time."""
    found = answers.date(header)
    assert found is None or isinstance(found, float)
