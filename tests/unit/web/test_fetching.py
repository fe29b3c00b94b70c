"""Questions over HTTP, against a local server that behaves and misbehaves."""

import gzip
import pathlib
import ssl
import threading
from collections.abc import Callable

import pytest

from fleetctl.web import fetching
from tests.kubebox import certificates
from tests.unit.web import serving


def _fails(behave: Callable[[serving.Handler], None], path: str = "/a", **options: float) -> fetching.FetchError:
    client = {"timeout": 5.0, **options}
    with (
        serving.serving(behave) as base,
        fetching.Client(base, {"Authorization": "Token secret"}, timeout=client["timeout"], most=1000) as asking,
        pytest.raises(fetching.FetchError) as caught,
    ):
        asking.ask(path)
    assert "secret" not in str(caught.value)
    return caught.value


def test_an_answer() -> None:
    """Path, headers and a JSON body arrive; the answer comes back as it is."""
    seen = []

    def behave(handler: serving.Handler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        seen.append((handler.command, handler.path, handler.headers["X-Token"], body))
        serving.answer(200, b'{"a": 1}')(handler)

    with serving.serving(behave) as base, fetching.Client(f"{base}/api/", {"X-Token": "t"}) as client:
        answer = client.ask("/v1/x?y=1", "POST", {"k": "v"})
    assert seen == [("POST", "/api/v1/x?y=1", "t", b'{"k":"v"}')]
    assert answer.json() == {"a": 1}


@pytest.mark.parametrize(
    ("status", "failure"),
    [(401, "refused"), (403, "refused"), (404, "missing"), (500, "broken"), (503, "unreachable"), (429, "unreachable")],
)
def test_other_statuses_are_failures(status: int, failure: str) -> None:
    """Each status has a kind, and the number stays."""
    error = _fails(serving.answer(status))
    assert (error.failure, error.status) == (failure, status)


def test_no_redirect_is_followed() -> None:
    """A token would travel with it."""
    error = _fails(serving.answer(302, b"", Location="http://127.0.0.1:1/"))
    assert (error.failure, error.status) == ("broken", 302)


def test_endless_answers_are_cut() -> None:
    """The limit is on what a body unfolds to."""
    assert _fails(serving.answer(200, b"x" * 1001)).failure == "too-large"
    assert _fails(serving.answer(200, gzip.compress(b"x" * 100_000), Content_Encoding="gzip")).failure == "too-large"
    assert _fails(serving.answer(200, b"no gzip", Content_Encoding="gzip")).failure == "broken"


def test_silence_ends() -> None:
    """A service that says nothing is unreachable."""
    gone = threading.Event()

    def behave(_: serving.Handler) -> None:
        gone.wait(5)

    error = _fails(behave, timeout=0.2)
    gone.set()
    assert error.failure == "unreachable"


def test_other_places_are_not_asked() -> None:
    """A next page on another host would get our token."""
    assert _fails(serving.answer(200), "https://elsewhere.example/next").failure == "broken"
    assert _fails(serving.answer(200), "http://[").failure == "broken"


def test_nobody_there() -> None:
    """A refused connection is unreachable."""
    with (
        fetching.Client("http://127.0.0.1:1") as client,
        pytest.raises(fetching.FetchError, match="refused") as caught,
    ):
        client.ask("/")
    assert caught.value.failure == "unreachable"


def test_authorities(tmp_path: pathlib.Path) -> None:
    """TLS is verified: by the given authority it holds, without it it does not."""
    authority = certificates.Authority("web")
    pair = authority.server()
    files = {"ca": authority.certificate, "pair": pair.certificate + pair.key}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair")
    with serving.serving(serving.answer(200), context) as base:
        with fetching.Client(base, authority=str(tmp_path / "ca")) as client:
            assert client.ask("/").status == 200
        with fetching.Client(base) as client, pytest.raises(fetching.FetchError) as caught:
            client.ask("/")
    assert caught.value.failure == "untrusted"


def test_what_cannot_be_is_said_at_once(tmp_path: pathlib.Path) -> None:
    """An authority that is none, headers that cannot be sent, an address that is none."""
    with pytest.raises(fetching.FetchError, match="authority"):
        fetching.Client("https://x.example", authority=str(tmp_path / "none"))
    with pytest.raises(fetching.FetchError, match="cannot be sent"):
        fetching.Client("https://x.example", {"X-Token": "sécret\u2603"})
    with pytest.raises(fetching.FetchError, match="not an address"):
        fetching.Client("http://[")


@pytest.mark.parametrize("value", ["s3cret\nHost: y", "s3cret\x00"], ids=["lines", "zero"])
def test_a_header_that_cannot_be_sent_is_not_quoted(value: str) -> None:
    """The library's own words show the value, and it may be a token."""
    with (
        serving.serving(serving.answer(200)) as base,
        fetching.Client(base, {"X-Token": value}) as client,
        pytest.raises(fetching.FetchError) as caught,
    ):
        client.ask("/")
    assert (caught.value.failure, "s3cret" in caught.value.message) == ("broken", False)


def test_answers_that_are_not_json() -> None:
    """They are told apart from answers that are."""
    with pytest.raises(fetching.FetchError, match="not JSON"):
        fetching.Answer(200, {}, b"<html>").json()
