"""The live view: what it draws for any run, and what it leaves on the terminal."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.console import counting, live
from fleetctl.model import events, outcomes
from tests.golden import scenes

CLEAR = "\x1b[2K"


def _progress(found: list[events.Event]) -> counting.Progress:
    progress = counting.Progress(lambda: 0.0)
    for event in found:
        progress.take(event)
    return progress


def _many_waves(ended: int) -> list[events.Event]:
    waves = tuple((f"{number}", 2) for number in range(1, 31))
    found: list[events.Event] = [events.RunStarted("r-1", "rollout", "pos", "1", "p1:a", waves, ((1, 1),) * 30)]
    for number in range(1, ended + 2):
        found.append(events.WaveStarted(number, 2, 1, 1))
        for site in "ab" if number <= ended else "a":
            name = f"{site}{number}"
            found.append(events.SiteMoved(name, number, events.Phase.APPLYING))
            if number <= ended:
                found.append(events.SiteEnded(name, number, outcomes.Outcome.CHANGED, outcomes.Effect.APPLIED))
    return found


def test_a_run_that_did_not_start_has_no_lines() -> None:
    """Nothing is drawn before there is anything to say."""
    assert list(live.lines(counting.Progress(lambda: 0.0), 80)) == []


@pytest.mark.parametrize("ended", [0, 1, 14, 29])
def test_many_waves_are_added_up(ended: int) -> None:
    """Those that ended and those to come take a line each, the one at work stands between them."""
    found = [line for line in live.lines(_progress(_many_waves(ended)), 80) if line.startswith("  wave")]
    assert len(found) <= 3
    assert sum(int(line.split("/")[1].split()[0]) for line in found) == 60
    assert any(re.match(rf"  wave {ended + 1} +0/2 .*applying 1", line) for line in found)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE, outcomes.Outcome.CHANGED]),
            st.text(min_size=1, max_size=300),
        ),
        max_size=30,
    ),
    st.text(max_size=300),
    st.sampled_from([60, 80, 100]),
)
def test_what_sites_say_stays_in_its_place(ends: list[tuple[outcomes.Outcome, str]], detail: str, columns: int) -> None:
    """Any text of a cluster is shown as text: no line of ours is forged, and no sign steers the terminal."""
    found: list[events.Event] = [
        events.RunStarted("r-1", "rollout", "pos", "1", "p1:a", (("1", 40),), ((2, 3),)),
        events.WaveStarted(1, 40, 2, 3),
        events.SiteMoved("slow", 1, events.Phase.OBSERVING, detail),
    ]
    for number, (outcome, text) in enumerate(ends):
        cause = outcomes.Cause("Broken", "it", text)
        found.append(events.SiteEnded(f"s{number}", 1, outcome, outcomes.Effect.NONE, cause=cause))
    lines = list(live.lines(_progress(found), columns))
    assert all("\x1b" not in line and len(line.splitlines()) <= 1 for line in lines)
    assert sum(line.startswith("failed ") for line in lines) == any(one is outcomes.Outcome.FAILED for one, _ in ends)
    assert lines[-1].endswith("stops at once")


def test_long_messages_do_not_push_the_rest_away() -> None:
    """One cause is always whole; what does not fit beside it is counted."""
    found = scenes.happened()
    for number in range(5):
        cause = outcomes.Cause(f"Odd{number}", "it", "long words " * 40)
        found.append(events.SiteEnded(f"z{number}", 3, outcomes.Outcome.FAILED, outcomes.Effect.NONE, cause=cause))
    lines = list(live.lines(_progress(found), 80, 24))
    assert len(lines) <= 24
    assert any(re.fullmatch(r"   and \d more causes?", line) for line in lines)
    assert any(line.startswith("slowest  store-00184 observing") for line in lines)


def test_a_view_that_is_over_says_nothing_about_keys() -> None:
    """What stands on the terminal afterwards is what was, not what can be pressed."""
    progress = _progress(scenes.happened())
    assert not any("Ctrl-C" in line or "slowest" in line for line in live.lines(progress, 80, over=True))
    progress.take(events.RunEnded("r-1", events.RunState.HALTED, "why"))
    assert "halted after 0s" in next(live.lines(progress, 80))


def _drawn(stream: scenes.Screen, *, leave: bool = False) -> str:
    with live.Live(stream, leave=leave) as view:
        for event in scenes.happened():
            view.observe(event)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 by 24 that can be drawn on, wherever the tests run."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)


def test_the_view_gives_way_to_an_ending() -> None:
    """Every line of it is taken back, and the cursor is shown again."""
    text = _drawn(scenes.Screen())
    last = text.rpartition("ImagePullBackOff")[2]
    assert last.count(CLEAR) >= 12
    assert text.rstrip("\r\n").rfind("\x1b[?25h") > text.rfind("\x1b[?25l")


def test_the_view_stays_where_the_ending_goes_elsewhere() -> None:
    """``rollout start -o json > file``: what the terminal showed last is all that it ever shows."""
    last = _drawn(scenes.Screen(), leave=True).rpartition("ImagePullBackOff")[2]
    assert CLEAR not in last


def test_the_view_stays_when_an_error_leaves_no_ending() -> None:
    """What was known when it happened is not wiped out by it."""
    stream = scenes.Screen()
    with contextlib.suppress(ZeroDivisionError), live.Live(stream) as view:
        for event in scenes.happened():
            view.observe(event)
        raise ZeroDivisionError
    last = stream.getvalue().rpartition("ImagePullBackOff")[2]
    assert CLEAR not in last
    assert "Ctrl-C" not in last


@pytest.mark.parametrize("colour", [True, False])
def test_colour_is_left_out_where_it_is_not_wanted(colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """NO_COLOR takes the colours away and nothing else."""
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    text = _drawn(scenes.Screen())
    assert bool(re.search(r"\x1b\[[0-9;]*m", text)) == colour
    assert "failed 2 (budget 6 in wave 3)" in text


def test_markup_of_a_site_is_text() -> None:
    """Square brackets and colons mean nothing to us."""
    stream = scenes.Screen()
    cause = outcomes.Cause("Broken", "[red]it[/red]", ":bomb: [link=https://x]y[/link]")
    with live.Live(stream) as view:
        view.observe(scenes.happened()[0])
        view.observe(events.SiteEnded("s", 1, outcomes.Outcome.FAILED, outcomes.Effect.NONE, cause=cause))
    assert "1x Broken [red]it[/red]: :bomb: [link=https://x]y[/link]   e.g. s" in stream.getvalue()


class _Old(scenes.Screen):
    """A terminal that has letters of Western Europe only."""

    encoding = "iso8859-1"


def test_bars_are_drawn_with_what_the_terminal_has() -> None:
    """A block that it cannot show would become six signs, and the line too long."""
    text = _drawn(_Old())
    assert "#######....." in text
    assert "▇" not in text


class _Gone(scenes.Screen):
    def write(self, _: str) -> int:
        raise OSError

    def flush(self) -> None:
        raise OSError


def test_a_terminal_that_goes_away_does_not_end_the_run() -> None:
    """A closed window or a lost connection takes the view, not the run."""
    _drawn(_Gone())


def test_a_window_may_change_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each drawing fits the window of its moment, down to less than we would wrap for."""
    stream = scenes.Screen()
    with live.Live(stream) as view:
        for event in scenes.happened():
            view.observe(event)
        monkeypatch.setenv("COLUMNS", "44")
        monkeypatch.setenv("LINES", "12")
    last = stream.getvalue().rpartition("rollout r-2026")[2]
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in last.split("\n")]
    assert max(map(len, lines)) <= 44
    assert len([line for line in lines if line.strip("\r ")]) <= 12
