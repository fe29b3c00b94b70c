"""Who may visit a site, and how a visit ends."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from fleetctl.model import events, outcomes
from fleetctl.state import checking, claims, debts, installed, runs
from tests.unit.state import making

FAILED, SILENT, CHANGED = outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE, outcomes.Outcome.CHANGED
UNKNOWN = outcomes.Effect.UNKNOWN


def _seeds(*names: str, wave: int = 1) -> list[runs.RowSeed]:
    return [runs.RowSeed(name, wave, goal="r1:new", base="r1:old", checked=True) for name in names]


def test_a_claim_has_all_that_a_visit_needs(tmp_path: pathlib.Path) -> None:
    """A claim carries goal, base and a lease; the row says that it is being applied, before anything is sent."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        [claim] = journal.claim(run.id).claims
        assert (claim.goal, claim.base, claim.checked, claim.attempt) == ("r1:new", "r1:old", True, 1)
        assert claim.until == journal.now + claims.LEASE
        assert journal.row(run.id, "a").phase is events.Phase.APPLYING


def test_only_open_waves_are_claimed(tmp_path: pathlib.Path) -> None:
    """A site of a later wave waits until its wave is open."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"), *_seeds("b", wave=2))
        assert [claim.site for claim in journal.claim(run.id).claims] == ["a"]
        journal.store.write_now(lambda conn: runs.open_wave(conn, run.id, 2))
        assert [claim.site for claim in journal.claim(run.id).claims] == ["b"]


def test_a_held_site_is_taken_over_after_lease_and_grace(tmp_path: pathlib.Path) -> None:
    """GRACE: a request of the dead process may be committed late, so its lease is waited out and forty seconds more."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        journal.claim(run.id)
        journal.pass_time(claims.LEASE + claims.GRACE - 0.1)
        assert journal.claim(run.id, "p1").claims == ()
        journal.pass_time(0.2)
        [again] = journal.claim(run.id, "p1").claims
        assert again.attempt == 2


def test_renewal_prolongs_and_tells_what_was_lost(tmp_path: pathlib.Path) -> None:
    """A lease that another process took is not renewed."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a", "b"))
        mine = journal.claim(run.id).claims
        journal.pass_time(claims.RENEW)
        kept = journal.store.write_now(
            lambda conn: claims.renew(conn, run.id, mine[:1], {"a": events.Phase.SOAKING}, journal.now)
        )
        assert kept == {"a": journal.now + claims.LEASE}
        assert journal.row(run.id, "a").phase is events.Phase.SOAKING
        journal.pass_time(claims.LEASE + claims.GRACE - claims.RENEW)
        assert [claim.site for claim in journal.claim(run.id, "p1").claims] == ["b"]
        assert journal.store.write_now(lambda conn: claims.renew(conn, run.id, mine[1:], {}, journal.now)) == {}


def test_an_outcome_counts_once(tmp_path: pathlib.Path) -> None:
    """R4: a late process, whose attempt is no longer the latest, changes nothing."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        [old] = journal.claim(run.id).claims
        journal.pass_time(claims.LEASE + claims.GRACE)
        [new] = journal.claim(run.id, "p1").claims
        assert journal.finish(run.id, (old, making.result(FAILED))).accepted == frozenset()
        assert journal.finish(run.id, (new, making.result())).accepted == {"a"}
        assert journal.finish(run.id, (new, making.result(FAILED))).accepted == frozenset()
        assert journal.row(run.id, "a").outcome is CHANGED


def test_a_halt_is_part_of_the_outcome_that_causes_it(tmp_path: pathlib.Path) -> None:
    """R5, R3: outcome and halt are one transaction, and nothing is claimed after it."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a", "b"))
        [claim] = journal.claim(run.id, most=1).claims

        def decide(tallies: object) -> str:
            assert tallies == [claims.Tally(1, FAILED, outcomes.Reason.NONE, 1)]
            return "too many"

        assert journal.finish(run.id, (claim, making.result(FAILED)), decide=decide).halted == "too many"
        taken = journal.claim(run.id)
        assert (taken.state, taken.claims) == (events.RunState.HALTED, ())
        halted = journal.store.read(lambda conn: runs.get(conn, run.id))
        assert (halted.state, halted.why) == (events.RunState.HALTED, "too many")


def test_silence_is_owed(tmp_path: pathlib.Path) -> None:
    """An unreachable site has a debt with the release, the base and an expiry."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        [claim] = journal.claim(run.id).claims
        journal.finish(run.id, (claim, making.result(SILENT, outcomes.Effect.NONE)))
        [debt] = journal.store.read(debts.open_ones)
        assert (debt.site, debt.release, debt.base, debt.run) == ("a", "r1:new", "r1:old", run.id)
        assert debt.expires == journal.now + debts.EXPIRY


def test_an_unknown_effect_keeps_its_lease(tmp_path: pathlib.Path) -> None:
    """KEEP: where a request may still land, nobody else comes before the lease has run out."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a", "b"))
        known, unknown = journal.claim(run.id).claims
        journal.finish(run.id, (known, making.result()), (unknown, making.result(SILENT, UNKNOWN)))
        held = journal.store.read(lambda conn: [row[0] for row in conn.execute("SELECT site FROM leases")])
        assert held == ["b"]


def test_what_is_installed_follows_the_outcomes(tmp_path: pathlib.Path) -> None:
    """A finished visit leaves what the parent says; a half-done one leaves the last note."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a", "b"))
        good, bad = journal.claim(run.id).claims
        done = making.result(after="r1:new", identity="uid-1")
        journal.finish(run.id, (good, done), (bad, making.result(FAILED, outcomes.Effect.PARTIAL)))
        assert journal.store.read(lambda conn: installed.get(conn, "a", "pos")) == installed.Installed(
            "r1:new", run.id, "uid-1"
        )
        assert journal.store.read(lambda conn: installed.get(conn, "b", "pos")) is None


def test_the_identity_of_a_site_is_known_to_the_next_run(tmp_path: pathlib.Path) -> None:
    """The UID that one visit read is what the next one expects."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        [claim] = journal.claim(run.id).claims
        journal.finish(run.id, (claim, making.result(after="r1:new", identity="uid-1")))
        journal.store.write_now(lambda conn: runs.finish(conn, run.id, journal.now))
        later = journal.run(*_seeds("a"))
        [claim] = journal.claim(later.id).claims
        assert claim.identity == "uid-1"


def test_a_site_that_another_run_holds_is_skipped_and_owed(tmp_path: pathlib.Path) -> None:
    """At the end of a wave a locked site is given up; it is owed the release."""
    with making.opened(tmp_path) as journal:
        first = journal.run(*_seeds("a"))
        [claim] = journal.claim(first.id).claims
        journal.finish(first.id, (claim, making.result(SILENT, UNKNOWN)))
        journal.store.write_now(lambda conn: runs.finish(conn, first.id, journal.now))
        second = journal.run(*_seeds("a", "b"))
        assert [one.site for one in journal.claim(second.id).claims] == ["b"]
        assert journal.store.write_now(lambda conn: claims.skip_locked(conn, second.id, journal.now)) == 1
        row = journal.row(second.id, "a")
        assert (row.outcome, row.reason, row.owed) == (outcomes.Outcome.SKIPPED, outcomes.Reason.LOCKED, True)
        assert journal.store.read(lambda conn: debts.count(conn, second.id)) == 1


@pytest.mark.parametrize("site", ["a", "b"])
def test_evidence_is_a_blob(tmp_path: pathlib.Path, site: str) -> None:
    """What was seen at failure time is stored with the outcome, and the journal holds together."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds(site))
        [claim] = journal.claim(run.id).claims
        cause = outcomes.Cause("ImagePullBackOff", "reg/x:1", "not found")
        journal.finish(run.id, (claim, making.result(FAILED, cause=cause, evidence=b'{"kind":"Deployment"}')))
        row = journal.row(run.id, site)
        assert row.cause == cause
        assert row.evidence is not None
        assert journal.store.read(checking.check) == []


def test_no_more_than_asked_for_is_claimed(tmp_path: pathlib.Path) -> None:
    """A process with no free slot, or with fewer than none, gets nothing, and is told that there is more."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a", "b", "c"))
        for most in (0, -3):
            taken = journal.claim(run.id, most=most)
            assert (taken.claims, taken.left) == ((), 3)
        assert len(journal.claim(run.id, most=2).claims) == 2
        assert journal.claim(run.id, most=2).left == 3


def test_a_spent_budget_halts_a_paused_run(tmp_path: pathlib.Path) -> None:
    """Visits that end while the run is paused count: else resume would start more sites before anybody looked."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a", "b"))
        [claim] = journal.claim(run.id, most=1).claims
        journal.store.write_now(lambda conn: runs.pause(conn, run.id, "by hand", journal.now))
        assert journal.finish(run.id, (claim, making.result(FAILED)), decide=lambda _: "too many").halted == "too many"
        assert journal.store.read(lambda conn: runs.get(conn, run.id)).state is events.RunState.HALTED


def test_a_late_process_frees_nothing(tmp_path: pathlib.Path) -> None:
    """R4: its lease, debts and notes of what is installed belong to the attempt that took over."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a"))
        [old] = journal.claim(run.id).claims
        journal.pass_time(claims.LEASE + claims.GRACE)
        journal.claim(run.id, "p1")
        journal.finish(run.id, (old, making.result(SILENT, after="r1:new")))
        assert journal.store.read(debts.open_ones) == []
        assert journal.store.read(lambda conn: installed.get(conn, "a", "pos")) is None
        assert journal.claim(run.id, "p2").claims == ()


def test_one_batch_with_one_late_result(tmp_path: pathlib.Path) -> None:
    """The others of a batch are recorded as if the late one were not there."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds("a", "b"))
        old_a, b = journal.claim(run.id).claims
        journal.store.write_now(
            lambda conn: claims.renew(conn, run.id, [b], {}, journal.now + claims.LEASE + claims.GRACE)
        )
        journal.pass_time(claims.LEASE + claims.GRACE)
        journal.claim(run.id, "p1")
        done = journal.finish(run.id, (old_a, making.result()), (b, making.result()))
        assert done.accepted == {"b"}
        assert journal.row(run.id, "a").outcome is None


_WORKER = """
import pathlib, sys
from fleetctl.model import outcomes
from fleetctl.state import claims, databases
done = outcomes.Result(outcomes.Outcome.UNREACHABLE, outcomes.Effect.NONE)
with databases.open_store(pathlib.Path(sys.argv[1])) as store:
    run = sys.argv[2]
    while taken := store.write_now(lambda conn: claims.claim(conn, run, "p", 5, 1_000_000.0)).claims:
        batch = [(claim, done) for claim in taken]
        said = store.write_now(lambda conn: claims.finish(conn, run, batch, lambda _: "", 1_000_000.0))
        print(*said.accepted, sep="\\n", flush=True)
"""


@pytest.mark.parametrize("lines", [1, 12, 60, 149])
def test_a_kill_leaves_whole_outcomes(tmp_path: pathlib.Path, lines: int) -> None:
    """R5: wherever a worker is killed, what it told is there, and every outcome has its debt and no lease."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*_seeds(*(f"s{number:04}" for number in range(2000))))
    command = [sys.executable, "-c", _WORKER, str(tmp_path / "state.db"), run.id]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(lines)]
    os.kill(process.pid, signal.SIGKILL)
    told += [line.strip() for line in process.stdout.readlines() if line.endswith("\n")]
    process.stdout.close()
    process.wait()
    with making.opened(tmp_path) as journal:
        ended = {row.site for row in journal.store.read(lambda conn: runs.sites(conn, run.id)) if row.outcome}
        assert set(told) <= ended
        assert {debt.site for debt in journal.store.read(debts.open_ones)} == ended
        leased = journal.store.read(lambda conn: {row[0] for row in conn.execute("SELECT site FROM leases")})
        assert not leased & ended
        assert journal.store.read(checking.check) == []
