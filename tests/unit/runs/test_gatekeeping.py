"""Gates between two waves, on a clock of the test: how often they are asked, what they let pass, who may say so."""

import asyncio
import dataclasses
import pathlib
from collections.abc import Callable, Iterable

import pytest

from fleetctl.model import events, gates, plans
from fleetctl.runs import gatekeeping, stopping
from fleetctl.state import gating, runs
from tests.unit.state import making

PROGRAM = gates.Gate("smoke", exec=gates.Exec(("smoke",)))
APPROVAL = gates.Gate("sign-off", approval=True)


@dataclasses.dataclass
class Gates:
    """The gates of a run with two waves, answers to come, and what was heard."""

    journal: making.Journal
    listed: tuple[gates.Gate, ...]
    answers: Iterable[bool] = ()
    takes: float = 0.0
    """Seconds that an answer takes."""
    waits: bool = False
    time: float = 0.0
    asked: list[float] = dataclasses.field(default_factory=list)
    heard: list[events.GateMoved] = dataclasses.field(default_factory=list)
    stop: stopping.Stop = dataclasses.field(default_factory=stopping.Stop)
    meanwhile: Callable[[], object] = lambda: None
    """What others do whenever there is a pause."""
    ask: gatekeeping.Ask | None = None
    """What is asked instead of the answers."""

    def __post_init__(self) -> None:
        self.run = self.journal.run(runs.RowSeed("a", 1, "r1:new"), runs.RowSeed("b", 2, "r1:new"))
        self._answers = iter(self.answers)

    async def _ask(self, gate: gates.Gate, facts: gatekeeping.Facts) -> gatekeeping.Answer:
        assert (facts.run, facts.wave, facts.wave_name) == (self.run.id, 1, "first")
        self.asked.append(self.time)
        self.time += self.takes
        good = next(self._answers)
        return gatekeeping.Answer(good, f"{gate.name} says {'yes' if good else 'no'}")

    async def _pause(self, seconds: float) -> None:
        self.time += seconds
        self.meanwhile()

    def _observe(self, event: events.Event) -> None:
        assert isinstance(event, events.GateMoved)
        self.heard.append(event)

    def passed(self, wave: int = 1) -> bool:
        """Come to the gates after a wave, as a process of its own."""
        self.stop = stopping.Stop()
        plan = plans.Plan(
            plans.Kind.ROLLOUT,
            "shops",
            "pos",
            "1.0.0",
            "pos",
            (plans.Wave("first", 1, 0, 0, 0), plans.Wave("2", 1, 0, 0, 0)),
            plans.Strategy(gates=self.listed),
            plans.Options(),
            (),
        )
        keeper = gatekeeping.Gatekeeper(
            self.journal.store,
            self.run,
            plan,
            self.ask or self._ask,
            observe=self._observe,
            stop=self.stop,
            waits=self.waits,
            clock=lambda: self.time,
            pause=self._pause,
        )
        return asyncio.run(keeper.passed(wave))

    @property
    def state(self) -> tuple[events.RunState, str]:
        """How the run stands, and why."""
        found = self.journal.store.read(lambda conn: runs.get(conn, self.run.id))
        return found.state, found.why

    @property
    def rows(self) -> dict[str, gates.State]:
        """How the gates stand in the journal."""
        found = self.journal.store.read(lambda conn: gating.of(conn, self.run.id))
        return {one.gate: one.state for one in found}

    def approve(self) -> None:
        """Say yes, as from another terminal."""
        self.journal.store.write_now(lambda conn: gating.approve(conn, self.run.id, "p1:0", "anna@hq", 1.0))

    def resume(self, *, accept: bool = False) -> None:
        """Let the run go on."""
        self.run = self.journal.store.write_now(
            lambda conn: gating.resume(conn, self.run.id, "ben@hq", 2.0, accept_failed=accept)
        )


@pytest.fixture
def journal(tmp_path: pathlib.Path) -> Iterable[making.Journal]:
    """An empty journal."""
    with making.opened(tmp_path) as opened:
        yield opened


def _gate(**how: float) -> gates.Gate:
    return gates.Gate("smoke", exec=gates.Exec(("smoke",)), **how)  # type: ignore[arg-type]  # as the test has it


@pytest.mark.parametrize(
    ("how", "answers", "asked", "good"),
    [
        ({}, [True], [0], True),
        ({}, [False], [0], False),
        ({"failures": 2}, [False, False, True], [0, 10, 20], True),
        ({"failures": 2}, [False, True, False], [0, 10], True),
        ({"failures": 2}, [False] * 3, [0, 10, 20], False),
        ({"hold": 25}, [True] * 4, [0, 10, 20, 25], True),
        ({"hold": 25}, [True, True, False], [0, 10, 20], False),
        ({"hold": 25, "failures": 1}, [True, False, True, True, True, True], [0, 10, 20, 30, 40, 45], True),
        ({"hold": 25, "failures": 1}, [True, False, True, False], [0, 10, 20, 30], False),
        ({"hold": 4, "interval": 60}, [True, True], [0, 4], True),
    ],
)
def test_how_often_it_is_asked(
    journal: making.Journal, how: dict[str, float], answers: list[bool], asked: list[float], *, good: bool
) -> None:
    """Until it was good for long enough, from the first good answer on, or bad once too often in all."""
    bench = Gates(journal, (_gate(**how),), answers)
    assert (bench.passed(), bench.asked) == (good, asked)
    state, why = bench.state
    if good:
        assert (state, bench.rows) == (events.RunState.RUNNING, {"smoke": gates.State.PASSED})
    else:
        assert (state, bench.rows) == (events.RunState.HALTED, {"smoke": gates.State.FAILED})
        assert why.startswith("gate smoke after wave 1 (first): smoke says no")


def test_an_answer_that_takes_its_time(journal: making.Journal) -> None:
    """Being good counts from when it was asked, so that a slow answer is no longer good than it was."""
    bench = Gates(journal, (_gate(hold=20),), [True] * 9, takes=7)
    assert (bench.passed(), bench.asked) == (True, [0, 17, 27])


def test_no_gate_before_the_first_and_after_the_last(journal: making.Journal) -> None:
    """They stand between waves."""
    bench = Gates(journal, (PROGRAM,))
    assert (bench.passed(0), bench.passed(2), bench.asked) == (True, True, [])


def test_a_gate_whose_next_wave_is_open(journal: making.Journal) -> None:
    """It was passed: a run that goes on in that wave does not ask it."""
    bench = Gates(journal, (PROGRAM, APPROVAL))
    journal.store.write_now(lambda conn: runs.open_wave(conn, bench.run.id, 2))
    assert (bench.passed(), bench.asked) == (True, [])


def test_two_processes_that_ask(journal: making.Journal) -> None:
    """Whoever is told no after the other opened the next wave halts nothing."""
    bench = Gates(journal, (_gate(failures=1),), [False, False])
    bench.meanwhile = lambda: journal.store.write_now(lambda conn: runs.open_wave(conn, bench.run.id, 2))
    assert bench.passed()
    assert bench.state == (events.RunState.RUNNING, "")


def test_a_run_that_is_paused_meanwhile(journal: making.Journal) -> None:
    """It is asked no more, and the run does not go on."""
    bench = Gates(journal, (_gate(hold=100),), [True] * 99)

    def pause() -> None:
        if bench.time > 30:
            journal.store.write_now(lambda conn: runs.interrupt(conn, bench.run.id, "by hand", 1.0))

    bench.meanwhile = pause
    assert not bench.passed()
    assert (bench.state, bench.asked[-1]) == ((events.RunState.PAUSED, "by hand"), 30)


def test_a_stop_does_not_wait_for_an_answer(journal: making.Journal) -> None:
    """Ctrl-C ends the asking, too; nothing is recorded as an answer."""
    bench = Gates(journal, (PROGRAM,))

    async def never(_gate: gates.Gate, _facts: gatekeeping.Facts) -> gatekeeping.Answer:
        bench.stop.ask()
        await asyncio.Event().wait()
        raise AssertionError

    bench.ask = never
    assert not bench.passed()
    assert (bench.state[0], bench.rows) == (events.RunState.RUNNING, {"smoke": gates.State.ASKING})


def test_an_approval_with_nobody_there(journal: making.Journal) -> None:
    """The run is paused and its process need not stay; once approved it goes on, and is not asked again."""
    bench = Gates(journal, (APPROVAL,))
    assert not bench.passed()
    assert bench.state == (events.RunState.PAUSED, "waits for approval sign-off after wave 1 (first)")
    bench.approve()
    bench.resume()
    assert bench.passed()
    assert (bench.heard[-1].state, bench.heard[-1].who) == (gates.State.APPROVED, "anna@hq")


def test_an_approval_that_is_waited_for(journal: making.Journal) -> None:
    """The run is paused while its process waits, and goes on by itself."""
    bench = Gates(journal, (APPROVAL,), waits=True)
    seen: list[events.RunState] = []

    def approve() -> None:
        seen.append(bench.state[0])
        if bench.time >= 3:
            bench.approve()

    bench.meanwhile = approve
    assert bench.passed()
    assert (seen, bench.state) == ([events.RunState.PAUSED] * 3, (events.RunState.RUNNING, ""))


def test_a_run_that_is_aborted_while_it_waits(journal: making.Journal) -> None:
    """The process ends."""
    bench = Gates(journal, (APPROVAL,), waits=True)
    bench.meanwhile = lambda: journal.store.write_now(lambda conn: runs.abort(conn, bench.run.id, "by hand", 1.0))
    assert not bench.passed()
    assert bench.state == (events.RunState.ABORTED, "by hand")


def test_probes_are_asked_again_and_people_are_not(journal: making.Journal) -> None:
    """An answer is of its moment, a person's word stays: also that a failure may be passed by."""
    bench = Gates(journal, (PROGRAM, APPROVAL), [True, False, True])
    assert not bench.passed()
    bench.approve()
    bench.resume()
    assert not bench.passed()
    assert bench.state[0] is events.RunState.HALTED
    bench.resume()
    assert bench.passed()


def test_a_failure_that_is_passed_by(journal: making.Journal) -> None:
    """Whoever accepts failures lets the run pass it, once and for all."""
    bench = Gates(journal, (PROGRAM, APPROVAL), [False])
    bench.passed()
    bench.resume(accept=True)
    assert not bench.passed()
    assert bench.rows == {"smoke": gates.State.ACCEPTED, "sign-off": gates.State.WAITING}


def test_a_halt_by_a_budget_is_no_gates(journal: making.Journal) -> None:
    """A gate that failed once does not let the run past a halt that came later."""
    bench = Gates(journal, (PROGRAM,), [False, True])
    assert not bench.passed()
    bench.resume()
    assert bench.passed()
    journal.store.write_now(lambda conn: conn.execute("UPDATE runs SET state = 'halted' WHERE id = ?", (bench.run.id,)))
    with pytest.raises(Exception, match="was halted"):
        bench.resume()
