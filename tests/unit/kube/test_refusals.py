"""What a refusal means follows from status, reason and causes; silence has a name for every way to be."""

import typing

import hypothesis
import msgspec
import pytest
from hypothesis import strategies

from fleetctl.kube import answers, refusals, transport
from fleetctl.model import outcomes


def _refused(
    status: int, said: object = None, *, applying: bool = False, retry_after: float | None = None
) -> answers.Failure:
    body = b"" if said is None else msgspec.json.encode(said)
    return refusals.refused(transport.Answer(status, body, retry_after), applying=applying)


def _status(reason: str = "", **details: object) -> dict[str, object]:
    return {"kind": "Status", "apiVersion": "v1", "reason": reason, "message": "said so", "details": details}


@pytest.mark.parametrize(
    ("status", "said", "applying", "kind", "repeat"),
    [
        (400, _status("BadRequest"), True, "rejected", "never"),
        (401, _status("Unauthorized"), False, "credentials", "never"),
        (403, _status("Forbidden"), True, "forbidden", "never"),
        (403, _status("Forbidden", causes=[{"reason": "NamespaceTerminating"}]), True, "terminating", "always"),
        (404, _status("NotFound"), False, "missing", "never"),
        (404, None, False, "missing", "never"),
        (405, None, True, "rejected", "never"),
        (406, None, True, "rejected", "never"),
        (409, _status("Conflict"), True, "conflict", "never"),
        (410, _status("Expired"), False, "missing", "never"),
        (413, None, True, "rejected", "never"),
        (415, None, True, "rejected", "never"),
        (422, _status("Invalid"), True, "rejected", "never"),
        (429, _status("TooManyRequests"), True, "busy", "always"),
        (500, _status("InternalError"), True, "busy", "always"),
        (500, _status("ServerTimeout"), True, "busy", "always"),
        (500, _status(""), True, "rejected", "once"),
        (500, _status(""), False, "busy", "always"),
        (500, None, True, "busy", "always"),
        (502, None, True, "busy", "always"),
        (503, None, True, "busy", "always"),
        (504, _status("Timeout"), True, "busy", "always"),
        (302, None, False, "rejected", "never"),
        (101, None, False, "rejected", "never"),
        (501, _status("NotImplemented"), True, "rejected", "never"),
    ],
)
def test_refusals_mean_what_the_contract_says(
    status: int, said: object, *, applying: bool, kind: str, repeat: str
) -> None:
    """Every status with its reason and causes has one meaning."""
    failure = _refused(status, said, applying=applying)
    assert (failure.kind, failure.repeat, failure.status) == (kind, repeat, status)


def test_a_refusal_keeps_what_it_names() -> None:
    """Reason, message, causes and the resource in question are there for whoever shows or judges them."""
    cause = {"reason": "FieldValueInvalid", "message": "immutable", "field": "spec.selector"}
    failure = _refused(422, _status("Invalid", kind="namespaces", causes=[cause]))
    assert (failure.reason, failure.message, failure.about) == ("Invalid", "said so", "namespaces")
    assert failure.causes == (answers.FieldCause("FieldValueInvalid", "immutable", "spec.selector"),)
    assert failure.cause("Deployment a/b") == outcomes.Cause("Invalid", "Deployment a/b", "said so")


def test_plain_text_is_a_message() -> None:
    """An unknown API group answers in plain text, a server in front of the API in whatever it likes."""
    failure = refusals.refused(transport.Answer(404, b"404 page not found\n"))
    assert (failure.reason, failure.message) == ("HTTP404", "404 page not found")


@pytest.mark.parametrize(
    ("header", "seconds", "expected"),
    [(None, 0, None), (None, 3, 3), (7, 3, 7), (0, 3, 3), (0, 0, None), (None, -5, None), (None, 1e300, 3600)],
)
def test_how_long_to_wait_is_bounded(header: float | None, seconds: float, expected: float | None) -> None:
    """The header goes before the body; neither makes us wait for ever, or not at all."""
    assert _refused(429, _status("", retryAfterSeconds=seconds), retry_after=header).retry_after == expected


@hypothesis.given(strategies.integers(300, 599), strategies.binary() | strategies.text().map(str.encode))
def test_whatever_is_said_is_one_bounded_line(status: int, body: bytes) -> None:
    """No body makes a refusal fail, flood a screen, or write on it."""
    failure = refusals.refused(transport.Answer(status, body))
    assert len(failure.message) <= 400
    assert failure.message.isprintable()
    assert failure.message


@pytest.mark.parametrize("reason", ["x" * 99, "No\nSuch", "\x1b[31m", "a b", "\u00e4", ""])
def test_reasons_are_words(reason: str) -> None:
    """A reason that Kubernetes would not write is replaced by the status: it is stored, grouped by and shown."""
    assert _refused(422, _status(reason)).reason == "HTTP422"


@pytest.mark.parametrize("kind", typing.get_args(transport.Kind))
def test_every_silence_has_a_name(kind: transport.Kind) -> None:
    """Whatever breaks on the wire is a failure with a reason; only a broken link may be tried again."""
    failure = refusals.silent(transport.Broken(kind, "line one\nline two \x1b[31m" + "x" * 999, sent=True))
    assert failure.reason.isalnum()
    assert failure.message.isprintable()
    assert len(failure.message) <= 400
    assert (failure.repeat == "always") == (failure.kind == "unreachable")


def test_distrust_is_no_silence() -> None:
    """A server that is not believed is another thing than one that is away."""
    kinds = {kind: refusals.silent(transport.Broken(kind, "", sent=False)).kind for kind in ("untrusted", "wrong-name")}
    assert set(kinds.values()) == {"tls"}


@pytest.mark.parametrize(
    ("status", "body", "classified", "turned_away"),
    [
        (429, b"Too many requests, please try again later.\n", True, True),
        (429, b"Too many requests, please try again later.\n", False, False),
        (429, msgspec.json.encode(_status("TooManyRequests")), True, False),
        (503, b"", True, False),
    ],
)
def test_a_server_that_rations_is_told(status: int, body: bytes, *, classified: bool, turned_away: bool) -> None:
    """What API Priority and Fairness turns away has its headers and plain text; an eviction's 429 is a Status."""
    failure = refusals.refused(transport.Answer(status, body, 1.0, classified=classified))
    assert ("Priority and Fairness" in failure.message) == turned_away
    assert (failure.kind, failure.repeat, failure.retry_after) == ("busy", "always", 1.0)


def test_a_status_without_end_is_some_text() -> None:
    """A refusal with a million causes is not taken apart."""
    body = b'{"kind":"Status","reason":"Invalid","details":{"causes":[' + b"{}," * 1_000_000 + b"{}]}}"
    failure = refusals.refused(transport.Answer(422, body))
    assert (failure.reason, failure.causes) == ("HTTP422", ())
