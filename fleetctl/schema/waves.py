"""Rules of a strategy's waves that go beyond the shape of each."""

from __future__ import annotations

from collections.abc import Iterator

from fleetctl.model import codes, problems
from fleetctl.reading import yaml12
from fleetctl.schema import shapes

__all__ = ["faults"]


def faults(
    said: shapes.Spread | None, document: yaml12.Document, at: problems.Field = ()
) -> Iterator[problems.Problem]:
    """Return what is wrong with the waves of a strategy that stands at a field of a document.

    A wave takes a count or a percentage; one with neither takes the rest, so it must be the last.
    """
    rules = said.waves if said and said.waves else []
    last = len(rules) - 1
    for index, rule in enumerate(rules):
        field = (*at, "waves", index)
        if rule.count is not None and rule.percent is not None:
            message = "a wave takes a count or a percentage, not both"
        elif rule.canary and index == last:
            message = "a canary is followed by other waves: one site of each kind is not all of them"
        elif rule.count is None and rule.percent is None and index != last and not rule.canary:
            message = (
                "without count or percent this wave takes all that are left, so nothing remains for those after it"
            )
        elif index == last and (rule.count is not None or rule.percent is not None):
            message = "the last wave takes the rest: leave out its count and percent"
        else:
            continue
        yield problems.Problem(codes.Code.STRATEGY_BAD_VALUE, message, document.mark(field), field)
