"""How runs begin, stand still, go on and end."""

import pathlib
import random

import pytest

from fleetctl.model import codes, errors, events, outcomes, plans
from fleetctl.state import claims, debts, runs
from tests.unit.state import making

SILENT = outcomes.Outcome.UNREACHABLE


def _seeds(*names: str) -> list[runs.RowSeed]:
    return [runs.RowSeed(name, 1, goal="r1:new") for name in names]


def _owing(journal: making.Journal, run: runs.Run) -> None:
    """Let every member of a run be out of reach."""
    for claim in journal.claim(run.id).claims:
        journal.finish(run.id, (claim, making.result(SILENT, outcomes.Effect.NONE)))


def test_names_of_runs_have_a_day() -> None:
    """A run is called by its day and some random digits."""
    source = random.Random(1)  # noqa: S311  # a name
    assert runs.new_id(0.0, source).startswith("r-19700101-")


def test_an_overlapping_run_is_refused(tmp_path: pathlib.Path) -> None:
    """R10: an unfinished run of the bundle that shares a site stands in the way; nothing is recorded."""
    with making.opened(tmp_path) as journal:
        first = journal.run(*_seeds("a", "b"))
        with pytest.raises(errors.Refused) as refused:
            journal.run(*_seeds("b", "c"))
        assert refused.value.code is codes.Code.RUN_OVERLAPS
        assert first.id in refused.value.message
        assert len(journal.store.read(lambda conn: runs.all_of(conn, None))) == 1
        journal.run(*_seeds("c"))
        journal.run(*_seeds("b"), bundle="other")


def test_superseding_aborts_the_older_run(tmp_path: pathlib.Path) -> None:
    """The old run is aborted, its unstarted sites skipped, its debts cancelled, as the new one begins."""
    with making.opened(tmp_path) as journal:
        first = journal.run(*_seeds("a", "b"))
        [claim] = journal.claim(first.id, most=1).claims
        journal.finish(first.id, (claim, making.result(SILENT, outcomes.Effect.NONE)))
        journal.run(*_seeds("b"), supersedes=first.id)
        old = journal.store.read(lambda conn: runs.get(conn, first.id))
        assert old.state is events.RunState.ABORTED
        row = journal.row(first.id, "b")
        assert (row.outcome, row.reason) == (outcomes.Outcome.SKIPPED, outcomes.Reason.ABORTED)
        assert journal.store.read(debts.open_ones) == []


def test_a_newer_run_cancels_the_debts_it_covers(tmp_path: pathlib.Path) -> None:
    """R9: what is owed of the bundle at a site of the new run is owed no more."""
    with making.opened(tmp_path) as journal:
        first = journal.run(*_seeds("a", "b"))
        _owing(journal, first)
        journal.store.write_now(lambda conn: runs.finish(conn, first.id, journal.now))
        journal.run(*_seeds("a"))
        assert [debt.site for debt in journal.store.read(debts.open_ones)] == ["b"]


def test_debts_of_a_halted_or_paused_run_are_frozen(tmp_path: pathlib.Path) -> None:
    """R9: a debt is payable while its run is running with that wave open, or finished, and only until it expires."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        _owing(journal, run)

        def payable() -> int:
            return len(journal.store.read(lambda conn: debts.payable(conn, journal.now)))

        assert payable() == 1
        journal.store.write_now(lambda conn: runs.pause(conn, run.id, "by hand", journal.now))
        assert payable() == 0
        journal.store.write_now(lambda conn: runs.resume(conn, run.id, "me", accept_failed=False))
        journal.store.write_now(lambda conn: runs.finish(conn, run.id, journal.now))
        assert payable() == 1
        journal.pass_time(debts.EXPIRY + 1)
        assert payable() == 0
        assert len(journal.store.read(debts.open_ones)) == 1


def test_undo_of_a_running_run_is_refused(tmp_path: pathlib.Path) -> None:
    """R10: a running run must be stopped before it is taken back; a halted one is aborted by that."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a", "b"))
        [claim] = journal.claim(run.id, most=1).claims
        journal.finish(run.id, (claim, making.result(SILENT, outcomes.Effect.UNKNOWN)), decide=lambda _: "halt")
        journal.store.write_now(lambda conn: runs.resume(conn, run.id, "me", accept_failed=True))
        with pytest.raises(errors.Refused) as refused:
            journal.run(*_seeds("a"), kind=plans.Kind.UNDO, undoes=run.id)
        assert refused.value.code is codes.Code.RUN_STATE
        journal.store.write_now(lambda conn: runs.pause(conn, run.id, "by hand", journal.now))
        journal.run(*_seeds("a"), kind=plans.Kind.UNDO, undoes=run.id)
        assert journal.store.read(lambda conn: runs.get(conn, run.id)).state is events.RunState.ABORTED
        assert journal.store.read(debts.open_ones) == []


def test_resume_past_a_halt_needs_accepting(tmp_path: pathlib.Path) -> None:
    """R11: budgets count from the acceptance on, and the journal keeps who accepted."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a", "b"))
        [claim] = journal.claim(run.id, most=1).claims
        journal.finish(run.id, (claim, making.result(outcomes.Outcome.FAILED)), decide=lambda _: "one failed")
        with pytest.raises(errors.Refused, match="one failed"):
            journal.store.write_now(lambda conn: runs.resume(conn, run.id, "me", accept_failed=False))
        going = journal.store.write_now(lambda conn: runs.resume(conn, run.id, "me", accept_failed=True))
        assert (going.state, going.accepted_by) == (events.RunState.RUNNING, "me")
        [claim] = journal.claim(run.id).claims

        def decide(tallies: object) -> str:
            assert [(one.outcome, one.sites) for one in tallies] == [(SILENT, 1)]  # type: ignore[attr-defined]
            return ""

        journal.finish(run.id, (claim, making.result(SILENT, outcomes.Effect.NONE)), decide=decide)


def test_a_site_in_maintenance_is_skipped_and_owed_from_the_start(tmp_path: pathlib.Path) -> None:
    """Such a member has its outcome before anything begins."""
    with making.opened(tmp_path) as journal:
        seed = runs.RowSeed("a", 0, goal="r1:new", skip=outcomes.Reason.MAINTENANCE)
        run = journal.run(seed, *_seeds("b"))
        assert journal.row(run.id, "a").outcome is outcomes.Outcome.SKIPPED
        assert [debt.site for debt in journal.store.read(debts.open_ones)] == ["a"]
        assert [claim.site for claim in journal.claim(run.id).claims] == ["b"]


def test_a_run_ends_only_with_all_outcomes(tmp_path: pathlib.Path) -> None:
    """``finish`` leaves a run running whose members have no outcome yet."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        assert journal.store.write_now(lambda conn: runs.finish(conn, run.id, journal.now)) is events.RunState.RUNNING
        [claim] = journal.claim(run.id).claims
        journal.finish(run.id, (claim, making.result()))
        assert journal.store.write_now(lambda conn: runs.finish(conn, run.id, journal.now)) is events.RunState.FINISHED


def test_a_payment_pays_and_a_moved_site_is_owed_no_more(tmp_path: pathlib.Path) -> None:
    """A catch-up's outcome settles the debt of the run that made it; one that was frozen meanwhile is not paid."""
    with making.opened(tmp_path) as journal:
        first = journal.run(*_seeds("a", "b", "c"))
        _owing(journal, first)
        journal.store.write_now(lambda conn: runs.finish(conn, first.id, journal.now))
        seeds = [runs.RowSeed(name, 1, goal="r1:new", origin=first.id) for name in ("a", "b", "c")]
        payment = journal.run(*seeds, kind=plans.Kind.CATCHUP)
        paid, moved = journal.claim(payment.id, most=2).claims
        skipped = making.result(outcomes.Outcome.SKIPPED, outcomes.Effect.NONE, outcomes.Reason.MOVED)
        journal.finish(payment.id, (paid, making.result()), (moved, skipped))
        assert [debt.site for debt in journal.store.read(debts.open_ones)] == ["c"]
        journal.run(*_seeds("c"))
        assert journal.claim(payment.id).claims == ()
        assert journal.row(payment.id, "c").reason is outcomes.Reason.ABORTED


def test_a_lost_visit_of_an_aborted_run_gets_an_outcome(tmp_path: pathlib.Path) -> None:
    """A process that died and whose run was aborted: after lease and grace its site is out of reach, effect unknown."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        journal.claim(run.id)
        journal.store.write_now(lambda conn: runs.abort(conn, run.id, "by hand", journal.now))
        assert journal.row(run.id, "a").outcome is None
        journal.pass_time(claims.LEASE + claims.GRACE)
        journal.run(*_seeds("b"))
        row = journal.row(run.id, "a")
        assert (row.outcome, row.effect, row.owed) == (SILENT, outcomes.Effect.UNKNOWN, False)
        assert row.touched
