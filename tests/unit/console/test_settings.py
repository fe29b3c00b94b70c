"""Settings on a screen."""

import io

from fleetctl.console import settings as screens
from fleetctl.model import settings

FOUND = (
    settings.Setting("project", "/fleet"),
    settings.Setting("events", None),
    settings.Setting("concurrency", 9, settings.Layer.ENVIRONMENT, "FLEETCTL_CONCURRENCY"),
)


def _shown(*, origin: bool) -> str:
    stream = io.StringIO()
    screens.show(FOUND, stream, origin=origin)
    return stream.getvalue()


def test_settings_are_a_table() -> None:
    """What is not set is a dash."""
    assert _shown(origin=False).splitlines() == [
        "NAME         FLAG      VALUE",
        "project      -C        /fleet",
        "events       --events  -",
        "concurrency  -c        9",
    ]


def test_origins_are_the_last_column() -> None:
    """A variable, a place, or built in."""
    assert [line.split()[-1] for line in _shown(origin=True).splitlines()] == [
        "FROM",
        "built-in",
        "built-in",
        "FLEETCTL_CONCURRENCY",
    ]
