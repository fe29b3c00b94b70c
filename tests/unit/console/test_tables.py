"""Tables and summaries as people see them."""

import io
import pathlib

import pytest

from fleetctl.console import tables
from fleetctl.model import objects, problems, releases, selectors, sites
from fleetctl.rendering import rendering, trees


def _site(name: str, **changes: object) -> sites.Site:
    return sites.Site(name, **changes)  # type: ignore[arg-type]


def _fleet(*members: sites.Site, groups: int = 0) -> sites.Fleet:
    mark = problems.Mark("groups.yaml")
    named = {f"g{n}": sites.Group(f"g{n}", selectors.Selector(), 50, {}, mark) for n in range(groups)}
    return sites.Fleet("demo", {site.name: site for site in members}, named)


def test_columns_are_as_wide_as_their_words() -> None:
    """Two blanks between columns, none at the end of a line."""
    out = io.StringIO()
    tables.table(["NAME", "NOTE"], [["a", "longer"], ["longer-name", ""]], out)
    assert out.getvalue() == "NAME         NOTE\na            longer\nlonger-name\n"


def test_no_rows_leave_the_heads() -> None:
    """An empty table still says what its columns are."""
    out = io.StringIO()
    tables.table(["NAME", "NOTE"], [], out)
    assert out.getvalue() == "NAME  NOTE\n"


@pytest.mark.parametrize(
    ("fleet", "files", "expected"),
    [
        (_fleet(), 1, "0 sites (none) and 0 groups in 1 file: no errors.\n"),
        (_fleet(_site("a"), groups=1), 2, "1 site (1 active) and 1 group in 2 files: no errors.\n"),
        (
            _fleet(_site("a"), _site("b", state="retired"), groups=2),
            1200,
            "2 sites (1 active, 1 retired) and 2 groups in 1,200 files: no errors.\n",
        ),
    ],
    ids=["none", "one", "many"],
)
def test_a_sound_inventory_is_counted(fleet: sites.Fleet, files: int, expected: str) -> None:
    """One is one, and thousands are readable."""
    out = io.StringIO()
    tables.validated(fleet, files, out)
    assert out.getvalue() == expected


def _release(site: str, digest: str) -> releases.Release:
    one = releases.RenderedObject(objects.ObjectId("", "ConfigMap", "pos", "x"), b"{}", "x.yaml.j2")
    return releases.Release(site, "retail-pos", "1.0.0", digest, (one,))


@pytest.mark.parametrize(
    ("digests", "unassigned", "expected"),
    [
        (["r1:a"], 0, ["retail-pos 1.0.0 for 1 site: all alike", "1 object (1 different) in out: 1 written"]),
        (
            ["r1:a", "r1:b", "r1:a"],
            1,
            [
                "retail-pos 1.0.0 for 3 sites: 2 different releases",
                "1 selected site is not assigned and was left out",
                "3 objects (1 different) in out: 1 written",
            ],
        ),
        (
            ["r1:a", "r1:a"],
            2,
            [
                "retail-pos 1.0.0 for 2 sites: all alike",
                "2 selected sites are not assigned and were left out",
                "2 objects (1 different) in out: 1 written",
            ],
        ),
    ],
    ids=["one", "different", "alike"],
)
def test_what_was_rendered_is_summed_up(digests: list[str], unassigned: int, expected: list[str]) -> None:
    """How alike the sites are comes first, the files last."""
    out = io.StringIO()
    made = [_release(f"store-{n}", digest) for n, digest in enumerate(digests)]
    tables.rendered(
        rendering.Rendered(made, len(made), 1), trees.Written(1, 0, 0), pathlib.Path("out"), unassigned, out
    )
    assert out.getvalue().splitlines() == [*expected[:-1], f"{expected[-1]}, 0 unchanged, 0 removed"]
