"""The plan of a run: on one screen, whatever the fleet, its bundle and its strategy are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.console import plans
from fleetctl.kube import rights
from fleetctl.model import outcomes
from fleetctl.model import plans as records
from fleetctl.rollout import folding, permits, planning
from tests.golden import scenes


def _shown(preview: planning.Preview, columns: int = 80) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        stream = scenes.Screen()
        plans.show(preview, stream)
        plans.saved(preview, ".fleetctl/plans/7f3a9c1e.json", stream)
    return stream.getvalue().splitlines()


def _many(waves: int) -> planning.Preview:
    preview = scenes.preview()
    made = tuple(records.Wave(str(number), 40, 1, 8, 2) for number in range(1, waves + 1))
    rules = (*(records.WaveRule(percent=2.5) for _ in range(waves - 1)), records.WaveRule())
    plan = scenes.replaced(preview.plan, waves=made, strategy=records.Strategy(waves=rules))
    return scenes.replaced(preview, plan=plan)


def test_many_waves_are_counted() -> None:
    """The first ones and the last are shown, in columns that stand below each other."""
    lines = [line for line in _shown(_many(30)) if "halts" in line or "more waves" in line]
    assert lines[4] == "        and 25 more waves of 1,000 sites together (-o json lists them)"
    assert [line[8:10].strip() for line in lines if "halts" in line] == ["1", "2", "3", "4", "30"]
    assert len({line.index(" halts") for line in lines if "halts" in line}) == 1


def test_columns_are_as_wide_as_names_and_shares() -> None:
    """A wave may have a long name, and a percentage a fraction."""
    preview = scenes.preview()
    made = (records.Wave("pilot-stores", 3, 0, 2, 0), records.Wave("2", 400, 1, 12, 3))
    rules = (records.WaveRule(name="pilot-stores", count=3), records.WaveRule(percent=12.25))
    plan = scenes.replaced(preview.plan, waves=made, strategy=records.Strategy(waves=rules))
    lines = [line for line in _shown(scenes.replaced(preview, plan=plan)) if " halts " in line]
    assert lines[1].split()[:5] == ["2", "400", "sites", "12.25", "%"]
    assert len({line.index(" halts") for line in lines}) == 1


@given(
    kinds=st.integers(0, 40),
    changes=st.integers(0, 12),
    details=st.text(max_size=250),
    waves=st.integers(1, 30),
    silent=st.integers(0, 30),
    prunes=st.integers(0, 30),
    columns=st.sampled_from([80, 120]),
)
def test_a_plan_fits_a_screen(  # noqa: PLR0917  # hypothesis gives them by name
    kinds: int, changes: int, details: str, waves: int, silent: int, prunes: int, columns: int
) -> None:
    """25 lines, whose text comes from anywhere; the last one is the command that runs it."""
    found = tuple(folding.Change("+", scenes.identity("ConfigMap", f"c{number}"), details) for number in range(changes))
    preview = scenes.replaced(
        _many(waves),
        folds=tuple(folding.Fold((f"s{number}",), found) for number in range(kinds)),
        silent=tuple((outcomes.Cause("Broken", "it", details[:60]), (f"s{number}",)) for number in range(silent)),
        prunes=tuple(
            planning.Prune(scenes.identity("ConfigMap", f"p{number}"), ("s0", "s1")) for number in range(prunes)
        ),
        simulated=True,
    )
    lines = _shown(preview, columns)
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 100 or len(details.split()) < 3
    assert lines[0] == "SIMULATED"
    assert lines[-1] == "Run it:  fleetctl --sim rollout start --plan .fleetctl/plans/7f3a9c1e.json"
    assert not any("\x1b" in line or "\n" in line for line in lines)


@pytest.mark.parametrize("number", [5, 6, 7, 30])
def test_all_kinds_of_change_are_told_or_counted(number: int) -> None:
    """What is shown and what is counted make the fleet."""
    change = folding.Change("+", scenes.identity("ConfigMap", "c"))
    folds = tuple(folding.Fold(scenes.names(3, first * 3), (change,)) for first in range(number))
    lines = _shown(scenes.preview(folds=folds, silent=(), prunes=(), covered=4))
    told = sum(int(line.split()[0]) for line in lines if " sites  + ConfigMap" in line)
    counted = sum(int(line.split(" at ")[1].split()[0]) for line in lines if "of change at" in line)
    assert told + counted == 3 * number


def test_credentials_that_end_are_told() -> None:
    """How many sites they are, and the first of them with its day."""
    for expiring, expected in (
        ((("s7", 0.0),), "1 site holds credentials that expire within 7 days   e.g. s7 on 1970-01-01"),
        (
            (("s7", 90_000.0), ("s1", 90_060.0)),
            "2 sites hold credentials that expire within 7 days   e.g. s7 on 1970-01-02",
        ),
    ):
        assert [line for line in _shown(scenes.preview(expiring=expiring), 100) if "credentials" in line] == [
            f"        {expected}"
        ]


def test_what_to_watch_is_told_or_counted() -> None:
    """Causes of silence first, then what would be deleted; the rest in numbers."""
    silent = tuple((outcomes.Cause("Broken", f"it{number}"), scenes.names(2)) for number in range(7))
    prunes = tuple(planning.Prune(scenes.identity("ConfigMap", f"p{number}"), ("s0",)) for number in range(3))
    lines = _shown(scenes.preview(silent=silent, prunes=prunes))
    watch = lines[next(number for number, line in enumerate(lines) if line.startswith("Watch")) : -3]
    assert [line.strip().split(":")[0] for line in watch] == [
        "Watch   the canary covers 3 of 4 kinds of sites (platform, objects)",
        *["2 did not answer"] * 4,
        "and 6 more that did not answer, 3 more objects would be deleted (-o json lists them)",
    ]


def test_missing_rights_are_told() -> None:
    """What fails a visit first, the rest in numbers; and where nobody says."""
    gaps = (
        rights.Gap("leases.coordination.k8s.io", "fleetctl-system", ("create",), (), "lease"),
        rights.Gap("deployments.apps", "pos", ("create", "patch")),
        rights.Gap("namespaces", "pos", ("create",)),
        rights.Gap("nodes", "", ("list",)),
    )
    few = (rights.Gap("configmaps", "pos", ("patch",), ("a", "b")), gaps[0])
    lacks = (permits.Lack(gaps, scenes.names(12)), permits.Lack(few, ("s1",)))
    doubts = (permits.Doubt(outcomes.Cause("NotImplemented", "asking for rights"), ("s2", "s3")),)
    lines = _shown(scenes.preview(lacks=lacks, doubts=doubts, silent=(), prunes=(), covered=4), 160)
    first = "create/patch deployments.apps in pos, create namespace pos, list nodes, and 1 more"
    lease = "create leases.coordination.k8s.io in fleetctl-system (which keeps other operators away)"
    begin = next(number for number, line in enumerate(lines) if line.startswith("Watch"))
    assert " ".join(" ".join(lines[begin:-3]).split()) == (
        f"Watch at 12 sites we may not {first} e.g. {scenes.names(1)[0]}"
        f" at 1 site we may not patch configmaps a, b in pos, {lease} e.g. s1"
        " 2 sites do not say which rights are missing: NotImplemented asking for rights e.g. s2"
    )


def test_rights_that_do_not_fit_are_counted() -> None:
    """As silent sites and deletions are."""
    gap = rights.Gap("configmaps", "pos", ("patch",))
    lacks = tuple(permits.Lack((gap,), (f"s{number}",)) for number in range(9))
    prunes = (planning.Prune(scenes.identity("ConfigMap", "p"), ("s0",)),)
    last = [line for line in _shown(scenes.preview(lacks=lacks, prunes=prunes, covered=4)) if "-o json lists" in line]
    assert last[0].startswith("        and 4 more about rights, 4 more that did not answer, 1 more object")


@pytest.mark.parametrize(
    ("kind", "version", "undoes", "before", "expected"),
    [
        (records.Kind.ROLLOUT, "1.4.0", None, (), "pos nothing -> 1.4.0 on 1 site"),
        (records.Kind.ROLLOUT, "1.4.0", None, (("1.3.2", 1),), "pos 1.3.2 -> 1.4.0 on 1 site"),
        (records.Kind.REMOVE, "1.4.0", None, (("1.3.2", 1),), "pos 1.3.2 taken off on 1 site"),
        (records.Kind.UNDO, "nothing", "r-1", (("1.4.0", 1),), "undo of r-1: pos 1.4.0 -> nothing on 1 site"),
        (records.Kind.CATCHUP, "1.4.0", None, (), "catch-up of pos: 1.4.0 on 1 site"),
    ],
)
def test_the_first_line_says_what_is_done(
    kind: records.Kind, version: str, undoes: str | None, before: tuple[tuple[str, int], ...], expected: str
) -> None:
    """What, from where to where, on how many."""
    plan = records.Plan(
        kind=kind,
        project="retail",
        bundle="pos",
        version=version,
        namespace="pos",
        waves=(records.Wave("canary", 1, 0, 0, 0),),
        strategy=records.Strategy(),
        options=records.Options(),
        members=(records.Member("s0", 1, "r1:x"),),
        undoes=undoes,
    )
    assert _shown(scenes.preview(plan=plan, before=before, left_out=()))[0] == expected


def test_the_command_can_be_pasted() -> None:
    """Whatever the folder is called."""
    stream = scenes.Screen()
    plans.saved(scenes.preview(), "my plans/a'b.json", stream)
    assert stream.getvalue().splitlines()[-1].endswith("""rollout start --plan 'my plans/a'"'"'b.json'""")


def test_a_run_without_sites_says_why() -> None:
    """No site takes part: the reasons, with examples."""
    stream = scenes.Screen()
    left_out = (
        planning.LeftOut("in maintenance", scenes.names(4), owed=True),
        planning.LeftOut("not assigned pos", ("b\x1b",)),
    )
    plans.nobody(scenes.preview(left_out=left_out, simulated=True), stream)
    assert stream.getvalue().splitlines() == [
        "SIMULATED  rollout of retail-pos: no site takes part, so there is no run",
        "  4 in maintenance (owed): store-00001, store-00002, store-00003, ...",
        "  1 not assigned pos: b\\x1b",
    ]
