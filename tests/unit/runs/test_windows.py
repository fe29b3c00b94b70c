"""When sites may be changed, on their own clocks: by examples, and held against looking at every minute."""

import datetime as dt
import zoneinfo

import hypothesis
import pytest
from hypothesis import strategies

from fleetctl.model import sites
from fleetctl.runs import windows

NIGHT = sites.Window("0 2 * * *", "3h")


def _clock(*own: sites.Window, zone: str = "UTC", ours: tuple[sites.Window, ...] = ()) -> windows.Clock:
    return windows.Clock(zone, (own, ours))


def _moment(text: str, zone: str = "UTC", fold: int = 0) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=fold).timestamp()


@pytest.mark.parametrize(
    ("time", "inside"),
    [("01:59:59", False), ("02:00:00", True), ("04:59:59", True), ("05:00:00", False), ("14:00:00", False)],
)
def test_a_night(time: str, *, inside: bool) -> None:
    """From its beginning to before its end, on the site's clock."""
    for zone in ("UTC", "Europe/Oslo", "Asia/Kathmandu", "America/St_Johns"):
        assert _clock(NIGHT, zone=zone).is_open(_moment(f"2026-11-28T{time}", zone)) is inside


@pytest.mark.parametrize(
    ("cron", "duration", "time", "inside"),
    [
        ("0 22 * * 5", "2d", "2026-11-29T21:59", True),
        ("0 22 * * 5", "2d", "2026-11-29T22:00", False),
        ("0 22 * * 5", "2d", "2026-11-27T21:59", False),
        ("*/30 * * * *", "10m", "2026-11-29T12:39", True),
        ("*/30 * * * *", "10m", "2026-11-29T12:40", False),
        ("0 2 13 * 5", "1h", "2026-11-27T02:30", True),
        ("0 2 13 * 5", "1h", "2026-11-13T02:30", True),
        ("0 2 13 * 5", "1h", "2026-11-14T02:30", False),
        ("0 2 * * 7", "1h", "2026-11-29T02:30", True),
        ("0 2 * * 0", "1h", "2026-11-29T02:30", True),
        ("0 0 29 2 *", "1h", "2028-02-29T00:30", True),
        ("0 0 1 1 *", "9999999999d", "2026-11-29T00:00", True),
        ("0 2 30 2 *", "1h", "2026-03-02T02:30", False),
    ],
)
def test_cron_times(cron: str, duration: str, time: str, *, inside: bool) -> None:
    """Five fields as cron has them: a day of the month or of the week when both are narrowed; 0 and 7 are Sunday."""
    assert _clock(sites.Window(cron, duration)).is_open(_moment(time)) is inside


def test_the_sites_own_and_the_runs() -> None:
    """Both hold; of the run's, one is enough."""
    ours = (sites.Window("0 4 * * *", "2h"), sites.Window("0 1 * * *", "30m"))
    clock = _clock(NIGHT, ours=ours)
    open_at = [hour for hour in range(24) if clock.is_open(_moment(f"2026-11-28T{hour:02}:15"))]
    assert open_at == [4]
    assert [hour for hour in range(24) if _clock(ours=ours).is_open(_moment(f"2026-11-28T{hour:02}:15"))] == [1, 4, 5]


def test_the_night_in_which_an_hour_is_left_out() -> None:
    """The wall goes from 01:59 to 03:00: the window of 02:00 is open until 05:00 all the same, two hours long."""
    clock = _clock(NIGHT, zone="Europe/Oslo")
    before = _moment("2026-03-29T01:59:59", "Europe/Oslo")
    assert [clock.is_open(before + after) for after in (0, 1, 7200, 7201)] == [False, True, True, False]
    assert clock.opens(before) == before + 1
    left_out = _clock(sites.Window("10 2 * * *", "20m"), zone="Europe/Oslo")
    assert left_out.opens(before) == _moment("2026-03-30T02:10", "Europe/Oslo")


def test_the_night_in_which_an_hour_comes_twice() -> None:
    """What the wall shows twice is inside twice: four hours, and two openings of a short window."""
    clock = _clock(NIGHT, zone="Europe/Oslo")
    begins, ends = _moment("2026-10-25T02:00", "Europe/Oslo"), _moment("2026-10-25T05:00", "Europe/Oslo")
    assert ends - begins == 4 * 3600
    assert all(clock.is_open(begins + minute * 60) for minute in range(240))
    short = _clock(sites.Window("10 2 * * *", "20m"), zone="Europe/Oslo")
    first, second = (_moment("2026-10-25T02:10", "Europe/Oslo", fold) for fold in (0, 1))
    assert [short.opens(moment) for moment in (begins, first + 1200)] == [first, second]


@pytest.mark.parametrize("cron", ["0 2 30 2 *", "0 0 31 4,6,9,11 *"])
def test_windows_that_never_open(cron: str) -> None:
    """Nobody waits for them."""
    assert _clock(sites.Window(cron, "1h")).opens(0.0) is None


_ZONES = ("UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia")
_TURNS = (
    "2026-03-08",
    "2026-03-29",
    "2026-04-05",
    "2026-10-04",
    "2026-10-25",
    "2026-11-01",
    "2011-12-29",
    "2026-07-01",
)


@strategies.composite
def _windows(draw: strategies.DrawFn) -> sites.Window:
    minute = draw(strategies.sampled_from(["0", "10", "*/20", "59"]))
    hour = draw(strategies.sampled_from(["*", "0", "1", "2", "3", "23", "1-3"]))
    weekday = draw(strategies.sampled_from(["*", "*", "0", "1,3"]))
    duration = draw(strategies.sampled_from(["5m", "20m", "1h", "1h30m", "3h", "1d"]))
    return sites.Window(f"{minute} {hour} * * {weekday}", duration)


def _opened(window: sites.Window, begin: dt.datetime, end: dt.datetime) -> set[dt.datetime]:
    """Return the minutes at which a window is open: go through them all, and see when it begins anew."""
    minute, hour, _, _, weekday = window.cron.split()
    length = windows._length(window.duration)  # noqa: SLF001  # the reading of durations has tests of its own
    found, until, wall = set(), begin, begin
    while wall < end:
        if _fits(minute, wall.minute) and _fits(hour, wall.hour) and _fits(weekday, wall.isoweekday() % 7):
            until = wall + length
        if wall < until:
            found.add(wall)
        wall += dt.timedelta(minutes=1)
    return found


def _fits(field: str, value: int) -> bool:
    if field == "*":
        return True
    if field.startswith("*/"):
        return value % int(field[2:]) == 0
    if "-" in field:
        first, last = map(int, field.split("-"))
        return first <= value <= last
    return value in map(int, field.split(","))


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(
    own=strategies.lists(_windows(), max_size=1),
    ours=strategies.lists(_windows(), max_size=2),
    zone=strategies.sampled_from(_ZONES),
    day=strategies.sampled_from(_TURNS),
    minutes=strategies.integers(0, 2 * 24 * 60),
)
def test_against_looking_at_every_minute(
    own: list[sites.Window], ours: list[sites.Window], zone: str, day: str, minutes: int
) -> None:
    """Around the nights in which clocks are moved: the same openings, and the first of them."""
    clock = windows.Clock(zone, (tuple(own), tuple(ours)))
    start = _moment(f"{day}T00:00") - 86400 + minutes * 60

    span = [dt.datetime.fromtimestamp(start, dt.UTC).replace(tzinfo=None) + dt.timedelta(days=day) for day in (-3, 4)]
    opened = [set[dt.datetime]().union(*(_opened(one, *span) for one in some)) for some in (own, ours) if some]

    def inside(moment: float) -> bool:
        wall = dt.datetime.fromtimestamp(moment, zoneinfo.ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        return all(wall in some for some in opened)

    moments = [start + 60 * step for step in range(36 * 60)]
    for moment in moments[::7]:
        assert clock.is_open(moment) is inside(moment)
    first = next((moment for moment in moments if inside(moment)), None)
    found = clock.opens(start)
    if first is None:
        assert found is None or found > moments[-1]
    else:
        assert found == first


def test_many_sites() -> None:
    """Who has no window may always be changed; the first to open is named with the time on its own wall."""
    fleet = {
        "always": sites.Site("always"),
        "oslo": sites.Site("oslo", location=sites.Location(timezone="Europe/Oslo"), window=NIGHT),
        "quito": sites.Site("quito", location=sites.Location(timezone="America/Guayaquil"), window=NIGHT),
        "never": sites.Site("never", window=sites.Window("0 0 30 2 *", "1h")),
    }
    known = windows.Windows(fleet)
    noon = _moment("2026-11-28T12:00")
    assert [site for site in (*fleet, "unknown") if known.closed(site, noon)] == ["oslo", "quito", "never"]
    assert known.opening(["oslo", "quito", "never"], noon) == "the first may at 2026-11-29 02:00 Europe/Oslo (oslo)"
    assert known.opening(["quito"], noon) == "the first may at 2026-11-29 02:00 America/Guayaquil (quito)"
    assert known.opening(["never"], noon) == "none may within a year"
    assert known.first(["always", "oslo"], noon) == ("always", noon)
    night = _moment("2026-11-29T01:30")
    assert [site for site in fleet if known.closed(site, night)] == ["quito", "never"]
