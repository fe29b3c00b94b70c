"""A visit's conversation on a virtual clock: what is repeated, what is final, and what is known of its effect."""

import asyncio
import contextlib
import random
import urllib.parse
from collections.abc import Callable, Coroutine
from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import strategies

from fleetctl.kube import answers, client, transport

PATH = "/api/v1/namespaces/shop/configmaps/a"
LOST = transport.Broken("timeout", "no answer", sent=True)
REFUSED = transport.Broken("refused", "nothing listens there", sent=False)
DONE = transport.Answer(200, b'{"metadata":{"name":"a","uid":"u","generation":2}}')
BUSY = transport.Answer(503, b"")
THROTTLED = transport.Answer(429, b"", 2.0)

Said = transport.Answer | transport.Broken | BaseException


def _status(code: int, reason: str = "", *causes: dict[str, str], kind: str = "") -> transport.Answer:
    said = {"kind": "Status", "reason": reason, "message": "said so", "details": {"causes": causes, "kind": kind}}
    return transport.Answer(code, msgspec.json.encode(said))


class World:
    """A session that says what it is told, the last thing for ever, and the clock that it takes time from."""

    def __init__(self, *said: Said, takes: float = 0.01) -> None:
        """Take what to say, and how many seconds each answer takes."""
        self.now = 1000.0
        self.said = list(said)
        self.sent: list[transport.Request] = []
        self.pauses: list[float] = []
        self.asked: list[float] = []
        self.closed = False
        self.fenced_after = 1_000_000
        self._takes = takes

    async def send(self, request: transport.Request) -> transport.Answer:
        """Say the next thing."""
        self.sent.append(request)
        self.now += min(self._takes, request.timeout)
        next_one = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(next_one, BaseException):
            raise next_one
        return next_one

    def close(self) -> None:
        """Note it."""
        self.closed = True

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.pauses.append(seconds)
        self.now += seconds

    def fence(self, seconds: float) -> bool:
        """Allow so many changes."""
        self.asked.append(seconds)
        return len(self.asked) <= self.fenced_after

    def client(self, seconds: float | None = 600) -> client.Client:
        """Return a client of this world whose visit may take so many seconds."""
        return client.Client(
            self,
            fence=self.fence,
            deadline=None if seconds is None else self.now + seconds,
            clock=lambda: self.now,
            sleep=self.sleep,
            source=random.Random(7),  # noqa: S311  # jitter is no secret
        )


def _apply(api: client.Client, path: str = PATH) -> Coroutine[Any, Any, answers.Applied | answers.Conflict]:
    return api.apply(path, b"{}", manager="fleetctl:shop")


def _failure(work: Coroutine[Any, Any, object]) -> answers.Failure:
    with pytest.raises(answers.Failure) as caught:
        asyncio.run(work)
    return caught.value


def _query(request: transport.Request) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(request.path.partition("?")[2]))


# --- what is sent


def test_apply_is_strict_and_bounded() -> None:
    """An apply names its manager, is validated strictly, and asks the server to give up when we do."""
    world = World(transport.Answer(201, DONE.body))
    api = world.client()
    applied = asyncio.run(_apply(api))
    assert isinstance(applied, answers.Applied)
    assert (applied.created, applied.meta.uid, applied.meta.generation) == (True, "u", 2)
    (sent,) = world.sent
    assert (sent.method, sent.body, sent.content_type) == ("PATCH", b"{}", "application/apply-patch+yaml")
    assert _query(sent) == {"fieldManager": "fleetctl:shop", "fieldValidation": "Strict", "timeout": "30s"}
    assert (api.requests, api.mutated, api.unknown) == (1, 1, False)


def test_force_is_said() -> None:
    """Only a forced apply says so."""
    world = World(DONE)
    applied = asyncio.run(world.client().apply(PATH, b"{}", manager="m", force=True))
    assert isinstance(applied, answers.Applied)
    assert (applied.created, _query(world.sent[0])["force"]) == (False, "true")


def test_requests_end_with_the_visit() -> None:
    """The last request gets no more time than the visit has left, and the server is told."""
    world = World(DONE)
    asyncio.run(_apply(world.client(4.5)))
    assert (world.sent[0].timeout, _query(world.sent[0])["timeout"]) == (4.5, "4s")


def test_a_visit_without_time_sends_nothing() -> None:
    """When the deadline has passed, it has."""
    world = World(DONE)
    api = world.client(1)
    world.now += 1
    with pytest.raises(TimeoutError):
        asyncio.run(api.get(PATH))
    assert world.sent == []


def test_metadata_is_asked_for_alone() -> None:
    """Where only metadata matters the server is asked to send no more; plain JSON is what old servers may send."""
    world = World(DONE)
    assert asyncio.run(world.client().get(PATH, metadata_only=True)).metadata.name == "a"
    assert world.sent[0].accept == "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
    asyncio.run(world.client().get(PATH))
    asyncio.run(world.client().get_raw(f"{PATH}/log?tailLines=5"))
    assert [one.accept for one in world.sent[1:]] == ["application/json", "*/*"]


def test_leaving_closes_the_connection() -> None:
    """The visit's connection ends with it."""
    world = World(DONE)
    with world.client():
        assert not world.closed
    assert world.closed


def test_delete_is_exact() -> None:
    """A delete names UID and version, and how dependants go; what is gone already is no failure."""
    world = World(transport.Answer(200, b"{}"), _status(404, "NotFound"), _status(409, "Conflict"))
    api = world.client()
    assert asyncio.run(api.delete(PATH, uid="u", resource_version="5"))
    sent = msgspec.json.decode(world.sent[0].body or b"")
    assert sent["preconditions"] == {"uid": "u", "resourceVersion": "5"}
    assert (sent["propagationPolicy"], world.sent[0].method) == ("Background", "DELETE")
    assert not asyncio.run(api.delete(PATH, uid="u"))
    assert msgspec.json.decode(world.sent[1].body or b"")["preconditions"] == {"uid": "u"}
    assert _failure(api.delete(PATH, uid="u")).kind == "conflict"
    assert (api.mutated, api.unknown) == (1, False)


# --- lists


def _page(names: str, following: str = "") -> transport.Answer:
    items = [{"metadata": {"name": name}} for name in names]
    return transport.Answer(200, msgspec.json.encode({"metadata": {"continue": following}, "items": items}))


def test_lists_are_read_to_their_end() -> None:
    """Pages follow each other, with the same selection."""
    world = World(_page("ab", "next=1&2"), _page("", "more"), _page("c"))
    found = asyncio.run(world.client().items("/api/v1/secrets", label_selector="a=b", metadata_only=True))
    assert [msgspec.json.decode(one)["metadata"]["name"] for one in found] == ["a", "b", "c"]
    assert [_query(one) for one in world.sent] == [
        {"limit": "500", "labelSelector": "a=b"},
        {"limit": "500", "labelSelector": "a=b", "continue": "next=1&2"},
        {"limit": "500", "labelSelector": "a=b", "continue": "more"},
    ]
    assert "PartialObjectMetadataList" in world.sent[0].accept


def test_a_list_that_expired_begins_again() -> None:
    """410 in the middle means that the snapshot is gone; nothing of it is kept."""
    world = World(_page("ab", "next"), _status(410, "Expired"), _page("xy", "next"), _page("z"))
    found = asyncio.run(world.client().items("/api/v1/pods", field_selector="spec.nodeName=n"))
    assert [msgspec.json.decode(one)["metadata"]["name"] for one in found] == ["x", "y", "z"]
    assert ["continue" in _query(one) for one in world.sent] == [False, True, False, True]
    assert _query(world.sent[2])["fieldSelector"] == "spec.nodeName=n"


def test_an_empty_list_may_be_null() -> None:
    """Go writes a list that was never filled as null."""
    world = World(transport.Answer(200, b'{"metadata":{"resourceVersion":"1"},"items":null}'))
    assert asyncio.run(world.client().items("/apis/example.com/v1/things")) == []


# --- conflicts


def test_a_conflict_is_a_value() -> None:
    """Fields of other managers are not an error; who has them is read from the object, not from the message."""
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "liar"', "field": ".data.x"}
    fields: dict[str, object] = {"f:data": {"f:x": {}}}
    managed = [{"manager": name, "fieldsV1": fields} for name in ("kubectl", "fleetctl:shop")]
    body = msgspec.json.encode({"metadata": {"managedFields": managed}})
    world = World(_status(409, "Conflict", cause), transport.Answer(200, body))
    api = world.client()
    conflict = asyncio.run(_apply(api))
    assert isinstance(conflict, answers.Conflict)
    assert conflict.managers == {"kubectl"}
    assert conflict.owners == {".data.x": ("kubectl",)}
    assert (api.mutated, api.unknown) == (0, False)


def test_a_conflict_whose_object_cannot_be_read() -> None:
    """Then the fields are a stranger's."""
    cause = {"reason": "FieldManagerConflict", "field": ".data.x"}
    world = World(_status(409, "Conflict", cause), _status(403, "Forbidden"))
    conflict = asyncio.run(_apply(world.client()))
    assert isinstance(conflict, answers.Conflict)
    assert conflict.managers == {"?"}


def test_a_conflict_without_causes_is_a_failure() -> None:
    """The object was changed meanwhile: whoever knows why must look at it again."""
    world = World(_status(409, "Conflict"))
    assert _failure(_apply(world.client())).kind == "conflict"
    assert len(world.sent) == 1


# --- repetition


def test_pauses_grow_and_are_bounded() -> None:
    """A server that is busy is asked again after half a second to fifteen seconds, more slowly each time."""
    world = World(*[BUSY] * 12, DONE)
    assert asyncio.run(world.client().get(PATH)).metadata.name == "a"
    assert len(world.sent) == 13
    assert all(0.5 <= pause <= 15 for pause in world.pauses)
    assert sum(world.pauses[:3]) < sum(world.pauses[3:6]) < sum(world.pauses[6:9])
    assert len(set(world.pauses)) == len(world.pauses)


def test_the_servers_wish_is_honoured() -> None:
    """Retry-After is waited for; one that would make a busy loop is not."""
    world = World(THROTTLED, transport.Answer(429, b"", 0.001), DONE)
    asyncio.run(world.client().get(PATH))
    assert world.pauses == [2.0, 0.5]


def test_no_pause_outlasts_the_visit() -> None:
    """When the next try would come too late there is none, and the last answer is what is said."""
    world = World(BUSY)
    assert _failure(world.client(60).get(PATH)).status == 503
    assert world.now < 1060
    assert _failure(World(transport.Answer(429, b"", 100.0)).client(60).get(PATH)).status == 429


def test_a_late_wake_up_is_still_the_servers_fault() -> None:
    """A loop that wakes us after the deadline does not turn an answer into a time-out of ours."""
    world = World(BUSY)

    async def oversleep(seconds: float) -> None:
        world.now += seconds + 100

    api = client.Client(world, deadline=world.now + 60, clock=lambda: world.now, sleep=oversleep)
    assert _failure(api.get(PATH)).status == 503


def test_without_deadline_it_ends_too() -> None:
    """A client whose visit has no deadline does not ask for ever."""
    world = World(BUSY)
    assert _failure(world.client(None).get(PATH)).status == 503
    assert world.now - 1000 <= client.Pace().undated


def test_silence_is_short() -> None:
    """A site that cannot be reached is given up long before the visit's deadline."""
    world = World(REFUSED)
    assert _failure(world.client().get(PATH)).reason == "ConnectionRefused"
    assert world.now - 1000 <= client.Pace().unreachable
    assert len(world.sent) > 1


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(_status(422, "Invalid"), id="rejected"),
        pytest.param(_status(401, "Unauthorized"), id="credentials"),
        pytest.param(_status(403, "Forbidden"), id="forbidden"),
        pytest.param(_status(404, "NotFound"), id="missing"),
        pytest.param(transport.Broken("untrusted", "", sent=False), id="not believed"),
        pytest.param(transport.Broken("protocol", "", sent=True), id="no answer at all"),
        pytest.param(transport.Answer(302, b""), id="redirect"),
        pytest.param(transport.Answer(101, b""), id="interim"),
    ],
)
def test_what_is_final_is_sent_once(said: Said) -> None:
    """Asking again would not change the answer."""
    world = World(said)
    _failure(world.client().get(PATH))
    assert len(world.sent) == 1


def test_a_patch_that_cannot_be_typed_is_tried_twice() -> None:
    """500 with an empty reason is a patch that the schema refuses, or a server that stumbled once."""
    world = World(_status(500))
    api = world.client()
    assert _failure(_apply(api)).kind == "rejected"
    assert (len(world.sent), api.mutated, api.unknown) == (2, 0, False)
    world = World(_status(500), DONE)
    assert isinstance(asyncio.run(_apply(world.client())), answers.Applied)


def test_a_terminating_namespace_is_waited_for() -> None:
    """403 with the cause NamespaceTerminating passes."""
    world = World(*[_status(403, "Forbidden", {"reason": "NamespaceTerminating"})] * 3, DONE)
    assert isinstance(asyncio.run(_apply(world.client())), answers.Applied)


def test_unreadable_answers_are_failures() -> None:
    """A success that cannot be read is not one, but its change was made."""
    world = World(transport.Answer(200, b"<html>"))
    api = world.client()
    assert _failure(api.get(PATH)).reason == "UnreadableAnswer"
    assert _failure(_apply(api)).reason == "UnreadableAnswer"
    assert (api.mutated, api.unknown) == (1, False)


# --- the contract's table of answers, row by row (docs/reference/cluster.md, "Answers")


_TERMINATING = _status(403, "Forbidden", {"reason": "NamespaceTerminating"})
_RATIONED = transport.Answer(429, b"Too many requests, please try again later.", 1.0, classified=True)
MANY, FEW = 600, 50
"""Tries while there is time, and tries for five seconds."""
_TABLE: dict[str, tuple[Said, int, bool]] = {
    # what is said again and again to an apply: how often that is sent, and whether its effect is in doubt in the end
    "400 BadRequest": (_status(400, "BadRequest"), 1, False),
    "401": (_status(401, "Unauthorized"), 1, False),
    "403": (_status(403, "Forbidden"), 1, False),
    "403 NamespaceTerminating": (_TERMINATING, MANY, False),
    "404 of a namespace": (_status(404, "NotFound", kind="namespaces"), 1, False),
    "405": (_status(405, "MethodNotAllowed"), 1, False),
    "406": (_status(406, "NotAcceptable"), 1, False),
    "409 of another writer": (_status(409, "Conflict"), 1, False),
    "413": (_status(413, "RequestEntityTooLarge"), 1, False),
    "415": (_status(415, "UnsupportedMediaType"), 1, False),
    "422 Invalid": (_status(422, "Invalid"), 1, False),
    "429 of priority and fairness": (_RATIONED, MANY, False),
    "429 of a webhook": (_status(429, "TooManyRequests"), MANY, False),
    "500 InternalError": (_status(500, "InternalError"), MANY, True),
    "500 without a reason": (_status(500), 2, False),
    "502": (transport.Answer(502, b"<html>"), MANY, True),
    "503": (_status(503, "ServiceUnavailable"), MANY, True),
    "504": (_status(504, "Timeout"), MANY, True),
    "silence": (LOST, FEW, True),
    "a link that ends": (transport.Broken("closed", "", sent=True), FEW, True),
    "an answer that stalls": (transport.Broken("stalled", "", sent=True), FEW, True),
    "no connection": (REFUSED, FEW, False),
    "no TLS in time": (transport.Broken("handshake-timeout", "", sent=False), FEW, False),
    "a false certificate": (transport.Broken("untrusted", "", sent=False), 1, False),
}


@pytest.mark.parametrize("row", _TABLE)
def test_the_table_of_answers(row: str) -> None:
    """Final ones are sent once, others until the site's time is over, at most 15 seconds apart and by chance."""
    said, sent, unknown = _TABLE[row]
    world = World(said)
    api = world.client(60)
    _failure(_apply(api))
    assert len(world.sent) == sent or (sent > 2 and len(world.sent) >= 3)
    spent = world.now - 1000
    assert spent <= 1 if sent == 1 else spent <= 5 if sent in {2, FEW} else 40 <= spent <= 60
    assert all(0.5 <= pause <= 15 for pause in world.pauses)
    assert api.unknown == unknown


def test_chance_is_given() -> None:
    """The same source gives the same pauses, another gives others: a fleet does not come back in step."""

    def pauses(seed: int) -> list[float]:
        world = World(BUSY)
        source = random.Random(seed)  # noqa: S311  # jitter is no secret
        api = client.Client(world, deadline=world.now + 60, clock=lambda: world.now, sleep=world.sleep, source=source)
        _failure(api.get(PATH))
        return world.pauses

    assert pauses(1) == pauses(1) != pauses(2)


def test_a_server_that_rations_is_told() -> None:
    """Its word is kept until the site's time is over, then said."""
    world = World(_RATIONED)
    assert "Priority and Fairness" in _failure(world.client(60).get(PATH)).message
    assert set(world.pauses) == {1.0}


# --- the fence


def test_the_fence_is_asked_before_every_change() -> None:
    """Each try asks whether its whole time is left; reading asks nobody."""
    world = World(BUSY, BUSY, DONE)
    api = world.client(40)
    asyncio.run(_apply(api))
    assert world.asked == [one.timeout for one in world.sent]
    assert world.asked[0] == 30
    asyncio.run(api.get(PATH))
    asyncio.run(api.items(PATH))
    assert len(world.asked) == 3


def test_behind_the_fence_nothing_is_sent() -> None:
    """A lease that ends too soon stops the next try as well as the first; what was sent before stays in doubt."""
    world = World(BUSY)
    world.fenced_after = 0
    with pytest.raises(client.Fenced):
        asyncio.run(_apply(world.client()))
    assert world.sent == []
    world.fenced_after = 3
    api = world.client()
    with pytest.raises(client.Fenced):
        asyncio.run(api.delete(PATH, uid="u"))
    assert (len(world.sent), api.unknown) == (2, True)


# --- what is known of the effect


@pytest.mark.parametrize(
    ("said", "mutated", "unknown"),
    [
        pytest.param([DONE], 1, False, id="taken"),
        pytest.param([_status(422, "Invalid")], 0, False, id="refused"),
        pytest.param([REFUSED], 0, False, id="never sent"),
        pytest.param([transport.Broken("connect-timeout", "", sent=False)], 0, False, id="never connected"),
        pytest.param([LOST], 2, True, id="lost twice"),
        pytest.param([LOST, DONE], 2, False, id="lost, then taken"),
        pytest.param([LOST, _status(409, "Conflict")], 1, False, id="lost, then refused"),
        pytest.param([LOST, REFUSED], 1, True, id="lost, then gone"),
        pytest.param([LOST, THROTTLED], 1, True, id="lost, then throttled: that tells nothing"),
        pytest.param([LOST, _status(401, "Unauthorized")], 1, True, id="lost, then not let in: nor does that"),
        pytest.param([_status(500, "InternalError"), _status(404, "NotFound")], 1, False, id="stumbled, then gone"),
        pytest.param([transport.Broken("too-large", "", sent=True)], 1, True, id="too large an answer"),
        pytest.param([THROTTLED, DONE], 1, False, id="throttled, then taken"),
    ],
)
def test_effects_are_told(said: list[Said], *, mutated: int, unknown: bool) -> None:
    """How many changes may have been made, and whether one of them is in doubt."""
    world = World(*said, takes=6)
    api = world.client()
    with contextlib.suppress(answers.Failure):
        asyncio.run(_apply(api))
    assert (api.mutated, api.unknown) == (mutated, unknown)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_gateways_leave_the_effect_open(status: int) -> None:
    """An answer of a server in front of the API tells nothing about the change."""
    world = World(transport.Answer(status, b""))
    api = world.client()
    _failure(_apply(api))
    assert api.unknown


def test_a_lost_change_is_tried_once_more() -> None:
    """However long the silence was: the answer to the repetition tells what happened. Reading is not worth that."""
    world = World(LOST, DONE, takes=29)
    assert isinstance(asyncio.run(_apply(world.client())), answers.Applied)
    world = World(LOST, DONE, takes=29)
    assert _failure(world.client().get(PATH)).reason == "ReadTimeout"


def test_a_cancelled_change_is_in_doubt() -> None:
    """A visit that runs out of time while the server works does not know what became of that."""
    world = World(asyncio.CancelledError())
    api = world.client()

    async def visit() -> None:
        with pytest.raises(asyncio.CancelledError):
            await _apply(api)
        with pytest.raises(asyncio.CancelledError):
            await api.get(PATH)

    asyncio.run(visit())
    assert (api.requests, api.mutated, api.unknown) == (2, 1, True)


def test_doubt_is_not_lifted_by_another_object() -> None:
    """That one object was applied tells nothing of the one before; its own answer does."""
    world = World(_status(503), DONE)
    api = world.client(0.4)
    _failure(_apply(api))
    asyncio.run(_apply(api, PATH.replace("configmaps", "secrets")))
    assert api.unknown
    asyncio.run(_apply(api))
    assert not api.unknown


_ANSWERS: list[Callable[[], Said]] = [
    lambda: DONE,
    lambda: BUSY,
    lambda: LOST,
    lambda: REFUSED,
    lambda: THROTTLED,
    lambda: _status(500),
    lambda: _status(500, "InternalError"),
    lambda: _status(409, "Conflict"),
    lambda: _status(404, "NotFound"),
    lambda: transport.Answer(429, b"", 3600.0),
    lambda: transport.Answer(200, b"null"),
]


@hypothesis.given(
    strategies.lists(strategies.sampled_from(_ANSWERS), min_size=1, max_size=30),
    strategies.floats(0.1, 200),
    strategies.floats(0, 40),
)
def test_every_visit_ends_in_time(script: list[Callable[[], Said]], seconds: float, takes: float) -> None:
    """Whatever a server says, and however slowly: the visit ends by its deadline, and a change that may be is told."""
    world = World(*(one() for one in script), takes=takes)
    api = world.client(seconds)
    told = False
    try:
        asyncio.run(_apply(api))
        told = True
    except (answers.Failure, TimeoutError):
        pass
    assert world.now <= 1000 + seconds + 0.01
    assert api.requests == len(world.sent)
    assert not (told and api.unknown)
    assert api.mutated or not api.unknown


# --- what else a visit holds


class _Guard:
    """Allows so many seconds, and counts how often it was asked."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked = 0

    async def keep(self) -> float:
        """Allow them."""
        self.asked += 1
        if self.seconds <= 0:
            raise client.Fenced
        return self.seconds


def test_a_change_ends_before_what_is_held_does() -> None:
    """The guard is asked before each request, and bounds changes; reading may last as it does."""
    world = World(DONE)
    api = world.client()
    api.guard = guard = _Guard(7.0)
    asyncio.run(_apply(api))
    asyncio.run(api.get(PATH))
    assert [one.timeout for one in world.sent] == [7.0, 30.0]
    assert _query(world.sent[0])["timeout"] == "7s"
    assert guard.asked == 2


def test_nothing_is_sent_once_it_is_lost() -> None:
    """Neither a change nor a look."""
    world = World(DONE)
    api = world.client()
    api.guard = _Guard(0.0)
    for work in (_apply(api), api.get(PATH)):
        with pytest.raises(client.Fenced):
            asyncio.run(work)
    assert world.sent == []


def test_what_is_aside_is_no_change() -> None:
    """A Lease is not of the set: neither guard nor effect know of it, the fence does."""
    world = World(LOST, _status(409, "AlreadyExists"))
    api = world.client()
    api.guard = guard = _Guard(7.0)
    assert _failure(api.write_aside("POST", PATH, b"{}")).kind == "conflict"
    assert (api.mutated, api.unknown, guard.asked, len(world.asked)) == (0, False, 0, 2)
    world.said = [DONE]
    assert asyncio.run(api.delete(PATH, uid="u", aside=True))
    assert asyncio.run(api.get_raw(PATH, aside=True)) == DONE.body
    assert (api.mutated, guard.asked) == (0, 0)


def test_the_servers_time_lies_between() -> None:
    """An answer's time is of some moment between asking and hearing, and has whole seconds."""
    header = b" Fri, 27 Nov 2026 20:00:00 GMT"
    told = 1795809600.0
    world = World(transport.Answer(200, DONE.body, None, header), takes=3.0)
    api = world.client()
    assert api.server_time is None
    asyncio.run(api.get(PATH))
    world.now += 10
    assert api.server_time == (told + 10, told + 14)


@pytest.mark.parametrize("header", [b"", b"now", b"Fri, 99 Nov 2026", b"\xff", b"Fri, 27 Nov 99999999999 20:00:00 GMT"])
def test_a_time_that_makes_no_sense_is_none(header: bytes) -> None:
    """Whatever a server sends."""
    assert answers.date(header) is None


@hypothesis.given(strategies.binary(max_size=60))
def test_any_date_header_can_be_read(header: bytes) -> None:
    """As a time, or as none."""
    assert isinstance(answers.date(header), float | None)
