"""The loop of a command: how a signal ends it."""

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import NoReturn

import pytest

from fleetctl.runs import loops, stopping


class Told(BaseException):
    """What a process raises at SIGTERM; not an ``Exception``, as in ``cli.endings``."""


def _raise(_number: int, _frame: object) -> NoReturn:
    raise Told


@pytest.fixture
def _raising() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, _raise)
    yield
    assert signal.getsignal(signal.SIGTERM) is _raise
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_raising")
def test_sigterm_ends_the_work(capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever waits is cancelled and may clean up; then the process does what it does at SIGTERM, and nothing else."""
    seen = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with pytest.raises(Told):
        loops.run(work())
    assert seen == ["cancelled"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("_raising")
def test_work_that_listens_ends_itself() -> None:
    """A run takes the signal for a wish to stop, as long as it listens; afterwards the loop heeds it again."""

    async def work() -> None:
        stop = stopping.Stop()
        with stopping.listening(stop):
            os.kill(os.getpid(), signal.SIGTERM)
            await stop.soft.wait()
        assert stop.signal == signal.SIGTERM
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    with pytest.raises(Told):
        loops.run(work())


def test_work_gives_its_result() -> None:
    """Without a signal nothing is different."""

    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert loops.run(work()) == 7
