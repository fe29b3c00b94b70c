"""Rows as records."""

import pathlib

import pytest

from fleetctl.model import events, outcomes
from fleetctl.state import runs
from tests.unit.state import making


def test_everything_a_visit_tells_comes_back(tmp_path: pathlib.Path) -> None:
    """A row has all of its result, a run all of its own."""
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("a", 1, goal="r1:new", base="r1:old", checked=True, identity="uid"))
        [claim] = journal.claim(run.id).claims
        cause = outcomes.Cause("CrashLoopBackOff", "container pos", "exit code 1 «äöü»")
        result = making.result(
            outcomes.Outcome.FAILED,
            outcomes.Effect.PARTIAL,
            cause=cause,
            before="r1:old",
            previous="r1:old",
            requests=17,
            notes=("first", 'se"cond'),
        )
        journal.pass_time(12.5)
        journal.finish(run.id, (claim, result))
        row = journal.row(run.id, "a")
        assert (row.outcome, row.effect, row.cause, row.notes) == (result.outcome, result.effect, cause, result.notes)
        assert (row.before, row.after, row.previous, row.requests) == ("r1:old", None, "r1:old", 17)
        assert (row.goal, row.base, row.checked, row.identity) == ("r1:new", "r1:old", True, "uid")
        assert (row.phase, row.attempt, row.owed, row.accepted) == (events.Phase.DONE, 1, False, False)
        assert row.started is not None
        assert row.ended == row.started + 12.5
        assert journal.store.read(lambda conn: runs.find(conn, run.id)) == runs.Run(
            **{**{name: getattr(run, name) for name in run.__struct_fields__}, "wave": 1}
        )


@pytest.mark.parametrize(
    ("effect", "touched"),
    [(outcomes.Effect.NONE, False), (outcomes.Effect.UNKNOWN, True), (outcomes.Effect.PARTIAL, True)],
)
def test_what_an_undo_looks_at(tmp_path: pathlib.Path, effect: outcomes.Effect, *, touched: bool) -> None:
    """A visit under way may have changed its site; one that ended says so itself."""
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("a", 1, goal="r1:new"))
        assert not journal.row(run.id, "a").touched
        [claim] = journal.claim(run.id).claims
        assert journal.row(run.id, "a").touched
        journal.finish(run.id, (claim, making.result(outcomes.Outcome.UNREACHABLE, effect)))
        assert journal.row(run.id, "a").touched is touched
