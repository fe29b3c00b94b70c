"""What the journal says about runs."""

import pathlib

import pytest

from fleetctl.model import codes, errors, outcomes
from fleetctl.rollout import looking
from fleetctl.state import runs
from tests.unit.state import making


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ([], {"s1", "s2", "s3", "s4", "s5"}),
        (["failed"], {"s1"}),
        (["failed", "unreachable"], {"s1", "s2"}),
        (["skipped"], {"s4"}),
        (["not-started"], {"s5"}),
        (["changed"], set()),
        (["not-started", "failed"], {"s1", "s5"}),
    ],
)
def test_members_of_a_run_by_what_became_of_them(tmp_path: pathlib.Path, only: list[str], names: set[str]) -> None:
    """Those that ended so; a site whose visit goes on (s3) has ended in no way and has been started."""
    with making.opened(tmp_path) as journal:
        skip = outcomes.Reason.MAINTENANCE
        seeds = [runs.RowSeed(f"s{number}", 1, "r1:1") for number in (1, 2, 3)]
        run = journal.run(*seeds, runs.RowSeed("s4", 1, "r1:1", skip=skip), runs.RowSeed("s5", 2, "r1:1"))
        visits = {one.site: one for one in journal.claim(run.id).claims}
        none = outcomes.Effect.NONE
        journal.finish(run.id, (visits["s1"], making.result(outcomes.Outcome.FAILED, none)))
        journal.finish(run.id, (visits["s2"], making.result(outcomes.Outcome.UNREACHABLE, none)))
        assert looking.members(journal.store, run.id, only) == names


def test_sites_of_an_aborted_run_were_not_started(tmp_path: pathlib.Path) -> None:
    """They are skipped, and they were never begun: both words find them."""
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("s1", 1, "r1:1"))
        journal.store.write_now(lambda conn: runs.abort(conn, run.id, "by hand", journal.now))
        assert looking.members(journal.store, run.id, ["not-started"]) == {"s1"}
        assert looking.members(journal.store, run.id, ["skipped"]) == {"s1"}


def test_words_that_are_no_outcomes(tmp_path: pathlib.Path) -> None:
    """A typo is refused with the nearest word, whether or not the run is there."""
    with making.opened(tmp_path) as journal, pytest.raises(errors.UsageError) as caught:
        looking.members(journal.store, "r-none", ["faild"])
    assert caught.value.message == '--only: "faild" is no outcome; did you mean "failed"?'
    assert caught.value.hint == "Outcomes: unchanged, changed, failed, unreachable, skipped, not-started"


def test_a_run_that_is_not_there(tmp_path: pathlib.Path) -> None:
    """No run, no members."""
    with making.opened(tmp_path) as journal, pytest.raises(errors.UsageError) as caught:
        looking.members(journal.store, "r-none")
    assert caught.value.code is codes.Code.RUN_UNKNOWN
