"""Whole collections in pages: what is asked, what begins again, and where a list without an end ends."""

import asyncio

import msgspec
import pytest

from fleetctl.kube import answers, lists

PATH = "/api/v1/pods"


class Server:
    """Answers by a script, and keeps what it is asked."""

    def __init__(self, *script: dict[str, object] | answers.Failure) -> None:
        """Take what is said in order; the last for ever."""
        self.script = list(script)
        self.asked: list[str] = []

    async def page(self, path: str, *, metadata_only: bool = False) -> bytes:
        """Say the next thing."""
        assert not metadata_only
        self.asked.append(path.removeprefix(PATH))
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, answers.Failure):
            raise said
        return msgspec.json.encode(said)


def _page(*items: str, after: str = "", version: str = "7") -> dict[str, object]:
    return {"metadata": {"continue": after, "resourceVersion": version}, "items": list(items)}


def _gone() -> answers.Failure:
    return answers.Failure("missing", "Expired", "too old", status=410)


def _whole(server: Server) -> lists.Whole:
    return asyncio.run(lists.whole(server, PATH, {"labelSelector": "a=b"}))


def test_pages_follow_one_another() -> None:
    """Each page says where the next begins; the version is that of the moment they all show."""
    server = Server(_page("a", "b", after="x/y"), _page("c"))
    assert _whole(server) == ([b'"a"', b'"b"', b'"c"'], "7")
    assert server.asked == ["?labelSelector=a%3Db&limit=500", "?labelSelector=a%3Db&limit=500&continue=x%2Fy"]


def test_an_empty_list_may_be_null() -> None:
    """As Go writes it."""
    assert _whole(Server({"metadata": {}, "items": None})) == ([], "")


def test_what_was_forgotten_begins_again() -> None:
    """Once in pages, then in one piece; what was taken before is not in it twice."""
    server = Server(_page("a", after="1"), _gone(), _page("a", after="2"), _gone(), _page("a", "b", version="9"))
    assert _whole(server) == ([b'"a"', b'"b"'], "9")
    assert server.asked[-1] == "?labelSelector=a%3Db"


def test_what_was_never_begun_is_not_begun_again() -> None:
    """A 410 without a page before it is an answer like others."""
    server = Server(_gone())
    with pytest.raises(answers.Failure) as caught:
        _whole(server)
    assert (caught.value.status, len(server.asked)) == (410, 1)


def test_other_failures_are_not_answered_by_another_try() -> None:
    """They are the caller's."""
    server = Server(_page("a", after="1"), answers.Failure("forbidden", "Forbidden", "no", status=403))
    with pytest.raises(answers.Failure, match="no"):
        _whole(server)
    assert len(server.asked) == 2


def test_lists_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that goes round in circles, has too many pages, or is too large is given up."""
    circle = Server(_page("a", after="1"))
    with pytest.raises(answers.Failure) as caught:
        _whole(circle)
    assert (caught.value.reason, len(circle.asked)) == ("ListTooLong", 2)
    monkeypatch.setattr(lists, "_MOST_PAGES", 5)
    pages = Server(*(_page(after=str(number)) for number in range(10)))
    with pytest.raises(answers.Failure, match="longer than any"):
        _whole(pages)
    assert len(pages.asked) == 5
    monkeypatch.setattr(lists, "_MOST_BYTES", 1000)
    large = Server(*(_page("x" * 600, after=str(number)) for number in range(10)))
    with pytest.raises(answers.Failure, match="longer than any"):
        _whole(large)
    assert len(large.asked) == 2
    many = Server({"items": [{}] * 200_001})
    with pytest.raises(answers.Failure, match="longer than any"):
        _whole(many)
    token = Server(_page("a", after="x" * 9000))
    with pytest.raises(answers.Failure, match="longer than any"):
        _whole(token)
    assert len(token.asked) == 1
