"""Whose a Lease is: by the server's clock, or by what was seen of it, never by ours."""

import contextlib
import json

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.kube import answers, leases

US = leases.holder("shops", "s1", "r-1", 2)
NOW = 1_800_000_000.0
TIMES = st.floats(0, 2e9, allow_nan=False)
DELAYS = st.floats(0, 200, allow_nan=False)


def _lease(holder: str = "other", renewed: float | None = NOW) -> leases.Lease:
    return leases.Lease("u", "7", holder, renewed=renewed)


def test_a_new_lease_says_who_and_for_how_long() -> None:
    """Made for the server: a name per bundle, whole seconds, and its own time to the microsecond."""
    made = json.loads(leases.body("pos", US, NOW + 0.25))
    assert made["metadata"] == {"name": "fleetctl-pos", "namespace": "fleetctl-system"}
    assert made["spec"] == {
        "holderIdentity": "shops s1 r-1 2",
        "leaseDurationSeconds": 60,
        "leaseTransitions": 0,
        "renewTime": "2027-01-15T08:00:00.250000Z",
    }


def test_taking_over_is_bound_to_what_was_read() -> None:
    """UID and resourceVersion are those that were read; a change of hands is counted, a renewal is not."""
    made = json.loads(leases.body("pos", US, None, _lease()))
    assert made["metadata"].items() >= {"uid": "u", "resourceVersion": "7"}.items()
    assert made["spec"]["leaseTransitions"] == 1
    assert "renewTime" not in made["spec"]
    assert json.loads(leases.body("pos", US, NOW, _lease(US)))["spec"]["leaseTransitions"] == 0


@pytest.mark.parametrize(
    ("holder", "verdict"),
    [
        (US, "ours"),
        ("", "free"),
        ("shops s1 r-1 1", "free"),
        ("shops s1 r-1 3", "held"),
        ("shops s1 r-2 1", "held"),
        ("others s1 r-1 1", "held"),
        ("shops s1 r-1 x", "held"),
        (f"shops s1 r-1 {'1' * 5000}", "held"),
        ("1", "held"),
    ],
)
def test_who_may_take_a_fresh_one(holder: str, verdict: str) -> None:
    """Ourselves, and a later attempt of the same run at the same site, which the journal has begun."""
    assert leases.decide(_lease(holder), US, NOW, None, 0.0) == verdict


@pytest.mark.parametrize(("after", "verdict"), [(99.9, "held"), (100.0, "free")])
def test_by_the_servers_clock(after: float, verdict: str) -> None:
    """A minute, and the time in which a request of its holder may still be committed."""
    assert leases.decide(_lease(), US, NOW + after, None, 0.0) == verdict


@pytest.mark.parametrize(("after", "verdict"), [(99.9, "held"), (100.0, "free")])
@pytest.mark.parametrize(("renewed", "told"), [(None, NOW), (NOW, None), (NOW + 1e9, NOW)])
def test_by_being_seen_unchanged(renewed: float | None, told: float | None, after: float, verdict: str) -> None:
    """Where no time was written, none is told, or one makes no sense: a whole term without a writing."""
    seen = leases.Seen("u", "7", 50.0)
    assert leases.decide(_lease(renewed=renewed), US, told, seen, 50.0 + after) == verdict


@pytest.mark.parametrize("seen", [leases.Seen("u", "6", 0.0), leases.Seen("v", "7", 0.0)])
def test_a_writing_begins_the_term_anew(seen: leases.Seen) -> None:
    """Another version, or another Lease of that name, was not seen for its whole term."""
    assert leases.decide(_lease(renewed=None), US, None, seen, 1e6) == "held"


@hypothesis.given(TIMES, DELAYS, DELAYS, DELAYS)
def test_never_before_the_last_request_is_over(sent: float, ahead: float, later: float, behind: float) -> None:
    """Whoever writes is never behind the server's clock, whoever reads never ahead: the term and the grace are kept."""
    written = leases.read(leases.body("pos", "other", sent + ahead))
    verdict = leases.decide(written, US, sent + later - behind, None, 0.0)
    assert verdict == "held" or later >= leases.TERM + leases.GRACE - 1e-5


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, leases.Lease("", "")),
        ({"leaseDurationSeconds": 1}, leases.Lease("", "")),
        ({"leaseDurationSeconds": 10**9}, leases.Lease("", "", term=600.0)),
        ({"renewTime": "yesterday"}, leases.Lease("", "")),
        ({"renewTime": "2026-01-01T00:00:00"}, leases.Lease("", "")),
        ({"renewTime": "1970-01-01T00:01:00.000000Z"}, leases.Lease("", "", renewed=60.0)),
        ({"holderIdentity": None, "leaseTransitions": None}, leases.Lease("", "")),
    ],
)
def test_what_others_wrote(spec: dict[str, object], expected: leases.Lease) -> None:
    """Nobody shortens the term, or holds a site for ever; a time without a zone is none."""
    assert leases.read(json.dumps({"spec": spec}).encode()) == expected


@hypothesis.given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_nonsense_is_a_failure(spec: object) -> None:
    """Whatever a server sends is a Lease, or a typed refusal."""
    with contextlib.suppress(answers.Failure):
        assert leases.read(json.dumps({"spec": spec}).encode()).term >= leases.TERM
