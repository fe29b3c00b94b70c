"""Plans as files."""

import pathlib
import stat

import msgspec
import pytest

from fleetctl.model import codes, errors, plans
from fleetctl.rollout import saving


def _plan(**more: object) -> plans.Plan:
    members = (plans.Member("s1", 1, "r1:a"), plans.Member("s2", 1, "r1:b"))
    shown = {
        "kind": plans.Kind.ROLLOUT,
        "project": "shops",
        "bundle": "app",
        "version": "1.0.0",
        "namespace": "app",
        "waves": (),
        "strategy": plans.Strategy(),
        "options": plans.Options(),
        "members": members,
        **more,
    }
    return plans.Plan(**shown)  # type: ignore[arg-type]


def test_a_plan_survives_its_file(tmp_path: pathlib.Path) -> None:
    """What is read is what was saved, digest and all, in a file for its owner alone."""
    file = tmp_path / "plans" / "a.json"
    saving.save(_plan(), file)
    assert saving.load(file) == _plan()
    assert plans.digest(saving.load(file)) == plans.digest(_plan())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_place_that_takes_no_file(tmp_path: pathlib.Path) -> None:
    """A plan that cannot be saved is said so."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(errors.NotConfigured) as refused:
        saving.save(_plan(), tmp_path / "file" / "a.json")
    assert refused.value.code is codes.Code.PLAN_UNWRITABLE


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "1.1.0"}, "its version changed since"),
        ({"strategy": plans.Strategy(soak=1.0)}, "its strategy changed since"),
        ({"options": plans.Options(reapply=True)}, "its options changed since"),
        (
            {"members": (plans.Member("s1", 1, "r1:other"), plans.Member("s2", 1, "r1:b"))},
            "1 of 2 members, e.g. s1 changed since",
        ),
        ({"members": (plans.Member("s1", 1, "r1:a"),)}, "1 of 2 members, e.g. s2 changed since"),
        (
            {"members": (plans.Member("s1", 1, "r1:a", endpoint="x#y"), plans.Member("s2", 1, "r1:b"))},
            "1 of 2 members, e.g. s1 changed since",
        ),
    ],
)
def test_what_moved_is_named(change: dict[str, object], words: str) -> None:
    """Files that changed since the plan was made refuse it, with what and where."""
    with pytest.raises(errors.Refused, match=words) as refused:
        saving.check_same(_plan(), _plan(**change))
    assert refused.value.code is codes.Code.PLAN_MOVED


def test_what_clusters_said_is_no_part_of_the_files() -> None:
    """Bases and waves come from clusters and may differ; only what files say is compared."""
    moved = tuple(msgspec.structs.replace(one, wave=0, base="r1:x", read=True) for one in _plan().members)
    saving.check_same(_plan(), _plan(members=moved))
