"""Faults folded by what they are: a mistake in one template is one problem, however many sites show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from fleetctl.model import problems

__all__ = ["Faults"]

_MOST = 50
"""Different faults that are looked into; a broken partial can break everything, and nobody reads more."""


class Faults:
    """What went wrong with one bundle, with the sites that showed it."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], tuple[problems.Problem, list[str]]] = {}
        self._hidden: set[tuple[object, ...]] = set()

    def note(self, key: tuple[object, ...], site: str, make: Callable[[], problems.Problem]) -> None:
        """Count a fault for a site; the problem is made once, for the first site that shows it."""
        if key not in self._found:
            if len(self._found) >= _MOST:
                self._hidden.add(key)
                return
            self._found[key] = (make(), [])
        names = self._found[key][1]
        if names[-1:] != [site]:
            names.append(site)

    def found(self) -> Iterator[problems.Problem]:
        """Return each fault once, faults at one template line together."""
        by_place: dict[tuple[object, ...], tuple[problems.Problem, list[str]]] = {}
        for problem, names in self._found.values():
            place = (problem.code, problem.mark, problem.field)
            by_place.setdefault(place, (problem, []))[1].extend(names)
        for number, (problem, names) in enumerate(by_place.values(), start=1):
            unique = sorted(set(names))
            notes = [f"at {unique[0]}" if len(unique) == 1 else f"at {len(unique):,} sites, e.g. {unique[0]}"]
            if self._hidden and number == len(by_place):
                notes.append(f"{len(self._hidden):,} more faults of this bundle are told when these are mended")
            yield msgspec.structs.replace(problem, notes=(*problem.notes, *notes))
