"""Plans, runs and explanations for machines: in every format, with keys that stay."""

import io
import json

import msgspec
import pytest
import yaml

from fleetctl.model import outcomes, releases
from fleetctl.reports import envelopes, runs
from tests.golden import scenes

ENVELOPES = {
    "Plan": runs.preview(scenes.preview(), releases.Limits((releases.Unchecked("a/v1", "B", 2, 1, "s"),), ())),
    "Run": runs.summary(scenes.summary()),
    "Explanation": runs.explanation(scenes.explanation()),
    "RunSiteList": runs.sites(scenes.lines()),
    "RunList": runs.history(scenes.history(1_000_000.0)),
}


def _written(kind: str, style: str) -> str:
    stream = io.StringIO()
    envelopes.write(ENVELOPES[kind], style, stream)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ENVELOPES)
def test_json_and_yaml_say_the_same(kind: str) -> None:
    """What it is stands first, and a reader of either gets the same data."""
    read = json.loads(_written(kind, "json"))
    assert list(read)[:2] == ["apiVersion", "kind"]
    assert (read["apiVersion"], read["kind"]) == ("fleetctl.dev/v1alpha1", kind)
    assert yaml.safe_load(_written(kind, "yaml")) == read


@pytest.mark.parametrize("kind", ENVELOPES)
def test_lists_are_an_item_a_line(kind: str) -> None:
    """One object is one line."""
    read = json.loads(_written(kind, "json"))
    assert [json.loads(line) for line in _written(kind, "jsonl").splitlines()] == read.get("items", [read])


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("Plan", ["p1:7f3a9c1e" + "0" * 56]),
        ("Run", [scenes.RUN]),
        ("Explanation", ["store-00871"]),
        ("RunSiteList", ["store-00871", "store-00900", "store-01113"]),
        ("RunList", ["r-20261122-a81f03", "r-20261121-a81f03"]),
    ],
)
def test_names_can_be_given_to_other_commands(kind: str, names: list[str]) -> None:
    """One a line, nothing beside them."""
    assert _written(kind, "name").splitlines() == names


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        (
            "Plan",
            "apiVersion kind name simulated plan before changes leftOut silent expiring unchecked nearestVersions",
        ),
        (
            "Run",
            (
                "apiVersion kind name does bundle version plan state why who simulated created ended undoes waves "
                "causes owed notStarted inFlight broken"
            ),
        ),
        (
            "Explanation",
            (
                "apiVersion kind name run bundle version wave outcome effect reason cause ended seconds evidence "
                "madeBy sameCause owed simulated"
            ),
        ),
        ("RunSiteList", "name wave phase outcome effect reason cause started ended"),
        ("RunList", "name does bundle version state created who owed outcomes"),
    ],
)
def test_keys_do_not_go_away(kind: str, keys: str) -> None:
    """Scripts rely on them within an apiVersion; new ones may come."""
    read = json.loads(_written(kind, "jsonl").splitlines()[0])
    assert set(keys.split()) <= set(read)


def test_a_plan_is_told_as_it_is_saved() -> None:
    """Its digest can be worked out from what is said."""
    read = json.loads(_written("Plan", "json"))
    preview = scenes.preview()
    assert msgspec.convert(read["plan"], type(preview.plan)) == preview.plan
    assert read["changes"][1]["objects"] == [
        {"verb": "~", "object": "Deployment pos/gateway", "details": "image 1.3.2 -> 1.4.0, replicas 2 -> 3"},
        {"verb": "+", "object": "NetworkPolicy pos/allow-peripherals", "details": ""},
    ]
    assert read["unchecked"] == [{"apiVersion": "a/v1", "kind": "B", "objects": 2, "sites": 1, "example": "s"}]
    assert read["before"] == {"1.3.2": 1190, "1.4.0": 18, "unknown": 4}


def test_a_run_is_told_in_numbers_and_causes() -> None:
    """All sites of a cause, not some examples."""
    read = json.loads(_written("Run", "json"))
    assert read["waves"][2] == {
        "name": "3",
        "members": 303,
        "outcomes": {"changed": 292, "unchanged": 2, "failed": 7, "unreachable": 2},
        "maxFailed": 6,
        "maxUnreachable": 60,
    }
    assert len(read["causes"][0]["sites"]) == 7
    assert read["causes"][0]["cause"] == {
        "reason": scenes.PULL.reason,
        "subject": scenes.PULL.subject,
        "message": scenes.PULL.message,
    }


def test_what_is_not_known_is_null() -> None:
    """A site that is under way has no outcome, which is not an empty one."""
    site = json.loads(_written("RunSiteList", "jsonl").splitlines()[2])
    assert {key: site[key] for key in ("outcome", "effect", "cause", "ended")} == dict.fromkeys(
        ("outcome", "effect", "cause", "ended")
    )
    found = runs.explanation(scenes.explanation(outcome=None, effect=None, cause=None, evidence=None))
    assert (found["outcome"], found["effect"], found["cause"], found["evidence"]) == (None, None, None, None)


def test_text_of_a_cluster_survives() -> None:
    """Escapes and scripts of any kind are the reader's to show."""
    cause = outcomes.Cause("Broken", "\x1b[31mit", "Tromsø\n☃ 店")
    for style, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        stream = io.StringIO()
        envelopes.write(runs.explanation(scenes.explanation(cause=cause)), style, stream)
        assert "\x1b" not in stream.getvalue()
        assert read(stream.getvalue())["cause"]["message"] == cause.message
