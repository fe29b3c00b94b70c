"""Sites on hold are skipped and owed; what was under way ends, and what is let go is paid."""

import pathlib

import pytest

from fleetctl.model import outcomes, plans
from fleetctl.state import checking, claims, debts, holds, runs
from tests.unit.state import making


def _hold(journal: making.Journal, *sites: str, seconds: float = 3600.0) -> None:
    made = [holds.Hold(site, journal.now + seconds, "stocktaking", "ada@here", journal.now) for site in sites]
    journal.store.write_now(lambda conn: holds.put(conn, made))


def _seeds(*sites: str) -> list[runs.RowSeed]:
    return [runs.RowSeed(site, 1, goal="r1:new", base="r1:old", checked=True) for site in sites]


def test_a_site_is_skipped_and_owed(tmp_path: pathlib.Path) -> None:
    """The others are claimed in the same breath, and the debt is what the run would have brought."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a", "b"))
        _hold(journal, "a")
        taken = journal.claim(run.id)
        assert [one.site for one in taken.claims] == ["b"]
        row = journal.row(run.id, "a")
        assert (row.outcome, row.effect, row.reason, row.owed) == (
            outcomes.Outcome.SKIPPED,
            outcomes.Effect.NONE,
            outcomes.Reason.HOLD,
            True,
        )
        [debt] = journal.store.read(debts.open_ones)
        assert (debt.site, debt.release, debt.base, debt.checked) == ("a", "r1:new", "r1:old", True)
        assert journal.store.read(checking.check) == []


def test_the_whole_fleet(tmp_path: pathlib.Path) -> None:
    """A freeze covers every site, those that a later run brings, too."""
    with making.opened(tmp_path) as journal:
        _hold(journal, holds.FLEET)
        run = journal.run(*_seeds("a", "b"))
        assert journal.claim(run.id) == claims.Taken(run.state, (), 0)
        assert {journal.row(run.id, site).reason for site in "ab"} == {outcomes.Reason.HOLD}


def test_a_visit_under_way_ends(tmp_path: pathlib.Path) -> None:
    """Nobody knows what half a visit leaves behind; its outcome counts."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        [claim] = journal.claim(run.id).claims
        _hold(journal, "a")
        journal.claim(run.id, "p1")
        assert journal.row(run.id, "a").outcome is None
        assert journal.finish(run.id, (claim, making.result())).accepted == {"a"}


def test_what_a_killed_process_left_is_owed_with_an_unknown_effect(tmp_path: pathlib.Path) -> None:
    """Its site is not visited again while it is on hold, and an undo has to look at it."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        journal.claim(run.id)
        journal.pass_time(claims.LEASE + claims.GRACE)
        _hold(journal, "a")
        assert journal.claim(run.id, "p1").claims == ()
        assert journal.row(run.id, "a").effect is outcomes.Effect.UNKNOWN


def test_waves_that_are_not_open_are_left(tmp_path: pathlib.Path) -> None:
    """A hold may be over before the run comes to them."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"), runs.RowSeed("z", 2, goal="r1:new"))
        _hold(journal, "z", seconds=60)
        journal.claim(run.id)
        assert journal.row(run.id, "z").outcome is None
        journal.pass_time(61)
        journal.store.write_now(lambda conn: runs.open_wave(conn, run.id, 2))
        assert "z" in {one.site for one in journal.claim(run.id).claims}


def test_nothing_is_skipped_of_a_run_that_stands_still(tmp_path: pathlib.Path) -> None:
    """A pause leaves its rows as they are: whoever is on hold when it goes on is skipped then."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        _hold(journal, "a")
        journal.store.write_now(lambda conn: runs.pause(conn, run.id, "", journal.now))
        journal.claim(run.id)
        assert journal.row(run.id, "a").outcome is None


def test_a_payment_waits(tmp_path: pathlib.Path) -> None:
    """The debt stays open, of the run that made it, and is paid after the site was let go."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        [claim] = journal.claim(run.id).claims
        journal.finish(run.id, (claim, making.result(outcomes.Outcome.UNREACHABLE, outcomes.Effect.NONE)))
        journal.store.write_now(lambda conn: runs.finish(conn, run.id, journal.now))
        _hold(journal, "a")
        for held in (True, False):
            payment = journal.run(runs.RowSeed("a", 1, goal="r1:new", origin=run.id), kind=plans.Kind.CATCHUP)
            taken = journal.claim(payment.id).claims
            assert [one.site for one in taken] == ([] if held else ["a"])
            [debt] = journal.store.read(debts.open_ones)
            assert debt.run == run.id
            journal.store.write_now(lambda conn: holds.lift(conn, ["a"]))


@pytest.mark.parametrize("chosen", [None, ["a"], ["a", "b", "c"]])
def test_letting_go(tmp_path: pathlib.Path, chosen: list[str] | None) -> None:
    """Those named, or all; it counts those that were held."""
    with making.opened(tmp_path) as journal:
        _hold(journal, "a", "b")
        gone = journal.store.write_now(lambda conn: holds.lift(conn, chosen))
        left = journal.store.read(lambda conn: holds.current(conn, journal.now))
        assert (gone, list(left)) == {None: (2, []), 1: (1, ["b"]), 3: (2, [])}[len(chosen) if chosen else None]


def test_holds_end_by_themselves(tmp_path: pathlib.Path) -> None:
    """At the moment said, by the store's clock; what is said again counts anew."""
    with making.opened(tmp_path) as journal:
        _hold(journal, "a", seconds=60)
        _hold(journal, "a", seconds=90)
        journal.pass_time(89)
        assert list(journal.store.read(lambda conn: holds.current(conn, journal.now))) == ["a"]
        journal.pass_time(1)
        assert journal.store.read(lambda conn: holds.current(conn, journal.now)) == {}


def _claim(journal: making.Journal, run: str, *closed: str, most: int = 100) -> claims.Taken:
    """Claim while some sites are outside their windows."""

    def outside(site: str, now: float) -> bool:
        assert now == journal.now
        return site in closed

    return journal.store.write_now(lambda conn: claims.claim(conn, run, "p0", most, journal.now, closed=outside))


def test_outside_its_window(tmp_path: pathlib.Path) -> None:
    """A site is skipped and owed when it is come to, and those behind it are claimed instead."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a", "b", "c", "d"))
        taken = _claim(journal, run.id, "a", "b", "d", most=1)
        assert ([one.site for one in taken.claims], [one.site for one in taken.skipped]) == (["c"], ["a", "b"])
        assert {(row.outcome, row.reason, row.owed, row.effect) for row in taken.skipped} == {
            (outcomes.Outcome.SKIPPED, outcomes.Reason.WINDOW, True, outcomes.Effect.NONE)
        }
        assert journal.row(run.id, "d").outcome is None, "its window may open before its turn comes"
        assert [debt.site for debt in journal.store.read(debts.open_ones)] == ["a", "b"]
        assert journal.store.read(checking.check) == []


def test_a_debt_whose_payer_comes_too_late(tmp_path: pathlib.Path) -> None:
    """A catch-up that comes to a site after its window leaves the debt as it was."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        _claim(journal, run.id, "a")
        journal.store.write_now(lambda conn: runs.finish(conn, run.id, journal.now))
        [debt] = journal.store.read(debts.open_ones)
        seed = runs.RowSeed("a", 1, goal="r1:new", base="r1:old", checked=True, origin=run.id)
        payer = journal.run(seed, kind=plans.Kind.CATCHUP)
        journal.pass_time(3600)
        assert [row.site for row in _claim(journal, payer.id, "a").skipped] == ["a"]
        assert journal.store.read(debts.open_ones) == [debt]
        assert journal.store.read(lambda conn: debts.payable(conn, journal.now)) == [debt]
