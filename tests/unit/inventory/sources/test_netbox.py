"""NetBox as a source, on a local server that speaks its REST API and misbehaves as real ones do."""

import pathlib
from collections.abc import Callable
from typing import Any
from urllib import parse

import pytest

from fleetctl.inventory.sources import netbox, records
from fleetctl.model import codes, problems
from fleetctl.schema import sources
from tests.unit.inventory.sources import netboxes
from tests.unit.web import serving

MARK = problems.Mark("inventory/sources/nb.yaml", 4, 9)


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB", netboxes.V2)


def _gather(
    box: netboxes.NetBox, folder: pathlib.Path, own: dict[str, Any] | None = None, **more: object
) -> records.Gathered:
    """Ask a NetBox; waits are kept, not waited."""
    with box.serve() as base:
        settings = sources.Netbox.model_validate({"url": base, "token": {"env": "NB"}, "pageSize": 2, **more})
        taken = {key: sources.Taken.model_validate(_spelled(one)) for key, one in (own or {}).items()}
        try:
            return netbox.gather(settings, taken, folder, MARK, WAITS.append)
        except records.Failed as failed:
            said = [
                problems.Problem(one.code, one.message.replace(base, "BASE"), one.mark, one.field)
                for one in failed.problems
            ]
            raise records.Failed(said) from None


WAITS: list[float] = []


def _spelled(one: object) -> object:
    return {"from": one} if isinstance(one, str) else one


def _fails(box: netboxes.NetBox, folder: pathlib.Path, token: object = None) -> problems.Problem:
    with pytest.raises(records.Failed) as caught:
        _gather(box, folder, token=token or {"env": "NB"})
    (problem,) = caught.value.problems
    return problem


def test_sites_and_their_nodes(tmp_path: pathlib.Path) -> None:
    """Sites with what they have built in, devices and machines at them by role, others counted."""
    box = netboxes.NetBox(
        sites=[netboxes.site(1), netboxes.site(2, status={"value": "staging"}, region=None, latitude=None)],
        devices=[
            netboxes.device(11, 1),
            netboxes.device(12, 1, role={"slug": "edge-agent"}),
            netboxes.device(13, 9),
            netboxes.device(14, None),
            netboxes.device(15, 1, role={"slug": "switch"}),
        ],
        machines=[netboxes.device(11, 2)],
    )
    nodes = [
        {"from": "devices", "filter": {"role": "edge-server"}},
        {"from": "devices", "filter": {"role": ["edge-agent"]}, "role": "agent"},
        {"from": "virtual-machines"},
    ]
    gathered = _gather(box, tmp_path, nodes=nodes)
    assert gathered.sites == [
        {
            "name": "store-00001",
            "labels": {"region": "eu-north"},
            "location": {"lat": 59.91, "lon": 10.75, "timezone": "Europe/Oslo"},
            "state": "active",
            "nodes": [
                {"name": "store-1-n11", "address": "10.0.1.11", "role": "server"},
                {"name": "store-1-n12", "address": "10.0.1.12", "role": "agent"},
            ],
        },
        {
            "name": "store-00002",
            "location": {"lon": 10.75, "timezone": "Europe/Oslo"},
            "state": "planned",
            "nodes": [{"name": "store-2-n11", "address": "10.0.2.11", "role": "server"}],
        },
    ]
    assert gathered.notes[-1] == "2 devices are at no site, or at one that was not asked for; left out"


def test_own_map(tmp_path: pathlib.Path) -> None:
    """Tags, custom fields and config contexts go where the source puts them."""
    box = netboxes.NetBox(sites=[netboxes.site(1)], devices=[netboxes.device(11, 1)])
    own = {
        "name": "name",
        "labels.ring": "custom_fields.ring",
        "labels": {"from": "tags.slug", "type": "flags", "prefix": "tag.example/"},
        "vars.pos.terminals": "custom_fields.terminals",
        "vars.pos.note": "custom_fields.note",
        "node.arch": "custom_fields.arch",
        "node.vars": "config_context",
    }
    (made,) = _gather(box, tmp_path, own, nodes=[{}]).sites
    assert made["name"] == "store-1"
    assert made["labels"] == {"region": "eu-north", "ring": "2", "tag.example/gpu": "true"}
    assert made["vars"] == {"pos": {"terminals": 6}}
    assert made["nodes"][0]["arch"] == "arm64"
    assert made["nodes"][0]["vars"] == {"ntp": ["192.0.2.1"]}


def test_few_questions_for_little(tmp_path: pathlib.Path) -> None:
    """Whole pages, in a fixed order, only the fields that rules look at; no config context that nobody asked for."""
    box = netboxes.NetBox(sites=[netboxes.site(n) for n in range(1, 6)], devices=[netboxes.device(11, 1)])
    _gather(box, tmp_path, sites={"tag": ["gpu"], "status": "active"}, nodes=[{}])
    assert [query.get("offset") for path, query in box.asked if path.endswith("sites/")] == [["0"], ["2"], ["4"]]
    assert len(box.asked) == 4
    _, query = box.asked[0]
    assert query["fields"] == ["id,latitude,longitude,region,slug,status,tenant,time_zone"]
    assert (query["ordering"], query["limit"], query["tag"], query["status"]) == (["id"], ["2"], ["gpu"], ["active"])
    path, query = box.asked[-1]
    assert path == "/api/dcim/devices/"
    assert query["fields"] == ["id,name,primary_ip4,site"]
    assert query["exclude"] == ["config_context"]
    box.asked.clear()
    _gather(box, tmp_path, {"node.vars": "config_context"}, nodes=[{}])
    assert "exclude" not in box.asked[-1][1]


def test_a_server_may_give_smaller_pages(tmp_path: pathlib.Path) -> None:
    """MAX_PAGE_SIZE of a NetBox counts for more than what is asked for."""
    box = netboxes.NetBox(sites=[netboxes.site(n) for n in range(1, 8)])
    box.most = 3
    assert len(_gather(box, tmp_path, pageSize=500).sites) == 7
    assert len(box.asked) == 3


@pytest.mark.parametrize(("token", "header"), [(netboxes.V1, "Token"), (netboxes.V2, "Bearer")])
def test_both_sorts_of_tokens(tmp_path: pathlib.Path, token: str, header: str) -> None:
    """A token of version 2 says so; it may stand in a file, and a line feed behind it does not count."""
    (tmp_path / "token").write_text(f"{token}\n", encoding="ascii")
    box = netboxes.NetBox(sites=[netboxes.site(1)])
    assert len(_gather(box, tmp_path, token={"file": "token"}).sites) == 1
    assert box.tokens == [f"{header} {token}"]


def test_a_token_that_is_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a matter of the operator's credentials, and the token is not shown."""
    monkeypatch.setenv("NB", "hunter2hunter2")
    problem = _fails(netboxes.NetBox(), tmp_path)
    assert problem.code is codes.Code.SOURCE_REFUSED
    assert problem.message.startswith("BASE/api/dcim/sites/ says 403 Forbidden: the token is wrong")
    assert "hunter2" not in problem.message


def _at(
    number: int, answer: Callable[[serving.Handler], None], times: int = 1
) -> Callable[[serving.Handler, int], bool]:
    """Answer question ``number``, and so many in all from there, in another way."""

    def before(handler: serving.Handler, asked: int) -> bool:
        if not number <= asked < number + times:
            return False
        answer(handler)
        return True

    return before


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (serving.answer(500, b"<h1>Server Error</h1>"), "source/bad-answer", "500 Internal Server Error"),
        (serving.answer(200, b"<html>login"), "source/bad-answer", "the answer is not JSON"),
        (serving.answer(200, b"[]"), "source/bad-answer", "expected a map, got a list"),
        (serving.answer(200, b'{"detail": 1}'), "source/bad-answer", "it is no list of NetBox"),
        (serving.answer(200, b'{"count": 1, "results": [1]}'), "source/bad-answer", "something in it has no id"),
        (serving.answer(200, b'{"count": 5, "results": [], "next": "x"}'), "source/bad-answer", "a page is empty"),
        (serving.answer(302, b"", Location="https://elsewhere.example/"), "source/bad-answer", "redirects (302 Found)"),
        (serving.answer(404, b"{}"), "source/bad-answer", "404 Not Found"),
        (serving.answer(502, b""), "source/unreachable", "502 Bad Gateway"),
    ],
    ids=["500", "html", "list", "no-list", "no-id", "empty", "redirect", "404", "502"],
)
@pytest.mark.parametrize("question", [1, 2])
def test_useless_answers(
    tmp_path: pathlib.Path, answer: Callable[[serving.Handler], None], code: str, message: str, question: int
) -> None:
    """On the first page or in the middle of paging: nothing of the list is used."""
    box = netboxes.NetBox(sites=[netboxes.site(n) for n in range(1, 6)])
    box.before = _at(question, answer, times=9)
    problem = _fails(box, tmp_path)
    assert (problem.code, problem.mark) == (code, MARK)
    assert message in problem.message


def test_a_busy_server_is_given_time(tmp_path: pathlib.Path) -> None:
    """429 and 503 are asked again after the time that they name, or a growing one, and never a silly one."""
    WAITS.clear()
    answers = [
        serving.answer(429, b"", Retry_After="7"),
        serving.answer(503, b""),
        serving.answer(429, b"", Retry_After="86400"),
    ]
    box = netboxes.NetBox(sites=[netboxes.site(1)])

    def before(handler: serving.Handler, asked: int) -> bool:
        if asked <= len(answers):
            answers[asked - 1](handler)
        return asked <= len(answers)

    box.before = before
    assert len(_gather(box, tmp_path).sites) == 1
    assert WAITS == [7, 4, 60]


def test_patience_ends(tmp_path: pathlib.Path) -> None:
    """A server that is always busy is unreachable."""
    box = netboxes.NetBox()
    box.before = _at(1, serving.answer(429, b"", Retry_After="1"), times=99)
    problem = _fails(box, tmp_path)
    assert (problem.code, len(box.asked)) == (codes.Code.SOURCE_UNREACHABLE, 5)


def test_a_site_that_goes_while_pages_are_read(tmp_path: pathlib.Path) -> None:
    """All behind it move up, and one would be missed: the list is read again."""
    box = netboxes.NetBox(sites=[netboxes.site(n) for n in range(1, 6)])
    listed = box.lists["/api/dcim/sites/"]
    gone = []

    def before(_: serving.Handler, asked: int) -> bool:
        if asked == 2:
            gone.append(listed.pop(0))
        return False

    box.before = before
    assert [one["name"] for one in _gather(box, tmp_path).sites] == [f"store-{n:05}" for n in range(2, 6)]


def test_one_goes_and_one_comes(tmp_path: pathlib.Path) -> None:
    """The count is the same, and yet one would be missed: what is there twice, or one too few, tells."""
    box = netboxes.NetBox(sites=[netboxes.site(n) for n in range(2, 7)])
    listed = box.lists["/api/dcim/sites/"]

    def before(_: serving.Handler, asked: int) -> bool:
        if asked == 2:
            listed.pop()
            listed.append(netboxes.site(1))
        return False

    box.before = before
    assert [one["name"] for one in _gather(box, tmp_path).sites] == [f"store-{n:05}" for n in range(1, 6)]


def test_a_list_that_never_holds_still(tmp_path: pathlib.Path) -> None:
    """Then nobody can say what is in it."""
    box = netboxes.NetBox(sites=[netboxes.site(n) for n in range(1, 30)])
    listed = box.lists["/api/dcim/sites/"]

    def before(_: serving.Handler, __: int) -> bool:
        listed.pop()
        return False

    box.before = before
    problem = _fails(box, tmp_path)
    assert problem.code is codes.Code.SOURCE_BAD_ANSWER
    assert "changed while it was read" in problem.message


def test_mistakes_name_the_page(tmp_path: pathlib.Path) -> None:
    """Where people go to mend them, all at once; a device without an address is one."""
    box = netboxes.NetBox(
        sites=[netboxes.site(1, status={"value": "closed"}), netboxes.site(2, slug="store-00001"), netboxes.site(3)],
        devices=[netboxes.device(11, 3, primary_ip4=None)],
    )
    with pytest.raises(records.Failed) as caught:
        _gather(box, tmp_path, {"labels.ring": "custom_fields.rnig"}, nodes=[{}])
    said = [(parse.urlsplit(str(one.mark)).path if one.mark else "", str(one.code)) for one in caught.value.problems]
    assert said == [
        ("", "source/unknown-field"),
        ("/dcim/devices/11/", "inventory/missing-key"),
        ("/dcim/sites/1/", "source/bad-record"),
        ("/dcim/sites/2/", "source/duplicate-name"),
    ]
