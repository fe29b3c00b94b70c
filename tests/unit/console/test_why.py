"""Why a site is as it is: the evidence as a tree, then what to do."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.console import why
from fleetctl.model import outcomes
from fleetctl.rollout import accounts
from tests.golden import scenes

_WORDS = st.text(max_size=120)


def _shown(found: accounts.Explanation, columns: int = 80) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        stream = scenes.Screen()
        why.show(found, stream)
    return stream.getvalue().splitlines()


def test_a_site_that_was_left_out_has_no_wave() -> None:
    """It was not visited, so there is neither a wave nor a time to tell."""
    found = scenes.explanation(
        wave=0,
        outcome=outcomes.Outcome.SKIPPED,
        effect=outcomes.Effect.NONE,
        reason=outcomes.Reason.MAINTENANCE,
        cause=None,
        evidence=None,
        ended=None,
        took=None,
        owed=True,
        same_cause=0,
        place="",
        template="",
    )
    assert _shown(found) == [
        f"store-00871 owed (maintenance) in {scenes.RUN}",
        "",
        "Owed     retail-pos 1.4.0, paid by: fleetctl rollout catchup",
    ]


def test_a_site_that_is_under_way_has_no_outcome() -> None:
    """Nor a time at which it ended."""
    found = scenes.explanation(outcome=None, effect=None, ended=None, took=None, wave_name="canary")
    assert _shown(found, 100)[0].endswith(f"has no outcome yet in wave 3 (canary) of {scenes.RUN}")


def test_times_of_other_days_have_their_date() -> None:
    """Evidence is kept for long."""
    now = time.time()
    today = time.strftime("%H:%M:%S", time.localtime(now))
    assert f"{scenes.RUN}, {today}, after 41s" in " ".join(_shown(scenes.explanation(ended=now), 100))
    day = time.strftime("%Y-%m-%d", time.localtime(now - 172_800))
    assert f"{scenes.RUN}, {day} " in " ".join(_shown(scenes.explanation(ended=now - 172_800), 100))


def test_silence_without_a_debt_is_not_called_owed() -> None:
    """The debt was paid, or cancelled by an abort."""
    found = scenes.explanation(outcome=scenes.SILENT, cause=scenes.REFUSED, evidence=None, owed=False)
    assert " unreachable in wave 3" in _shown(found, 100)[0]


@pytest.mark.parametrize("simulated", [False, True])
def test_commands_are_of_the_fleet_that_was_asked_about(simulated: bool) -> None:  # noqa: FBT001
    """And a simulated one says so first."""
    lines = _shown(scenes.explanation(simulated=simulated, owed=True))
    assert (lines[0] == "SIMULATED") == simulated
    commands = [line for line in lines if "fleetctl" in line]
    assert len(commands) == 2
    assert all(("fleetctl --sim " in line) == simulated for line in commands)


def test_the_log_of_a_container_keeps_its_order_and_indents() -> None:
    """Its last lines stand below it, and cannot be taken for anything else."""
    container = {
        "kind": "container",
        "name": "gateway",
        "state": "waiting",
        "reason": "CrashLoopBackOff",
        "restarts": 3,
        "last": "Error, exit code 1",
        "log": ["Traceback:", "  File x", "Next     nothing"],
    }
    evidence = {"kind": "Pod", "namespace": "pos", "name": "p", "state": "failed", "children": [container], "more": 7}
    lines = _shown(scenes.explanation(evidence=evidence, cause=None), 100)
    assert lines[lines.index("") + 1 : -5] == [
        "Pod pos/p  failed",
        "  container gateway  waiting: CrashLoopBackOff",
        "    3 restarts, last: Error, exit code 1",
        "    | Traceback:",
        "    |   File x",
        "    | Next     nothing",
        "  and 7 more pods that are not well",
    ]


_NODES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.fixed_dictionaries({"kind": _WORDS, "name": _WORDS}),
    lambda inner: st.fixed_dictionaries(
        {"kind": _WORDS, "name": _WORDS},
        optional={
            "state": _WORDS,
            "reason": _WORDS,
            "message": _WORDS,
            "restarts": st.integers(0, 10**9),
            "log": st.lists(_WORDS, max_size=3),
            "events": st.lists(
                st.fixed_dictionaries({"reason": _WORDS, "message": _WORDS, "count": st.integers(0, 9)}), max_size=4
            ),
            "children": st.lists(inner, max_size=3),
        },
    ),
    max_leaves=8,
)


@given(_NODES, st.sampled_from([80, 120]))
def test_what_a_cluster_says_is_text(evidence: dict[str, Any], columns: int) -> None:
    """Whatever is in the evidence, no sign of it steers the terminal, and our own lines follow it."""
    lines = _shown(scenes.explanation(evidence=evidence), columns)
    assert not any("\x1b" in line or "\x85" in line for line in lines)
    assert lines[-1] == f"Next     fleetctl rollout undo {scenes.RUN}"
