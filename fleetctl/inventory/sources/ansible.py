"""The JSON that Ansible's inventory scripts and ``ansible-inventory --list`` print, as records: one for each host.

Source: docs.ansible.com, "Developing dynamic inventory": groups with hosts, vars and children, and ``_meta.hostvars``.
"""

from __future__ import annotations

import graphlib
from typing import Any, Final

from fleetctl.inventory.sources import records
from fleetctl.model import codes, problems

__all__ = ["MAP", "records_of"]

MAP: Final[dict[str, str | dict[str, Any]]] = {
    "name": "host",
    "node.address": "vars.ansible_host",
}
_META: Final = "_meta"


def records_of(data: object, named: str) -> list[records.Record]:
    """Return a record for each host: its name, the groups it is in (those around them too), its variables.

    Variables of groups come first, outer groups before inner ones and then by name, as Ansible merges them; those of
    the host go over them. Nested variables replace, they are not merged. Raises ``Failed``.
    """
    groups = _groups(data, named)
    hostvars = _checked_map(_checked_map(_map(data).get(_META), named, _META).get("hostvars"), named, "_meta.hostvars")
    parents: dict[str, set[str]] = {name: set() for name in groups}
    for name, group in groups.items():
        for child in _texts(group.get("children"), named, f"{name}.children"):
            parents.setdefault(child, set()).add(name)
    depths = _depths(parents, named)
    of_host: dict[str, set[str]] = {host: set() for host in hostvars}
    for name, group in groups.items():
        for host in _texts(group.get("hosts"), named, f"{name}.hosts"):
            of_host.setdefault(host, set()).update(_around(name, parents))
    return [
        records.Record(
            problems.Mark(f"{named}, host {host}"),
            {
                "host": host,
                "groups": sorted(of_host[host] - {"all", "ungrouped"}),
                "vars": _merged(
                    sorted(of_host[host] | ({"all"} & groups.keys()), key=lambda name: (depths[name], name)),
                    groups,
                    _checked_map(hostvars.get(host), named, f"_meta.hostvars.{host}"),
                ),
            },
        )
        for host in sorted(of_host)
    ]


def _groups(data: object, named: str) -> dict[str, dict[str, Any]]:
    """Return the groups as maps; the old form of a group is a bare list of hosts."""
    if not isinstance(data, dict):
        raise _bad(named, "a map of groups")
    return {
        name: {"hosts": group} if isinstance(group, list) else _checked_map(group, named, name)
        for name, group in data.items()
        if name != _META
    }


def _merged(names: list[str], groups: dict[str, dict[str, Any]], own: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name in names:
        merged |= _map(_map(groups.get(name)).get("vars"))
    return merged | own


def _around(name: str, parents: dict[str, set[str]]) -> set[str]:
    found = {name}
    waiting = [name]
    while waiting:
        for parent in parents.get(waiting.pop(), set()) - found:
            found.add(parent)
            waiting.append(parent)
    return found


def _depths(parents: dict[str, set[str]], named: str) -> dict[str, int]:
    """Return how far below the outermost group each one stands, by the longest way."""
    depths: dict[str, int] = {}
    try:
        for name in graphlib.TopologicalSorter(parents).static_order():
            depths[name] = max((depths[one] + 1 for one in parents.get(name, ())), default=0)
    except graphlib.CycleError as error:
        message = f"groups are each other's children: {' in '.join(error.args[1])}"
        raise records.one(codes.Code.SOURCE_BAD_ANSWER, message, problems.Mark(named)) from None
    return depths


def _texts(value: object, named: str, where: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _bad(named, f"a list of names at {where}")
    return value


def _checked_map(value: object, named: str, where: str) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise _bad(named, f"a map at {where}")
    return _map(value)


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _bad(named: str, expected: str) -> records.Failed:
    message = f"expected what ansible-inventory --list prints, {expected}"
    return records.one(codes.Code.SOURCE_BAD_ANSWER, message, problems.Mark(named))
