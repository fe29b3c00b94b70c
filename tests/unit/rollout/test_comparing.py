"""Releases compared: what is one group, what is masked, what is known."""

import asyncio
import pathlib

import hypothesis
import hypothesis.strategies as st
import msgspec
import pytest

from fleetctl.kube import masking
from fleetctl.model import objects, releases
from fleetctl.rollout import comparing
from fleetctl.state import databases, installed
from fleetctl.state import releases as stored


def _release(site: str, *made: dict[str, object], version: str = "1.0.0") -> releases.Release:
    listed = []
    for one in made:
        group, kind = objects.group_of(str(one["apiVersion"])), str(one["kind"])
        name = str(one["metadata"]["name"])  # type: ignore[index]
        identity = objects.ObjectId(group, kind, "app", name)
        listed.append(releases.RenderedObject(identity, msgspec.json.encode(one, order="deterministic"), "a.yaml.j2"))
    ordered = releases.in_apply_order(listed)
    return releases.Release(site, "app", version, releases.digest(ordered), ordered)


def _config(name: str, **data: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def _secret(**data: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data}


def test_the_same_difference_is_one_group() -> None:
    """Other fields may differ between the sites, and their own names do not count; other values do."""
    pairs = [
        comparing.Pair(
            site,
            _release(site, _config("a", site=site, host="old", own=f"{number}")),
            _release(site, _config("a", site=site, host=f"{site}.shops", own=f"{number}")),
        )
        for number, site in enumerate(("s1", "s2", "s10"))
    ]
    pairs.append(comparing.Pair("s4", _release("s4", _config("a", host="old")), _release("s4", _config("a", host="x"))))
    pairs.append(comparing.Pair("s5", pairs[0].old, pairs[0].old))
    found = comparing.compare(pairs)
    assert [group.sites for group in found] == [("s1", "s10", "s2"), ("s4",), ("s5",)]
    assert [line for line in found[0].differences[0].lines() if line[0] in "+-"] == [
        "-  host: old",
        "+  host: s1.shops",
    ]


def test_a_name_is_a_whole_word() -> None:
    """The site a is not every letter a: differences that merely hold its name are others."""
    pairs = [
        comparing.Pair(site, _release(site, _config("c", x="1")), _release(site, _config("c", x=text)))
        for site, text in (("a", "cat"), ("b", "cbt"))
    ]
    assert len(comparing.compare(pairs)) == 2


def test_an_unknown_release_is_no_empty_one() -> None:
    """Nothing is said of a site whose release cannot be read, but that."""
    pair = comparing.Pair("s1", None, _release("s1", _config("a")), known=False)
    (group,) = comparing.compare([pair])
    assert (group.differences, group.known) == ((), False)
    assert comparing.Comparison("app", "1", "last", (group,)).differs


def test_what_is_never_deleted_is_said_so() -> None:
    """A claim that is no longer rendered stays at its site, and is no silent difference."""
    claim: dict[str, object] = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}
    (group,) = comparing.compare([comparing.Pair("s1", _release("s1", claim), None)])
    (one,) = group.differences
    assert (one.change.verb, one.change.details) == ("-", "stays at its site: never deleted by a rollout")


@hypothesis.given(
    st.dictionaries(st.sampled_from("abc"), st.text("xyzw", min_size=12)),
    st.dictionaries(st.sampled_from("abc"), st.text("xyzw", min_size=12)),
)
def test_nothing_secret_is_shown(old: dict[str, str], new: dict[str, str]) -> None:
    """Whatever a Secret holds, before or now, stands in no line and no word about it; that it changed does."""
    pair = comparing.Pair("s1", _release("s1", _secret(**old)), _release("s1", _secret(**new)))
    (group,) = comparing.compare([pair])
    assert bool(group.differences) == (old != new)
    said = "".join(f"{one.change.details}{one.lines()}{one.old}{one.new}" for one in group.differences)
    assert not [value for value in (*old.values(), *new.values()) if value in said]
    changed = any(key in old and old[key] != value for key, value in new.items())
    assert (masking.CHANGED in said) == changed


@pytest.mark.parametrize("data", ["text", ["text"], 7])
def test_a_secret_of_a_wrong_shape_is_masked_whole(data: object) -> None:
    """What stands where a map should be is no reason to show it."""
    hidden, _ = masking.masked({"apiVersion": "v1", "kind": "Secret", "data": data}, None)  # type: ignore[dict-item]
    assert hidden == {"apiVersion": "v1", "kind": "Secret", "data": masking.MASKED}


def test_the_last_releases(tmp_path: pathlib.Path) -> None:
    """A site has what the journal says: a release it holds, one that it does not hold, or nothing."""
    old = _release("s1", _config("a", x="1"))
    new = {site: _release(site, _config("a", x="2")) for site in ("s1", "s2", "s3")}
    with databases.open_store(tmp_path / "state.db") as store:

        def note(conn: databases.Connection) -> None:
            stored.put(conn, old)
            installed.put(conn, "s1", "app", installed.Installed(old.digest, "r-1", None), 0.0)
            installed.put(conn, "s2", "app", installed.Installed("r1:elsewhere", "r-1", None), 0.0)

        async def write() -> None:
            await store.write(note)

        asyncio.run(write())
        pairs = comparing.last(store, "app", sorted(new), new)
    assert [(pair.site, pair.old is not None, pair.known) for pair in pairs] == [
        ("s1", True, True),
        ("s2", False, False),
        ("s3", False, True),
    ]
