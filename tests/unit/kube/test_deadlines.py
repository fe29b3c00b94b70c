"""Each stage of a request has its own limit, and nothing but movement puts it off."""

import pytest

from fleetctl.kube import deadlines, transport

LIMITS = transport.Limits(connect=1.0, handshake=2.0, first_byte=3.0, stall=4.0)


@pytest.mark.parametrize(
    ("stage", "seconds", "kind", "words"),
    [
        (deadlines.Stage.CONNECTING, 1, "connect-timeout", "no connection after 1s"),
        (deadlines.Stage.SHAKING_HANDS, 2, "handshake-timeout", "connected, but TLS was not ready after 2s"),
        (deadlines.Stage.WAITING, 3, "timeout", "no answer after 3s"),
        (deadlines.Stage.ANSWERING, 4, "stalled", "the answer stopped half-way for 4s"),
    ],
)
def test_each_stage_has_its_own_limit(stage: deadlines.Stage, seconds: float, kind: str, words: str) -> None:
    """It counts from when the stage was first seen, not from when the request began."""
    watch = deadlines.Watch(LIMITS)
    watch.begin()
    assert watch.late(100.0, stage, 7) is None
    assert watch.late(100.0 + seconds - 0.01, stage, 7) is None
    broken = watch.late(100.0 + seconds, stage, 7)
    assert broken is not None
    assert (broken.kind, broken.message, broken.sent) == (kind, words, stage >= deadlines.Stage.WAITING)


def test_movement_puts_it_off() -> None:
    """A byte is enough, and so is the next stage; a new request owes nothing to the last one."""
    watch = deadlines.Watch(LIMITS)
    watch.begin()
    for second in range(100):
        assert watch.late(second, deadlines.Stage.ANSWERING, second) is None
    watch.begin()
    assert watch.late(200.0, deadlines.Stage.ANSWERING, 99) is None
    watch.begin()
    for stage in deadlines.Stage:
        assert watch.late(300.0 + 0.9 * stage, stage, 0) is None


@pytest.mark.parametrize(
    ("stage", "kind"),
    [
        (deadlines.Stage.CONNECTING, "connect-timeout"),
        (deadlines.Stage.SHAKING_HANDS, "handshake-timeout"),
        (deadlines.Stage.WAITING, "timeout"),
        (deadlines.Stage.ANSWERING, "slow"),
    ],
)
def test_the_time_for_all_of_it_is_told_by_stage(stage: deadlines.Stage, kind: str) -> None:
    """What an operator looks at is how far it came; an answer that kept coming was too slow, not silent."""
    broken = deadlines.over(stage, 30.0)
    assert (broken.kind, broken.sent) == (kind, stage >= deadlines.Stage.WAITING)
    assert "30s" in broken.message


def test_how_often_to_look_follows_from_the_limits() -> None:
    """Twice a second at most; more often where a limit is short."""
    assert deadlines.interval(transport.Limits()) == 0.5
    assert deadlines.interval(transport.Limits(stall=0.4)) == 0.05
