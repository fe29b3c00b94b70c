"""The loop of a run: claim, visit, finish, wave after wave."""

import asyncio
import dataclasses
import pathlib
from collections.abc import Awaitable, Callable

import pytest

from fleetctl.model import errors, events, outcomes, plans, sites
from fleetctl.runs import stopping, tickets, windows, working
from fleetctl.state import claims, runs
from tests.unit.state import making

CHANGED, FAILED, SILENT = outcomes.Outcome.CHANGED, outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE
Visit = Callable[[tickets.Ticket], Awaitable[outcomes.Result | None]]


def _plan(*sizes: int, max_failed: int = 0) -> plans.Plan:
    waves = tuple(plans.Wave(str(number), size, max_failed, size, size) for number, size in enumerate(sizes, 1))
    names = iter(range(1000))
    members = tuple(
        plans.Member(f"s{next(names):03}", number, "r1:new")
        for number, size in enumerate(sizes, 1)
        for _ in range(size)
    )
    strategy = plans.Strategy(max_failed=plans.Limit(count=max_failed))
    return plans.Plan(plans.Kind.ROLLOUT, "shops", "pos", "1.0.0", "pos", waves, strategy, plans.Options(), members)


@dataclasses.dataclass
class Bench:
    """A run in a journal, and what was heard of it."""

    journal: making.Journal
    plan: plans.Plan
    run: runs.Run
    heard: list[events.Event] = dataclasses.field(default_factory=list)
    stop: stopping.Stop | None = None

    def work(self, visit: Visit, *, concurrency: int = 8, when: windows.Windows = windows.NONE) -> events.RunState:
        """Work on the run until it stands still."""

        async def work() -> events.RunState:
            self.stop = stopping.Stop()
            settings = working.Settings(concurrency=concurrency, poll=0.01)
            store, observe = self.journal.store, self.heard.append
            return await working.work(
                working.Work(store, self.run, self.plan, visit, observe, self.stop, settings, windows=when)
            )

        return asyncio.run(work())

    def outcomes(self) -> dict[str, outcomes.Outcome | None]:
        """Return every site's outcome."""
        rows = self.journal.store.read(lambda conn: runs.sites(conn, self.run.id))
        return {row.site: row.outcome for row in rows}


def _bench(journal: making.Journal, plan: plans.Plan) -> Bench:
    run = journal.run(*(runs.RowSeed(one.site, one.wave, one.release) for one in plan.members))
    return Bench(journal, plan, run)


async def _well(_: tickets.Ticket) -> outcomes.Result:
    await asyncio.sleep(0)
    return making.result()


def test_waves_come_one_after_the_other(tmp_path: pathlib.Path) -> None:
    """No site of a wave is visited before all of the wave before it have their outcome."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(2, 3, 5))
        seen: list[int] = []

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            seen.append(ticket.claim.wave)
            return await _well(ticket)

        assert bench.work(visit) is events.RunState.FINISHED
        assert seen == [1, 1, 2, 2, 2, 3, 3, 3, 3, 3]
        assert set(bench.outcomes().values()) == {CHANGED}


def test_events_come_after_their_commit(tmp_path: pathlib.Path) -> None:
    """R6: whoever hears of an outcome finds it in the journal."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(3))
        found: list[outcomes.Outcome | None] = []

        def observe(event: events.Event) -> None:
            if isinstance(event, events.SiteEnded):
                found.append(bench.outcomes()[event.site])

        bench.heard = _Heard(observe)
        bench.work(_well)
        assert found == [CHANGED] * 3


class _Heard(list[events.Event]):
    """A list that tells what is added to it."""

    def __init__(self, observe: events.Observe) -> None:
        super().__init__()
        self._observe = observe

    def append(self, event: events.Event) -> None:
        """Add an event."""
        super().append(event)
        self._observe(event)


def test_no_more_visits_than_allowed(tmp_path: pathlib.Path) -> None:
    """Concurrency bounds the visits under way, and is used in full."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(20))
        under_way = most = 0

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.005)
            under_way -= 1
            return await _well(ticket)

        bench.work(visit, concurrency=4)
        assert most == 4


def test_a_visit_that_rests_holds_no_slot(tmp_path: pathlib.Path) -> None:
    """All members of a wave rest at once, though one is visited at a time; their leases are kept."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(12))
        resting: set[str] = set()
        visited = most = 0

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            nonlocal visited, most
            visited += 1
            most = max(most, visited)
            await asyncio.sleep(0)
            visited -= 1
            resting.add(ticket.claim.site)
            async with asyncio.timeout(60):
                while len(resting) < 12:
                    await ticket.rest(0.005)
            assert ticket.fence(30)
            return await _well(ticket)

        assert bench.work(visit, concurrency=1) is events.RunState.FINISHED
        assert (most, set(bench.outcomes().values())) == (1, {CHANGED})


def test_a_failure_too_many_halts(tmp_path: pathlib.Path) -> None:
    """Running visits end, nothing new starts, later waves are not opened; sites not started keep no outcome."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(1, 5))

        async def visit(_: tickets.Ticket) -> outcomes.Result:
            await asyncio.sleep(0)
            return making.result(FAILED)

        assert bench.work(visit) is events.RunState.HALTED
        assert list(bench.outcomes().values()) == [FAILED, *[None] * 5]
        ended = bench.heard[-1]
        assert isinstance(ended, events.RunEnded)
        assert ended.why == "1 of 1 site in wave 1 failed (budget 0)"


def test_silence_is_counted_apart(tmp_path: pathlib.Path) -> None:
    """Unreachable sites use up their own budget, not that for failures."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(12))

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            dark = ticket.claim.site < "s003"
            return making.result(SILENT, outcomes.Effect.NONE) if dark else await _well(ticket)

        assert bench.work(visit) is events.RunState.FINISHED


def test_a_stop_drains(tmp_path: pathlib.Path) -> None:
    """R8: asked once, no new site is claimed, running visits end, and the run is paused; a resume does the rest."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(6))

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            assert bench.stop is not None
            if not bench.stop.soft.is_set():
                bench.stop.ask()
            await asyncio.sleep(0.01)
            return await _well(ticket)

        assert bench.work(visit, concurrency=2) is events.RunState.PAUSED
        assert sum(outcome is CHANGED for outcome in bench.outcomes().values()) == 2
        bench.run = journal.store.write_now(lambda conn: runs.resume(conn, bench.run.id, "me", accept_failed=False))
        assert bench.work(_well) is events.RunState.FINISHED
        assert set(bench.outcomes().values()) == {CHANGED}


def test_a_second_stop_cancels(tmp_path: pathlib.Path) -> None:
    """R8: asked twice, requests are cancelled and rows stay as they are; the next resume visits the site again."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(1))

        async def hang(_: tickets.Ticket) -> outcomes.Result:
            assert bench.stop is not None
            bench.stop.ask()
            bench.stop.ask()
            await asyncio.Event().wait()
            return making.result()

        assert bench.work(hang) is events.RunState.PAUSED
        assert bench.outcomes() == {"s000": None}
        bench.run = journal.store.write_now(lambda conn: runs.resume(conn, bench.run.id, "me", accept_failed=False))
        journal.pass_time(claims.LEASE + claims.GRACE)
        assert bench.work(_well) is events.RunState.FINISHED


def test_a_run_that_was_paused_elsewhere_stands_still(tmp_path: pathlib.Path) -> None:
    """Another terminal's pause is seen at the next claim."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(4))

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            await journal.store.write(lambda conn: runs.interrupt(conn, bench.run.id, "by hand", journal.now))
            return await _well(ticket)

        assert bench.work(visit, concurrency=1) is events.RunState.PAUSED
        assert sum(outcome is CHANGED for outcome in bench.outcomes().values()) == 1


def test_a_resumed_run_leaves_outcomes_alone(tmp_path: pathlib.Path) -> None:
    """R11: only sites without an outcome are visited, and the watcher hears of the others as earlier ones."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(3))
        [first] = journal.claim(bench.run.id, most=1).claims
        journal.finish(bench.run.id, (first, making.result()))
        seen: list[str] = []

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            seen.append(ticket.claim.site)
            return await _well(ticket)

        bench.work(visit)
        assert sorted(seen) == ["s001", "s002"]
        earlier = [event.site for event in bench.heard if isinstance(event, events.SiteEnded) and event.earlier]
        assert earlier == ["s000"]


def test_a_lost_lease_is_not_recorded(tmp_path: pathlib.Path) -> None:
    """A visit that returns nothing leaves its row to whoever claims it next."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(1))
        tries = 0

        async def visit(ticket: tickets.Ticket) -> outcomes.Result | None:
            nonlocal tries
            tries += 1
            if tries == 1:
                journal.pass_time(claims.LEASE + claims.GRACE)
                assert not ticket.fence(1.0)
                return None
            assert ticket.fence(30.0)
            return await _well(ticket)

        assert bench.work(visit) is events.RunState.FINISHED
        assert tries == 2


def test_a_machine_that_slept_visits_again(tmp_path: pathlib.Path) -> None:
    """A visit that is still under way when its own process claims the site anew is cancelled, not confused with it."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(1))
        attempts: list[int] = []

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            attempts.append(ticket.claim.attempt)
            if ticket.claim.attempt == 1:
                journal.pass_time(claims.LEASE + claims.GRACE)
                await asyncio.Event().wait()
            return await _well(ticket)

        assert bench.work(visit) is events.RunState.FINISHED
        assert attempts == [1, 2]
        assert bench.outcomes() == {"s000": CHANGED}


def test_a_bug_in_a_visit_is_raised(tmp_path: pathlib.Path) -> None:
    """An exception is a bug: it ends the command, not the site."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(2))

        async def visit(_: tickets.Ticket) -> outcomes.Result:
            await asyncio.sleep(0)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            bench.work(visit)
        assert set(bench.outcomes().values()) == {None}


def test_a_store_that_fails_stops_the_run(tmp_path: pathlib.Path) -> None:
    """An outcome that cannot be recorded must not happen: the store's error ends the run."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(3))

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            await journal.store.write(lambda conn: conn.execute("PRAGMA max_page_count = 1"))
            evidence = bytes(range(256)) * 4096
            result = await _well(ticket)
            return outcomes.Result(result.outcome, result.effect, evidence=evidence)

        with pytest.raises(errors.NotConfigured):
            bench.work(visit)


_LOCKED = making.result(outcomes.Outcome.SKIPPED, outcomes.Effect.NONE, outcomes.Reason.LOCKED)


@pytest.mark.parametrize("times", [1, 2])
def test_a_site_that_another_holds_is_tried_again_at_the_end(tmp_path: pathlib.Path, times: int) -> None:
    """Once, when its wave has nothing else left, with the same claim; then it is skipped and owed."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(3, 1))
        seen: list[str] = []

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            seen.append(ticket.claim.site)
            await asyncio.sleep(0)
            held = ticket.claim.site == "s000" and seen.count("s000") <= times
            return _LOCKED if held else making.result()

        assert bench.work(visit, concurrency=1) is events.RunState.FINISHED
        assert seen == ["s000", "s001", "s002", "s000", "s003"]
        row = next(row for row in journal.store.read(lambda conn: runs.sites(conn, bench.run.id)) if row.site == "s000")
        if times == 1:
            assert (row.outcome, row.attempt) == (CHANGED, 1)
        else:
            assert (row.outcome, row.reason, row.owed) == (outcomes.Outcome.SKIPPED, outcomes.Reason.LOCKED, True)


def test_sites_that_are_tried_again_keep_the_bound(tmp_path: pathlib.Path) -> None:
    """No more visits at a time than at first, however many were held."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(5))
        seen: list[str] = []
        under_way: set[str] = set()

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            under_way.add(ticket.claim.site)
            assert len(under_way) <= 2
            await asyncio.sleep(0.002)
            under_way.discard(ticket.claim.site)
            seen.append(ticket.claim.site)
            return making.result() if ticket.deferred else _LOCKED

        assert bench.work(visit, concurrency=2) is events.RunState.FINISHED
        assert set(bench.outcomes().values()) == {CHANGED}
        assert (len(seen), set(seen[:5]) == set(seen[5:])) == (10, True)


def test_a_run_that_stops_waits_for_nobody(tmp_path: pathlib.Path) -> None:
    """A site that waits to be tried again ends as it is, so that no lease of a paused run is left behind."""
    with making.opened(tmp_path) as journal:
        bench = _bench(journal, _plan(2))
        seen: list[str] = []

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            seen.append(ticket.claim.site)
            if ticket.claim.site == "s000":
                return _LOCKED
            assert bench.stop is not None
            bench.stop.soft.set()
            return await _well(ticket)

        assert bench.work(visit, concurrency=1) is events.RunState.PAUSED
        assert seen == ["s000", "s001"]
        assert bench.outcomes() == {"s000": outcomes.Outcome.SKIPPED, "s001": CHANGED}


def test_windows_that_close_while_the_run_goes_on(tmp_path: pathlib.Path) -> None:
    """Who is not begun by then is owed; a wave of which nobody is inside waits, and goes on when somebody is."""
    with making.opened(tmp_path) as journal:
        journal.pass_time(-journal.now % 86400 + 2.5 * 3600)
        bench = _bench(journal, _plan(4, 2))
        night = sites.Window("0 2 * * *", "1h")
        zones = {"s000": "UTC", "s001": "UTC", "s002": "UTC", "s003": "Europe/London", "s004": "UTC"}
        fleet = {
            name: sites.Site(name, location=sites.Location(timezone=zone), window=night) for name, zone in zones.items()
        }
        fleet["s005"] = sites.Site("s005", location=sites.Location(timezone="Asia/Tokyo"), window=night)

        async def visit(ticket: tickets.Ticket) -> outcomes.Result:
            if ticket.claim.site == "s001":
                journal.pass_time(3600)
            return await _well(ticket)

        when = windows.Windows(fleet)
        assert bench.work(visit, concurrency=1, when=when) is events.RunState.PAUSED
        skipped = outcomes.Outcome.SKIPPED
        assert list(bench.outcomes().values()) == [CHANGED, CHANGED, skipped, skipped, None, None]
        told = [(one.site, one.reason) for one in bench.heard if isinstance(one, events.SiteEnded)]
        assert told[2:] == [("s002", outcomes.Reason.WINDOW), ("s003", outcomes.Reason.WINDOW)]
        why = journal.store.read(lambda conn: runs.get(conn, bench.run.id)).why
        assert why.startswith(
            "waits for a window: no site of wave 2 may be changed now, the first may at 1970-01-14 02:00"
        )
        assert why.endswith("Asia/Tokyo (s005)")
        journal.pass_time(13.6 * 3600)
        bench.run = journal.store.write_now(lambda conn: runs.resume(conn, bench.run.id, "me", accept_failed=False))
        assert bench.work(visit, when=when) is events.RunState.FINISHED
        assert list(bench.outcomes().values())[4:] == [skipped, CHANGED]
