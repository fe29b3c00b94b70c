"""The reference's table of filters is true: every example gives what the table says, and every filter is in it."""

import re

import pytest

from fleetctl.rendering import environments, filters
from tests.architecture import sources
from tests.unit.rendering import making

PAGE = (sources.ROOT / "docs" / "reference" / "bundle.md").read_text(encoding="utf-8")
TABLE = PAGE[PAGE.index("| filter | does |") : PAGE.index("Rules of the sandbox:")]
ROWS = [
    [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in TABLE.splitlines()
    if line.startswith("| `")
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_examples_give_what_the_table_says(row: list[str]) -> None:
    """As text that a template makes; a line feed is written as a backslash and an n."""
    _, _, example, gives = row
    source = making.source(example.strip("`"))
    environment = environments.Environment({source.name: source})
    made = environment.render(environment.compile(source), {})
    assert made == gives.strip("`").replace("\\n", "\n")


def test_every_filter_is_in_the_table() -> None:
    """Each of ours has a row."""
    named = {re.split(r"\W", row[0].strip("`"))[0] for row in ROWS}
    assert named == set(filters.FILTERS)
