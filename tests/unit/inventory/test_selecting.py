"""Which sites a command is about: rules that hold for every fleet and all flags."""

import pathlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.inventory import selecting
from fleetctl.model import codes, errors, problems, selectors, sites


def _fleet(*named: sites.Site) -> sites.Fleet:
    groups = {
        name: sites.Group(name, selectors.parse(match), 1, {}, problems.Mark("g.yaml"))
        for name, match in (("prod", "env=prod"), ("early", "ring in (0,1)"))
    }
    return sites.Fleet("demo", {site.name: site for site in sorted(named, key=lambda site: site.name)}, groups)


FLEET = _fleet(
    sites.Site("lab-1", state="planned", labels={"env": "lab", "ring": "0"}),
    sites.Site("lab-2", labels={"env": "lab", "ring": "1"}, cluster=sites.Cluster(distribution="microk8s")),
    sites.Site("store-1", labels={"env": "prod", "ring": "1", "country": "NO"}),
    sites.Site("store-2", labels={"env": "prod", "ring": "2", "country": "SE"}),
    sites.Site("store-10", state="maintenance", labels={"env": "prod", "ring": "10"}),
)
_NAMES = st.lists(st.integers(0, 999), min_size=1, max_size=60, unique=True)
_FLEETS = _NAMES.map(lambda numbers: _fleet(*(sites.Site(f"s{number:03}") for number in numbers)))


def _names(fleet: sites.Fleet, stdin: str = "", **flags: Any) -> list[str]:  # noqa: ANN401  # the fields of Selection
    return [site.name for site in selecting.select(fleet, selecting.Selection(**flags), lambda: stdin)]


_WORDS = st.lists(
    st.sampled_from(
        ["store-1", "lab", "*", "?", "[", "]", "!", ",", "@", "-", " ", "\0", "env", "=", "(", ")", "in", "æ", "%", "9"]
    ),
    max_size=5,
).map("".join)
_FLAGS = st.fixed_dictionaries(
    {},
    optional={
        "selectors": st.lists(_WORDS, max_size=2).map(tuple),
        "groups": st.lists(_WORDS | st.sampled_from(["prod", "early"]), max_size=2).map(tuple),
        "sites": st.lists(_WORDS, max_size=2).map(tuple),
        "exclude": st.lists(_WORDS, max_size=2).map(tuple),
        "sample": _WORDS | st.sampled_from(["5%", "50%", "2", "0", "9" * 5000, "1." + "9" * 5000 + "%", "0.0001%"]),
        "seed": st.integers(),
        "everything": st.booleans(),
    },
)


@given(_FLAGS, _WORDS)
def test_no_flags_lead_out_of_the_error_tree(flags: dict[str, Any], stdin: str) -> None:
    """Whatever people write, they get sites of the fleet in order, or an error of ours."""
    try:
        names = _names(FLEET, stdin, **flags)
    except (errors.UsageError, errors.EmptySelection):
        return
    assert names
    assert names == sorted(set(names) & set(FLEET.sites))


@given(_FLEETS, st.integers(1, 70), st.integers(1, 70), st.integers(0, 9))
def test_a_smaller_count_is_inside_a_larger_one(fleet: sites.Fleet, one: int, two: int, seed: int) -> None:
    """Going from 5 sites to 50 keeps the 5."""
    small, large = sorted((one, two))
    assert set(_names(fleet, sample=str(small), seed=seed)) <= set(_names(fleet, sample=str(large), seed=seed))


@given(_FLEETS, st.decimals(0, 100, places=2), st.decimals(0, 100, places=2))
def test_a_smaller_percentage_is_inside_a_larger_one(fleet: sites.Fleet, one: Any, two: Any) -> None:  # noqa: ANN401
    """5 % is a part of 10 %."""
    small, large = sorted((max(one, 1), max(two, 1)))
    assert set(_names(fleet, sample=f"{small}%")) <= set(_names(fleet, sample=f"{large}%"))


@given(_FLEETS, st.integers(1, 100))
def test_percentages_are_rounded_down_and_are_at_least_one(fleet: sites.Fleet, percent: int) -> None:
    """The count is exact, without the errors of floating point."""
    assert len(_names(fleet, sample=f"{percent}%")) == max(len(fleet.sites) * percent // 100, 1)


@given(_FLEETS, st.integers(1, 70), st.integers(0, 9))
def test_a_sample_does_not_depend_on_who_was_left_out(fleet: sites.Fleet, count: int, seed: int) -> None:
    """Sites that were not drawn may leave the fleet without changing the draw."""
    drawn = _names(fleet, sample=str(count), seed=seed)
    assert _names(_fleet(*(fleet.sites[name] for name in drawn)), sample=str(count), seed=seed) == drawn


def test_decimals_of_percentages_are_exact() -> None:
    """57.3 % of 1,000 is 573, which floating point makes 572.99."""
    fleet = _fleet(*(sites.Site(f"s{number:04}") for number in range(1000)))
    assert len(_names(fleet, sample="57.3%")) == 573


def test_another_seed_draws_others() -> None:
    """Five of forty are not the same five for ten seeds; each seed draws alike every time."""
    fleet = _fleet(*(sites.Site(f"s{number:02}") for number in range(40)))
    draws = [_names(fleet, sample="5", seed=seed) for seed in range(10)]
    assert len({tuple(draw) for draw in draws}) == 10
    assert draws == [_names(fleet, sample="5", seed=seed) for seed in range(10)]


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ({}, ["lab-1", "lab-2", "store-1", "store-10", "store-2"]),
        ({"everything": True}, ["lab-1", "lab-2", "store-1", "store-10", "store-2"]),
        ({"sites": ("store-*",), "exclude": ("store-?",)}, ["store-10"]),
        ({"sites": ("lab-2, lab-1",)}, ["lab-1", "lab-2"]),
        ({"sites": ("store-[12]", "lab-[!1]")}, ["lab-2", "store-1", "store-2"]),
        ({"selectors": ("state=planned",)}, ["lab-1"]),
        ({"selectors": ("distribution in (microk8s)", "env")}, ["lab-2"]),
        ({"selectors": ("ring>1",)}, ["store-10", "store-2"]),
        ({"groups": ("prod", "early")}, ["lab-1", "lab-2", "store-1", "store-10", "store-2"]),
        ({"groups": ("early",), "selectors": ("env=prod",)}, ["store-1"]),
        ({"from_run": "r-1", "members": frozenset({"lab-1", "store-2", "gone"})}, ["lab-1", "store-2"]),
        ({"from_run": "r-1", "members": frozenset({"lab-1", "store-2"}), "sites": ("store-*",)}, ["store-2"]),
    ],
)
def test_flags_narrow_each_other(flags: dict[str, Any], names: list[str]) -> None:
    """Values of one flag widen it, other flags narrow it, several selectors must all match."""
    assert _names(FLEET, **flags) == names


def test_members_of_a_run_that_nobody_looked_up_are_not_every_site() -> None:
    """A command that forgets to ask the journal is a bug and not a rollout to all."""
    with pytest.raises(RuntimeError, match="nobody looked up"):
        _names(FLEET, from_run="r-1")


def test_a_run_without_such_sites_says_so() -> None:
    """An empty selection names the run and the outcomes."""
    with pytest.raises(errors.EmptySelection) as caught:
        _names(FLEET, from_run="r-1", only=("failed, unreachable", ""), members=frozenset())
    assert caught.value.message == "r-1 has no site that ended failed or unreachable"


def test_standard_input_is_a_list_of_names() -> None:
    """Lines, commas and blanks divide; ``#`` starts a comment; globs work there too."""
    text = "# canaries\r\nlab-1,lab-2   # both labs\r\n\r\n\tstore-1*\n"
    assert _names(FLEET, text, sites=("-",)) == ["lab-1", "lab-2", "store-1", "store-10"]
    assert _names(FLEET, "store-1\n", sites=("-,lab-2",)) == ["lab-2", "store-1"]
    assert _names(FLEET, text, exclude=("-",)) == ["store-2"]


def test_standard_input_is_read_once() -> None:
    """What two flags take from it is the same text, not nothing for the second."""
    texts = iter(["lab-1\n"])
    with pytest.raises(errors.EmptySelection):
        selecting.select(
            FLEET, selecting.Selection(sites=("-", "-"), exclude=("-",)), read_stdin=lambda: next(texts, "")
        )


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: pathlib.Path) -> None:
    """Editors on Windows put one before the text."""
    path = tmp_path / "list.txt"
    path.write_bytes("\ufefflab-1\n".encode())
    assert _names(FLEET, sites=(f"@{path}",)) == ["lab-1"]
    assert _names(FLEET, "\ufeff# none\nlab-1\n", sites=("-",)) == ["lab-1"]


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_an_exclusion_of_nothing_is_refused(text: str) -> None:
    """It would widen the selection silently; a list that happens to be empty is another matter."""
    with pytest.raises(errors.UsageError, match=r"would leave no site out \(an empty variable\?\)") as caught:
        _names(FLEET, exclude=("lab-1", text))
    assert caught.value.code is codes.Code.USAGE
    assert _names(FLEET, "# nobody\n", exclude=("-",)) == _names(FLEET)


def test_a_file_is_a_list_of_names(tmp_path: pathlib.Path) -> None:
    """The same as standard input."""
    path = tmp_path / "names with blank.txt"
    path.write_text("lab-1 store-2\n", encoding="utf-8")
    assert _names(FLEET, sites=(f"@{path}", "lab-2")) == ["lab-1", "lab-2", "store-2"]


@pytest.mark.parametrize("content", [None, b"\xff\xfes\0t\0"], ids=["missing", "not-utf-8"])
def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: pathlib.Path, content: bytes | None) -> None:
    """The message names the file and the reason."""
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.UsageError, match=r"cannot be read: (No such file|it is not UTF-8)") as caught:
        _names(FLEET, exclude=(f"@{path}",))
    assert caught.value.code is codes.Code.SELECTION_UNREADABLE_FILE


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ({"selectors": ("env in",)}, codes.Code.SELECTION_BAD_SELECTOR),
        ({"groups": ("prdo",)}, codes.Code.SELECTION_UNKNOWN_GROUP),
        ({"sites": ("store-3",)}, codes.Code.SELECTION_UNKNOWN_SITE),
        ({"exclude": ("store-3",)}, codes.Code.SELECTION_UNKNOWN_SITE),
        ({"sample": "x"}, codes.Code.SELECTION_BAD_SAMPLE),
        ({"sample": "0"}, codes.Code.SELECTION_BAD_SAMPLE),
        ({"sample": "0.00%"}, codes.Code.SELECTION_BAD_SAMPLE),
        ({"sample": "100.1%"}, codes.Code.SELECTION_BAD_SAMPLE),
        ({"sample": "-5"}, codes.Code.SELECTION_BAD_SAMPLE),
        ({"sample": "\u0665"}, codes.Code.SELECTION_BAD_SAMPLE),
    ],
)
def test_flags_that_mean_nothing(flags: dict[str, Any], code: codes.Code) -> None:
    """Each has its code."""
    with pytest.raises(errors.UsageError) as caught:
        _names(FLEET, **flags)
    assert caught.value.code is code


def test_the_place_of_a_selector_fault_is_shown() -> None:
    """The hint repeats the selector with a sign below the fault."""
    with pytest.raises(errors.UsageError) as caught:
        _names(FLEET, selectors=("env in (prod",))
    assert caught.value.hint == "env in (prod\n            ^"


@pytest.mark.parametrize(
    ("flags", "hint"),
    [
        ({"selectors": ("contry=NO",)}, 'No site has a label "contry"; did you mean "country"?'),
        ({"selectors": ("env=prod", "rng>1")}, 'No site has a label "rng"; did you mean "ring"?'),
        (
            {"selectors": ("zzz",)},
            'No site has a label "zzz"; labels in use: country, distribution, env, ring, state',
        ),
        ({"selectors": ("!zzz,zz!=a,z notin (a),env=x",)}, "Look at what there is: fleetctl inventory list -o wide"),
        ({"sites": ("x*",)}, "Look at what there is: fleetctl inventory list -o wide"),
        ({"sites": ("",)}, "Look at what there is: fleetctl inventory list -o wide"),
    ],
)
def test_an_empty_selection_says_what_to_look_at(flags: dict[str, Any], hint: str) -> None:
    """A label key that no site has is named with the nearest one; only if it had to be there."""
    with pytest.raises(errors.EmptySelection) as caught:
        _names(FLEET, **flags)
    assert caught.value.code is codes.Code.SELECTION_EMPTY
    assert (caught.value.message, caught.value.hint) == ("none of the 5 sites matches", hint)


@pytest.mark.parametrize(
    ("members", "message"), [([], "the inventory has no sites"), ([sites.Site("a")], "the only site does not match")]
)
def test_small_fleets_are_counted_in_words(members: list[sites.Site], message: str) -> None:
    """No sites at all is another matter than none that matches."""
    with pytest.raises(errors.EmptySelection, match=message):
        _names(_fleet(*members), selectors=("env",))


@pytest.mark.parametrize(
    ("flags", "narrows"),
    [
        ({}, False),
        ({"seed": 3}, False),
        ({"everything": True}, True),
        ({"sites": ("",)}, True),
        ({"selectors": ("",)}, True),
        ({"exclude": ("a",)}, True),
        ({"sample": "1"}, True),
        ({"groups": ("prod",)}, True),
    ],
)
def test_a_selection_knows_whether_it_was_given(flags: dict[str, Any], *, narrows: bool) -> None:
    """A seed alone selects nothing."""
    assert selecting.Selection(**flags).narrows is narrows


def test_one_site_is_found_by_its_name_only() -> None:
    """Where one site is meant, a pattern is not a name, even if it matches one."""
    assert selecting.one(FLEET, "lab-1") is FLEET.sites["lab-1"]
    for name in ("lab-?", "lab-1,lab-2", "@x", "-", ""):
        with pytest.raises(errors.UsageError) as caught:
            selecting.one(FLEET, name)
        assert caught.value.code is codes.Code.SELECTION_UNKNOWN_SITE
