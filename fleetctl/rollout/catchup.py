"""Paying what sites are owed: debts as the members of a run of its own, with a canary and budgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from fleetctl.model import plans, sites
from fleetctl.rollout import orders, planning
from fleetctl.state import debts

__all__ = ["Payable", "by_bundle", "member"]


class Payable(msgspec.Struct, frozen=True):
    """Debts of one bundle that can be paid now, and those that cannot, with the reason."""

    bundle: str
    namespace: str
    version: str
    wanted: tuple[planning.Wanted, ...]
    debts: Mapping[str, debts.Debt]
    left_out: tuple[planning.LeftOut, ...]


def by_bundle(owed: Iterable[debts.Debt], fleet: Mapping[str, sites.Site], known: orders.Known) -> list[Payable]:
    """Sort debts into one payment per bundle; a site that is not active, or that left, waits."""
    groups: dict[str, list[debts.Debt]] = {}
    for debt in owed:
        groups.setdefault(debt.bundle, []).append(debt)
    return [_payable(bundle, found, fleet, known) for bundle, found in sorted(groups.items())]


def _payable(
    bundle: str,
    found: list[debts.Debt],
    fleet: Mapping[str, sites.Site],
    known: orders.Known,
) -> Payable:
    wanted: list[planning.Wanted] = []
    chosen: dict[str, debts.Debt] = {}
    reasons: dict[str, list[str]] = {}
    versions: set[str] = set()
    for debt in found:
        site = fleet.get(debt.site)
        release = known(debt.release) if debt.release else None
        if site is None:
            reasons.setdefault("no longer in the inventory", []).append(debt.site)
        elif site.state != "active":
            reasons.setdefault(f"in state {site.state}", []).append(debt.site)
        elif debt.release is not None and release is None:
            reasons.setdefault("the owed release is not in this store", []).append(debt.site)
        else:
            wanted.append(planning.Wanted(site, release))
            chosen[debt.site] = debt
            versions.add(release.version if release else "removal")
    left_out = tuple(
        planning.LeftOut(words, tuple(sorted(names)), owed=True) for words, names in sorted(reasons.items())
    )
    version = versions.pop() if len(versions) == 1 else "what is owed"
    return Payable(bundle, found[-1].namespace, version, tuple(wanted), chosen, left_out)


def member(planned: plans.Member, debt: debts.Debt) -> plans.Member:
    """Return a member that is paid only if its cluster is as the debt found it."""
    return msgspec.structs.replace(planned, base=debt.base, read=debt.checked)
