"""How gates are asked: real answers of a local server, bad ones of every sort, and secrets that stay secret."""

import asyncio
import json
import pathlib
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from fleetctl.model import errors, gates, outcomes, plans, secretrefs
from fleetctl.rollout import probing
from fleetctl.runs import gatekeeping
from fleetctl.secrets import providers
from fleetctl.state import runs
from tests.unit.state import making
from tests.unit.web import serving

RECORDED = json.loads(pathlib.Path(__file__).with_name("prometheus.json").read_text(encoding="utf-8"))
"""What a real Prometheus answered to ``GET /api/v1/query``: status and body by query."""
TOKEN = "t0ken-of-the-gate"  # noqa: S105  # of a test
FACTS = gatekeeping.Facts("r-1", "rollout", "p1:0", "shops", "pos", "1.0.0", 1, "canary", 2)


class Asking:
    """Gates as a run asks them, with the journal and variables of the test."""

    def __init__(self, folder: pathlib.Path, journal: making.Journal) -> None:
        self.journal = journal
        around = providers.Surroundings(folder, {"GATE_TOKEN": TOKEN, "PATH": "/usr/bin:/bin", "TWO_LINES": "a\nb"})
        self.troubles: dict[str, str] = {}
        self.prober = probing.Prober(journal.store, around, self._look)

    async def _look(self, rows: Sequence[runs.Row]) -> dict[str, str]:
        assert {row.outcome for row in rows} <= {outcomes.Outcome.CHANGED, outcomes.Outcome.UNCHANGED}
        return self.troubles

    def ask(self, facts: gatekeeping.Facts = FACTS, **kind: Any) -> gatekeeping.Answer:  # noqa: ANN401
        """Ask a gate of a kind."""
        return asyncio.run(self.prober.ask(gates.Gate("g", **kind), facts))

    def http(self, url: str, *statuses: int, variable: str = "", timeout: float = 5.0) -> gatekeeping.Answer:
        """Ask over HTTP, with a secret from a variable if one is named."""
        reference = secretrefs.Reference("env", variable)
        headers = (gates.Header("Authorization", secret=reference, prefix="Bearer "),) if variable else ()
        return self.ask(http=gates.Ask(url, headers, statuses, timeout))

    def promql(self, behave: Callable[[serving.Handler], None], condition: str) -> gatekeeping.Answer:
        """Put a query to a server that behaves so."""
        match = gates.CONDITION.fullmatch(condition)
        assert match
        with serving.serving(behave) as url:
            at = gates.Ask(f"{url}/prom/")
            said = gates.Condition(match["sign"], float(match["number"]))
            return self.ask(promql=gates.Promql(at, 'rate(errors_total{job="pos"}[5m])', said))


@pytest.fixture
def asking(tmp_path: pathlib.Path) -> Iterator[Asking]:
    """Gates of a project in a folder of its own."""
    with making.opened(tmp_path) as journal:
        yield Asking(tmp_path, journal)


@pytest.mark.parametrize(
    ("status", "wanted", "good", "seen"),
    [
        (200, (), True, "answered 200"),
        (204, (), True, "answered 204"),
        (404, (), False, "answered 404 Not Found"),
        (503, (), False, "answered 503 Service Unavailable"),
        (404, (404, 410), True, "answered 404"),
        (200, (404, 410), False, "answered 200, not 404 or 410"),
        (302, (), False, "answered 302 Found"),
        (302, (302,), True, "answered 302"),
    ],
)
def test_statuses(asking: Asking, status: int, wanted: tuple[int, ...], seen: str, *, good: bool) -> None:
    """What is expected, or each of 200 to 299; a redirect is an answer, and not followed."""
    with serving.serving(serving.answer(status, Location="http://127.0.0.1:9/")) as url:
        assert asking.http(f"{url}/ready", *wanted) == gatekeeping.Answer(good, seen)


def test_a_secret_is_sent_and_never_told(asking: Asking) -> None:
    """The header has it; no answer does, whatever the service says back."""
    heard: list[str] = []

    def behave(handler: serving.Handler) -> None:
        heard.append(handler.headers["Authorization"])
        serving.answer(401, handler.headers["Authorization"].encode())(handler)

    with serving.serving(behave) as url:
        answer = asking.http(url, variable="GATE_TOKEN")
    assert heard == [f"Bearer {TOKEN}"]
    assert (answer.good, answer.seen) == (False, "answered 401 Unauthorized")


def test_secrets_that_cannot_be_sent(asking: Asking) -> None:
    """One that is gone, or would end the header, is a bad answer and not quoted."""
    with serving.serving(serving.answer(200)) as url:
        assert "POS" in asking.http(url, variable="POS_MISSING").seen
        answer = asking.http(url, variable="TWO_LINES")
    assert (answer.good, answer.seen) == (False, "a header or proxy setting cannot be sent")


def test_nobody_there(asking: Asking) -> None:
    """A service that is down, or is silent, or cannot be trusted, lets nobody pass."""
    with serving.serving(serving.answer(200)) as url:
        pass
    assert not asking.http(url).good

    def silent(handler: serving.Handler) -> None:
        handler.rfile.read(1)

    with serving.serving(silent) as url:
        assert asking.http(url, timeout=0.3).seen == "no answer within 0.3 s"


def _prometheus(kind: str, result: object) -> Callable[[serving.Handler], None]:
    body = {"status": "success", "data": {"resultType": kind, "result": result}}
    return serving.answer(200, json.dumps(body).encode())


def _vector(*values: str) -> Callable[[serving.Handler], None]:
    return _prometheus(
        "vector",
        [{"metric": {"__name__": "up", "site": f"s{n}"}, "value": [1.5, one]} for n, one in enumerate(values, 1)],
    )


@pytest.mark.parametrize(
    ("values", "condition", "good", "seen"),
    [
        (["0.01"], "<= 0.01", True, 'up{site="s1"} is 0.01: <= 0.01'),
        (["0.02"], "<= 0.01", False, 'up{site="s1"} is 0.02: not <= 0.01'),
        (["0", "0.02", "0"], "<= 0.01", False, 'up{site="s2"} is 0.02: not <= 0.01'),
        (["NaN"], "<= 0.01", False, 'up{site="s1"} is NaN: not <= 0.01'),
        (["NaN"], "!= 0", False, 'up{site="s1"} is NaN: not != 0'),
        (["+Inf"], "<= 1e9", False, 'up{site="s1"} is +Inf: not <= 1e+09'),
        (["-Inf"], "< 0", True, 'up{site="s1"} is -Inf: < 0'),
        (["1", "1"], "== 1", True, 'up{site="s1"} is 1; up{site="s2"} is 1: == 1'),
        (["1"] * 5, ">= 1", True, 'up{site="s1"} is 1; up{site="s2"} is 1; up{site="s3"} is 1; and 2 more: >= 1'),
        ([], ">= 0", False, "the query found nothing, which is no answer"),
    ],
)
def test_values_of_a_query(asking: Asking, values: list[str], condition: str, seen: str, *, good: bool) -> None:
    """Every one must meet the condition; nothing, and what is no number, never does."""
    assert asking.promql(_vector(*values), condition) == gatekeeping.Answer(good, seen)


@pytest.mark.parametrize(
    ("query", "condition", "seen"),
    [
        ("up", "< 1", 'up{instance="127.0.0.1:19090", job="self"} is 0: < 1'),
        ("scalar(up)", "== 0", "the value is 0: == 0"),
        ("vector(0.005)", "<= 0.01", "the value is 0.005: <= 0.01"),
        ("nothing_there", ">= 0", "not: the query found nothing, which is no answer"),
        ("up{", ">= 0", "not: refused the query: bad_data: invalid parameter"),
        ('"text"', ">= 0", "not: the query gives a string"),
        ("up[5s]", ">= 0", "not: the query gives a matrix"),
        ("up / 0", ">= 0", 'not: {instance="127.0.0.1:19090", job="self"} is NaN: not >= 0'),
        ('vector(1) or label_replace(vector(3), "a", "b", "", "")', "<= 2", 'not: {a="b"} is 3: not <= 2'),
    ],
)
def test_answers_of_a_real_prometheus(asking: Asking, query: str, condition: str, seen: str) -> None:
    """As it was recorded: what it says is understood."""
    status, body = RECORDED["answers"][query]
    answer = asking.promql(serving.answer(status, json.dumps(body).encode()), condition)
    assert f"{'' if answer.good else 'not: '}{answer.seen}".startswith(seen)


def test_how_a_query_is_put(asking: Asking) -> None:
    """Below the address that was given, as Prometheus has it."""
    heard: list[str] = []

    def behave(handler: serving.Handler) -> None:
        heard.append(handler.path)
        _prometheus("scalar", [1.5, "3"])(handler)

    assert asking.promql(behave, "> 2").seen == "the value is 3: > 2"
    parts = urllib.parse.urlsplit(heard[0])
    assert parts.path == "/prom/api/v1/query"
    assert urllib.parse.parse_qs(parts.query) == {"query": ['rate(errors_total{job="pos"}[5m])']}


@pytest.mark.parametrize(
    ("behave", "seen"),
    [
        (
            serving.answer(400, b'{"status":"error","errorType":"bad_data","error":"1:6: parse error: no \\")\\""}'),
            'refused the query: bad_data: 1:6: parse error: no ")"',
        ),
        (serving.answer(503, b"upstream"), "answered 503 Service Unavailable"),
        (serving.answer(200, b"<html>"), "the answer is not JSON"),
        (serving.answer(200, b"[]"), "the answer is not one of a Prometheus"),
        (serving.answer(200, b'{"status":"error"}'), "the answer is not one of a Prometheus"),
        (_prometheus("vector", [{"metric": None, "value": [1, "1"]}]), "the answer is not one of a Prometheus"),
        (_prometheus("vector", [{"metric": {}, "value": []}]), "the answer is not one of a Prometheus"),
        (_prometheus("vector", [{"metric": {}, "histogram": [1, {}]}]), "the value is a histogram: not >= 0"),
        (_prometheus("matrix", []), "the query gives a matrix; a gate needs numbers of one moment"),
        (_prometheus("string", [1, "1"]), "the query gives a string; a gate needs numbers of one moment"),
    ],
    ids=["refused", "down", "html", "list", "error", "no-labels", "no-value", "histogram", "matrix", "string"],
)
def test_answers_that_are_none(asking: Asking, behave: Callable[[serving.Handler], None], seen: str) -> None:
    """Whatever is no answer is a bad one, with the reason."""
    assert asking.promql(behave, ">= 0") == gatekeeping.Answer(good=False, seen=seen)


def test_health_of_a_wave(asking: Asking) -> None:
    """Of all its members, as they are now: those that were skipped are not as the run wants them, either."""
    run = asking.journal.run(*(runs.RowSeed(site, 1, "r1:new") for site in "abcd"), runs.RowSeed("e", 2, "r1:new"))
    taken = asking.journal.claim(run.id)
    ends = dict(
        zip("abcd", [outcomes.Outcome.CHANGED] * 2 + [outcomes.Outcome.UNCHANGED, outcomes.Outcome.FAILED], strict=True)
    )
    asking.journal.finish(run.id, *((one, making.result(ends[one.site])) for one in taken.claims))
    facts = gatekeeping.Facts(run.id, "rollout", "p1:0", "shops", "pos", "1.0.0", 1, "canary", 4)
    good = asking.ask(facts, health=gates.Health(75))
    assert good == gatekeeping.Answer(good=True, seen="3 of 4 sites are as wanted (75 %)")
    bad = asking.ask(facts, health=gates.Health(75.5))
    assert bad == gatekeeping.Answer(good=False, seen="less than 75.5 %: 3 of 4 sites are as wanted (75 %)")
    asking.troubles = {"b": "Deployment pos/a is gone"}
    bad = asking.ask(facts, health=gates.Health(75))
    assert not bad.good
    assert bad.seen.endswith("2 of 4 sites are as wanted (50 %); no longer 1, e.g. b: Deployment pos/a is gone")


def test_secrets_are_looked_up_before_a_run(tmp_path: pathlib.Path) -> None:
    """One that is not there is told with its provider; those of several gates together."""
    asks = [
        gates.Gate(name, http=gates.Ask("https://x/", (gates.Header("A", secret=secretrefs.Reference("env", name)),)))
        for name in ("ONE", "TWO")
    ]
    strategy = plans.Strategy(gates=tuple(asks))
    with pytest.raises(errors.Unresolved) as caught:
        probing.require(strategy, providers.Surroundings(tmp_path, {}))
    assert len(caught.value.problems) == 2
    probing.require(strategy, providers.Surroundings(tmp_path, {"ONE": "1", "TWO": "2"}))
