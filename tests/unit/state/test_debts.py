"""What sites are owed, and when it may be paid."""

import pathlib

import pytest

from fleetctl.model import events, outcomes, plans
from fleetctl.state import checking, claims, debts, runs
from tests.unit.state import making

SILENT, CHANGED = outcomes.Outcome.UNREACHABLE, outcomes.Outcome.CHANGED
NONE = outcomes.Effect.NONE


def _seeds(*names: str, wave: int = 1) -> list[runs.RowSeed]:
    return [runs.RowSeed(name, wave, goal="r1:new", base="r1:old", checked=True) for name in names]


def _payable(journal: making.Journal) -> list[str]:
    return [debt.site for debt in journal.store.read(lambda conn: debts.payable(conn, journal.now))]


def _owing(journal: making.Journal, *names: str) -> runs.Run:
    """Return a finished run that could not reach its sites."""
    run = journal.run(*_seeds(*names))
    for claim in journal.claim(run.id).claims:
        journal.finish(run.id, (claim, making.result(SILENT, NONE)))
    journal.store.write_now(lambda conn: runs.finish(conn, run.id, journal.now))
    return run


def _payment(journal: making.Journal) -> runs.Run:
    owed = journal.store.read(lambda conn: debts.payable(conn, journal.now))
    return journal.run(
        *(runs.RowSeed(debt.site, 1, goal=debt.release, base=debt.base, origin=debt.run) for debt in owed),
        kind=plans.Kind.CATCHUP,
    )


def test_maintenance_is_owed_until_the_run_is_over(tmp_path: pathlib.Path) -> None:
    """A member that is in no wave is not paid while the release still proves itself in the first ones."""
    with making.opened(tmp_path) as journal:
        seed = runs.RowSeed("m", 0, goal="r1:new", skip=outcomes.Reason.MAINTENANCE)
        run = journal.run(seed, *_seeds("a"))
        assert _payable(journal) == []
        [claim] = journal.claim(run.id).claims
        journal.finish(run.id, (claim, making.result()))
        journal.store.write_now(lambda conn: runs.finish(conn, run.id, journal.now))
        assert _payable(journal) == ["m"]


def test_one_open_debt_per_site_and_bundle(tmp_path: pathlib.Path) -> None:
    """A newer debt takes the place of an older one; other bundles have their own."""
    with making.opened(tmp_path) as journal:
        _owing(journal, "a")
        second = _owing(journal, "a")
        other = journal.run(*_seeds("a"), bundle="other")
        [claim] = journal.claim(other.id).claims
        journal.finish(other.id, (claim, making.result(SILENT, NONE)))
        assert {(debt.bundle, debt.run) for debt in journal.store.read(debts.open_ones)} == {
            ("pos", second.id),
            ("other", other.id),
        }
        assert journal.store.read(lambda conn: debts.of(conn, "a", "pos")) is not None
        assert journal.store.read(lambda conn: debts.of(conn, "b", "pos")) is None


def test_a_debt_that_expired_meanwhile_is_not_paid(tmp_path: pathlib.Path) -> None:
    """A catch-up that was paused for weeks brings nothing old to a site; the debt stays visible."""
    with making.opened(tmp_path) as journal:
        _owing(journal, "a")
        payment = _payment(journal)
        journal.pass_time(debts.EXPIRY + 1)
        assert journal.claim(payment.id).claims == ()
        row = journal.row(payment.id, "a")
        assert (row.outcome, row.effect) == (outcomes.Outcome.SKIPPED, NONE)
        assert len(journal.store.read(debts.open_ones)) == 1


def test_what_a_payment_under_way_does_is_recorded(tmp_path: pathlib.Path) -> None:
    """A debt that is cancelled during the visit that pays it: the visit's outcome and effect still count."""
    with making.opened(tmp_path) as journal:
        owing = _owing(journal, "a", "b")
        payment = _payment(journal)
        [claim] = journal.claim(payment.id, most=1).claims
        journal.run(*_seeds("a", "b"), undoes=owing.id, kind=plans.Kind.UNDO)
        assert journal.claim(payment.id, "p1").claims == ()
        assert journal.row(payment.id, "b").outcome is outcomes.Outcome.SKIPPED
        assert journal.row(payment.id, "a").outcome is None
        assert journal.finish(payment.id, (claim, making.result(previous="r1:old"))).accepted == {"a"}
        row = journal.row(payment.id, "a")
        assert (row.outcome, row.effect, row.previous) == (CHANGED, outcomes.Effect.APPLIED, "r1:old")
        assert journal.store.read(debts.open_ones) == []
        assert journal.store.read(checking.check) == []


def test_a_payment_whose_process_died_may_have_changed_the_site(tmp_path: pathlib.Path) -> None:
    """Its debt is payable no more, and nobody knows what was sent: an undo has to look at the site."""
    with making.opened(tmp_path) as journal:
        owing = _owing(journal, "a")
        payment = _payment(journal)
        journal.claim(payment.id)
        journal.run(*_seeds("a"), undoes=owing.id, kind=plans.Kind.UNDO)
        journal.pass_time(claims.LEASE + claims.GRACE)
        assert journal.claim(payment.id, "p1").claims == ()
        row = journal.row(payment.id, "a")
        assert (row.outcome, row.effect, row.touched) == (SILENT, outcomes.Effect.UNKNOWN, True)


def test_claiming_goes_on_past_debts_that_are_not_payable(tmp_path: pathlib.Path) -> None:
    """Cancelled debts do not stand in the way of the next ones."""
    with making.opened(tmp_path) as journal:
        _owing(journal, *"abcdef")
        payment = _payment(journal)
        journal.run(*_seeds(*"abcd"))
        assert [claim.site for claim in journal.claim(payment.id, most=2).claims] == ["e", "f"]


@pytest.mark.parametrize(
    ("outcome", "reason", "left"),
    [
        (CHANGED, outcomes.Reason.NONE, 0),
        (outcomes.Outcome.UNCHANGED, outcomes.Reason.NONE, 0),
        (outcomes.Outcome.SKIPPED, outcomes.Reason.MOVED, 0),
        (SILENT, outcomes.Reason.NONE, 1),
        (outcomes.Outcome.FAILED, outcomes.Reason.NONE, 1),
    ],
)
def test_how_a_payment_ends(
    tmp_path: pathlib.Path, outcome: outcomes.Outcome, reason: outcomes.Reason, left: int
) -> None:
    """A debt is closed by what brings its release, or by a site that moved; otherwise it stays, as the same debt."""
    with making.opened(tmp_path) as journal:
        owing = _owing(journal, "a")
        before = journal.store.read(debts.open_ones)
        payment = _payment(journal)
        [claim] = journal.claim(payment.id).claims
        assert (claim.origin, claim.base) == (owing.id, "r1:old")
        journal.finish(payment.id, (claim, making.result(outcome, NONE, reason)))
        assert journal.store.read(debts.open_ones) == before[:left]
        assert journal.store.read(lambda conn: debts.count(conn, owing.id)) == left


def test_two_payments_of_one_debt(tmp_path: pathlib.Path) -> None:
    """Two catch-ups that began together pay once."""
    with making.opened(tmp_path) as journal:
        _owing(journal, "a")
        one, two = _payment(journal), _payment(journal)
        [claim] = journal.claim(one.id).claims
        assert journal.claim(two.id, "p1").claims == ()
        journal.finish(one.id, (claim, making.result()))
        assert journal.claim(two.id, "p1").claims == ()
        assert journal.row(two.id, "a").reason is outcomes.Reason.ABORTED


def test_an_aborted_run_owes_nothing(tmp_path: pathlib.Path) -> None:
    """Silence that is told after the abort is not owed; the row does not say so either."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        [claim] = journal.claim(run.id).claims
        journal.store.write_now(lambda conn: runs.abort(conn, run.id, "by hand", journal.now))
        assert journal.finish(run.id, (claim, making.result(SILENT, NONE))).accepted == {"a"}
        assert not journal.row(run.id, "a").owed
        assert journal.store.read(debts.open_ones) == []
        assert journal.store.read(lambda conn: runs.get(conn, run.id)).state is events.RunState.ABORTED
