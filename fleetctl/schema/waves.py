"""Rules of a strategy's waves and gates that go beyond the shape of each."""

from __future__ import annotations

from collections.abc import Iterator

from fleetctl.model import codes, plans, problems
from fleetctl.reading import yaml12
from fleetctl.schema import shapes

__all__ = ["faults"]


def faults(
    said: shapes.Spread | None, document: yaml12.Document, at: problems.Field = ()
) -> Iterator[problems.Problem]:
    """Return what is wrong with the waves and gates of a strategy that stands at a field of a document.

    A wave takes a count or a percentage; one with neither takes the rest, so it must be the last. A gate stands between
    two waves, so the last one has none.
    """
    yield from _of_gates(said, document, at)
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


def _of_gates(said: shapes.Spread | None, document: yaml12.Document, at: problems.Field) -> Iterator[problems.Problem]:
    written = (
        [rule.name for rule in said.waves] if said and said.waves else [one.name for one in plans.Strategy().waves]
    )
    names = [name or str(number) for number, name in enumerate(written, 1)]
    before: set[str] = set()
    for index, gate in enumerate(said.gates if said else ()):
        field = (*at, "gates", index)
        if gate.name in before:
            message = f'two gates are named "{gate.name}"'
            yield problems.Problem(
                codes.Code.STRATEGY_BAD_VALUE, message, document.mark((*field, "name")), (*field, "name")
            )
        before.add(gate.name)
        for place, name in enumerate(gate.after or ()):
            if name in names[:-1]:
                continue
            here = (*field, "after", place)
            if name == names[-1]:
                message = f'no wave comes after "{name}", so nothing can wait there'
            else:
                known = ", ".join(names[:-1]) or "none, as there is one wave only"
                message = f'there is no wave "{name}" (waves that others come after: {known})'
            yield problems.Problem(codes.Code.STRATEGY_BAD_VALUE, message, document.mark(here), here)
