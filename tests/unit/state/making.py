"""Journals for tests: a store on a virtual clock, runs with members, claims that end."""

import contextlib
import pathlib
import random
from collections.abc import Iterator, Sequence

from fleetctl.model import events, outcomes, plans
from fleetctl.state import blobs, claims, databases, runs

__all__ = ["Journal", "never", "opened", "result"]


def never(_: Sequence[claims.Tally]) -> str:
    """Decide that a run may go on."""
    return ""


def result(
    outcome: outcomes.Outcome = outcomes.Outcome.CHANGED,
    effect: outcomes.Effect = outcomes.Effect.APPLIED,
    reason: outcomes.Reason = outcomes.Reason.NONE,
    **more: object,
) -> outcomes.Result:
    """Return what a visit came to."""
    return outcomes.Result(outcome, effect, reason, **more)  # type: ignore[arg-type]  # as the test has it


class Journal:
    """A store whose time is set by the test."""

    def __init__(self, store: databases.Store, clock: list[float]) -> None:
        self.store = store
        self._clock = clock
        self._random = random.Random(0)  # noqa: S311  # names of runs

    @property
    def now(self) -> float:
        """The time."""
        return self._clock[0]

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self._clock[0] += seconds

    def run(
        self,
        *seeds: runs.RowSeed,
        kind: plans.Kind = plans.Kind.ROLLOUT,
        bundle: str = "pos",
        supersedes: str | None = None,
        undoes: str | None = None,
    ) -> runs.Run:
        """Record a run, with its first wave open."""

        def create(conn: databases.Connection) -> runs.Run:
            run = runs.Run(
                id=runs.new_id(self.now, self._random),
                kind=kind,
                plan="p1:0",
                plan_blob=blobs.put(conn, b"{}"),
                who="tester@here",
                commit="",
                dirty=False,
                project="shops",
                bundle=bundle,
                namespace=bundle,
                version="1.0.0",
                state=events.RunState.RUNNING,
                created=self.now,
                supersedes=supersedes,
                undoes=undoes,
            )
            runs.create(conn, run, seeds)
            runs.open_wave(conn, run.id, 1)
            return run

        return self.store.write_now(create)

    def claim(self, run: str, process: str = "p0", most: int = 100) -> claims.Taken:
        """Claim what is free."""
        return self.store.write_now(lambda conn: claims.claim(conn, run, process, most, self.now))

    def finish(
        self, run: str, *batch: tuple[claims.Claim, outcomes.Result], decide: claims.Decide = never
    ) -> claims.Finished:
        """Record outcomes."""
        return self.store.write_now(lambda conn: claims.finish(conn, run, batch, decide, self.now))

    def row(self, run: str, site: str) -> runs.Row:
        """Return a site's part in a run."""
        found = self.store.read(lambda conn: runs.latest_row(conn, site, run))
        assert found is not None
        return found


@contextlib.contextmanager
def opened(folder: pathlib.Path) -> Iterator[Journal]:
    """Open a journal in a folder."""
    clock = [1_000_000.0]
    with databases.open_store(folder / "state.db", clock=lambda: clock[0]) as store:
        yield Journal(store, clock)
