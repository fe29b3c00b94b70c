"""What a rendering could not check, in words."""

import io

import pytest

from fleetctl.console import checks
from fleetctl.model import releases


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (releases.Limits(), ""),
        (
            releases.Limits(unchecked=(releases.Unchecked("a/v1", "B", 1, 1, "s1"),)),
            "note: 1 object of a/v1 B was not checked: no definition of that kind is known (at s1)\n",
        ),
        (
            releases.Limits(unchecked=(releases.Unchecked("a/v1", "B", 4000, 2000, "s1"),)),
            (
                "note: 4,000 objects of a/v1 B were not checked: no definition of that kind is known"
                " (at 2,000 sites, e.g. s1)\n"
            ),
        ),
        (
            releases.Limits(
                nearest=(releases.Nearest("1.30", "1.34", 2, "s1"), releases.Nearest("1.99", "1.37", 1, "s2"))
            ),
            (
                "note: 2 sites run Kubernetes 1.30, e.g. s1; what they get was checked as for 1.34,"
                " the nearest that fleetctl knows\n"
                "note: 1 site runs Kubernetes 1.99, e.g. s2; what they get was checked as for 1.37,"
                " the nearest that fleetctl knows\n"
            ),
        ),
    ],
    ids=["all was checked", "one", "many", "minors"],
)
def test_notes(limits: releases.Limits, said: str) -> None:
    """One line for each kind and each minor, and none when all was checked."""
    out = io.StringIO()
    checks.notes(limits, out)
    assert out.getvalue() == said
