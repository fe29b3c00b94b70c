"""Which sites a command is about: the selection flags, the same on every command, applied to a fleet.

Flags of different kinds narrow each other; the values of one flag widen it (``-g a -g b`` is either group), except
that several ``-l`` must all match, as a selector's own commas do.
"""

from __future__ import annotations

import collections
import fnmatch
import fractions
import functools
import hashlib
import pathlib
import re
from collections.abc import Callable, Iterable

import msgspec

from fleetctl.model import codes, errors, selectors, sites
from fleetctl.reading import scalars

__all__ = ["Selection", "memberships", "names", "one", "require_narrowing", "select"]

_SAMPLE = re.compile(r"(?P<percent>[0-9]{1,9}(?:\.[0-9]{1,9})?)%|(?P<count>[0-9]{1,9})")

_LIST_THEM = "List the sites: fleetctl inventory list"


class Selection(msgspec.Struct, frozen=True):
    """What the selection flags say; empty means every site."""

    selectors: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    """Names, globs, comma lists of these, ``@file``, or ``-`` for standard input."""
    exclude: tuple[str, ...] = ()
    sample: str | None = None
    """``50`` or ``5%`` of what the other flags leave."""
    seed: int = 0
    from_run: str | None = None
    """A run whose sites these shall be; who knows runs puts their names into ``members``."""
    only: tuple[str, ...] = ()
    """Outcomes that they had there, with commas between them."""
    members: frozenset[str] | None = None
    everything: bool = False

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Return the single words of ``only``."""
        return tuple(word.strip() for text in self.only for word in text.split(",") if word.strip())

    @property
    def narrows(self) -> bool:
        """Tell whether any flag was given, ``--all`` included."""
        return self != Selection(seed=self.seed)

    @property
    def whole(self) -> bool:
        """Tell whether nothing narrows it: no flag at all, or ``--all`` alone."""
        return self == Selection(seed=self.seed, everything=self.everything)


def select(fleet: sites.Fleet, selection: Selection, read_stdin: Callable[[], str] = lambda: "") -> list[sites.Site]:
    """Return the selected sites by name, sorted.

    Raises ``UsageError`` for flags that mean nothing in this fleet and ``EmptySelection`` when no site is left.
    """
    return [fleet.sites[name] for name in names(fleet, selection, read_stdin)]


def names(fleet: sites.Fleet, selection: Selection, read_stdin: Callable[[], str] = lambda: "") -> list[str]:
    """Return the names of the selected sites, sorted, without looking at the sites themselves; raises as ``select``."""
    read_stdin = functools.cache(read_stdin)  # it can be read once, and several flags may say "-"
    chosen = list(fleet.sites)
    for text in selection.selectors:
        selector = _selector(text)
        chosen = [name for name in chosen if selector.matches(fleet.labels_of(name))]
    if selection.groups:
        members = [_group(fleet, name) for name in selection.groups]
        # Groups cannot select on the two labels that are built in, so these do not disturb.
        chosen = [name for name in chosen if any(group.match.matches(fleet.labels_of(name)) for group in members)]
    if selection.sites:
        named = _named(fleet, selection.sites, "--site", read_stdin)
        chosen = [name for name in chosen if name in named]
    if selection.exclude:
        _refuse_empty(selection.exclude)
        named = _named(fleet, selection.exclude, "--exclude", read_stdin)
        chosen = [name for name in chosen if name not in named]
    if selection.only and not selection.outcomes:
        raise errors.UsageError(codes.Code.USAGE, "--only names no outcome (an empty variable?)")
    if selection.from_run is not None:
        chosen = [name for name in chosen if name in _members(selection)]
    elif selection.only:
        raise errors.UsageError(codes.Code.USAGE, "--only says which outcomes of a run; name it with --from-run RUN")
    chosen = _sample(chosen, selection)
    if not chosen:
        raise errors.EmptySelection(codes.Code.SELECTION_EMPTY, *_why_empty(fleet, selection))
    return chosen


def memberships(fleet: sites.Fleet, chosen: Iterable[str]) -> dict[str, int]:
    """Return how many of some sites each group of the fleet matches, by the name of the group."""
    alike = collections.Counter(tuple(fleet.labels_of(name).items()) for name in chosen)
    return {
        name: sum(count for labels, count in alike.items() if group.match.matches(dict(labels)))
        for name, group in fleet.groups.items()
    }


def require_narrowing(selection: Selection, count: int) -> None:
    """Raise ``UsageError`` for a command that changes ``count`` sites unless somebody said which, or all."""
    if not selection.narrows:
        message = f"say which sites: this would take {count:,} of them"
        raise errors.UsageError(codes.Code.USAGE, message, "Select with -l, -g or --site, or give --all.")


def one(fleet: sites.Fleet, name: str) -> sites.Site:
    """Return the site of a name; raises ``UsageError`` when there is none, for a pattern too."""
    if name not in fleet.sites:
        message = f'there is no site "{name}"{scalars.did_you_mean(name, fleet.sites)}'
        raise errors.UsageError(codes.Code.SELECTION_UNKNOWN_SITE, message, _LIST_THEM)
    return fleet.sites[name]


def _selector(text: str) -> selectors.Selector:
    if not text.strip():
        message = '-l "" would select every site (an empty variable?)'
        raise errors.UsageError(codes.Code.SELECTION_BAD_SELECTOR, message, "Say --all for every site.")
    try:
        return selectors.parse(text)
    except selectors.SelectorError as error:
        pointer = " " * (error.position) + "^"
        message = f"-l {text!r}: {error.message}"
        raise errors.UsageError(codes.Code.SELECTION_BAD_SELECTOR, message, f"{text}\n{pointer}") from None


def _members(selection: Selection) -> frozenset[str]:
    if selection.members is None:
        msg = "nobody looked up the members of the run"
        raise RuntimeError(msg)
    return selection.members


def _refuse_empty(excluded: Iterable[str]) -> None:
    for text in excluded:
        if not text.replace(",", "").strip():
            message = f'--exclude "{text}" would leave no site out (an empty variable?)'
            raise errors.UsageError(codes.Code.USAGE, message, "Without the flag no site is left out.")


def _group(fleet: sites.Fleet, name: str) -> sites.Group:
    if name in fleet.groups:
        return fleet.groups[name]
    near = scalars.did_you_mean(name, fleet.groups) or f"; known: {', '.join(fleet.groups) or 'none'}"
    raise errors.UsageError(codes.Code.SELECTION_UNKNOWN_GROUP, f'there is no group "{name}"{near}')


def _named(fleet: sites.Fleet, given: Iterable[str], flag: str, read_stdin: Callable[[], str]) -> set[str]:
    """Return the sites that names and patterns stand for; a plain name must exist, a pattern may match nothing."""
    found: set[str] = set()
    unknown: list[str] = []
    for word in _words(given, flag, read_stdin):
        if any(sign in word for sign in "*?["):
            found.update(fnmatch.filter(fleet.sites, word))
        elif word in fleet.sites:
            found.add(word)
        else:
            unknown.append(word)
    if unknown:
        near = scalars.did_you_mean(unknown[0], fleet.sites) if len(unknown) == 1 else ""
        shown = ", ".join(f'"{name}"' for name in unknown[:5]) + (" ..." if len(unknown) > 5 else "")
        what = f"these {len(unknown):,} sites do not exist:" if len(unknown) > 1 else "there is no site"
        raise errors.UsageError(codes.Code.SELECTION_UNKNOWN_SITE, f"{flag}: {what} {shown}{near}", _LIST_THEM)
    return found


def _words(given: Iterable[str], flag: str, read_stdin: Callable[[], str]) -> list[str]:
    words: list[str] = []
    for value in given:
        for part in value.split(","):
            if part == "-":
                words += _lines(read_stdin())
            elif part.startswith("@"):
                words += _lines(_file(part[1:], flag))
            elif part.strip():
                words.append(part.strip())
    return words


def _lines(text: str) -> list[str]:
    """Return the names in a list: one a line, or several with commas or spaces; ``#`` starts a comment."""
    text = text.removeprefix("\ufeff")
    return [word for line in text.splitlines() for word in re.split(r"[,\s]+", line.partition("#")[0]) if word]


def _file(path: str, flag: str) -> str:
    try:
        return pathlib.Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        message = f"{flag} @{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}"
        raise errors.UsageError(codes.Code.SELECTION_UNREADABLE_FILE, message) from None


def _sample(chosen: list[str], selection: Selection) -> list[str]:
    """Take a part of the sites by the hash of their names, so that a smaller sample is inside a larger one."""
    if selection.sample is None:
        return chosen
    match = _SAMPLE.fullmatch(selection.sample)
    number = fractions.Fraction(match["percent"] or match["count"]) if match else fractions.Fraction()
    if match is None or not number or (match["percent"] and number > 100):
        message = f'--sample takes a number of sites such as 50 or a percentage such as 5%, not "{selection.sample}"'
        raise errors.UsageError(codes.Code.SELECTION_BAD_SAMPLE, message)
    wanted = max(int(len(chosen) * number / 100), 1) if match["percent"] else int(number)
    order = sorted(chosen, key=lambda name: hashlib.sha256(f"{selection.seed}:{name}".encode()).digest())
    return sorted(order[:wanted])


def _why_empty(fleet: sites.Fleet, selection: Selection) -> tuple[str, str]:
    """Say what was asked and, for a label key that no site has, which one was probably meant."""
    if not fleet.sites:
        return "the inventory has no sites", "Add a SiteList document to the inventory folder."
    many = len(fleet.sites) > 1
    count = f"none of the {len(fleet.sites):,} sites matches" if many else "the only site does not match"
    if selection.from_run is not None and not selection.members:
        said = f" that ended {' or '.join(selection.outcomes)}" if selection.outcomes else ""
        return f"{selection.from_run} has no site{said}", f"Look at it: fleetctl rollout status {selection.from_run}"
    known = {key for name in fleet.sites for key in fleet.labels_of(name)}
    asked = [requirement for text in selection.selectors for requirement in selectors.parse(text).requirements]
    missing = [one.key for one in asked if one.key not in known and not one.matches({})]
    if not missing:
        return count, "Look at what there is: fleetctl inventory list -o wide"
    near = scalars.did_you_mean(missing[0], known) or f"; labels in use: {', '.join(sorted(known))}"
    return count, f'No site has a label "{missing[0]}"{near}'
