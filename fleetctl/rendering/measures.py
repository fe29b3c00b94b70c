"""Filters for what Kubernetes measures and addresses: quantities of CPU and memory, and networks."""

from __future__ import annotations

import fractions
import ipaddress

import msgspec

from fleetctl.model import quantities, values
from fleetctl.rendering import printing

__all__ = ["MeasureError", "cpu", "ipnet", "mem"]

_PARTS = ("broadcast", "host", "netmask", "network", "prefix")


class MeasureError(Exception):
    """A filter cannot do what a template asks; the message says why."""


class _Measure(msgspec.Struct, frozen=True):
    """A filter of quantities: the least amount that it tells apart, and its units for numbers."""

    name: str
    step: fractions.Fraction
    units: tuple[str, ...]


_CPU = _Measure("cpu", fractions.Fraction(1, 1000), ("", "m"))
_MEMORY = _Measure("mem", fractions.Fraction(1), (*"kMGTPE", "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))


def cpu(value: object, times: float = 1, unit: str | None = None) -> str | float:
    """Write CPU as API servers do, multiplied by ``times``, rounded up to 1m; with ``unit`` return a number of it."""
    found = _quantity("cpu", value)
    if found.number % _CPU.step:
        msg = f'cpu: "{value}" is finer than 1m, which API servers refuse'
        raise MeasureError(msg)
    return _written(_CPU, found, times, unit)


def mem(value: object, times: float = 1, unit: str | None = None) -> str | float:
    """Write bytes as API servers do, multiplied by ``times``, rounded up to 1; with ``unit`` return a number of it."""
    found = _quantity("mem", value)
    if found.number.denominator != 1:
        msg = f'mem: "{value}" is a fraction of a byte; mebibytes are written "Mi", and "m" is a thousandth'
        raise MeasureError(msg)
    return _written(_MEMORY, found, times, unit)


def ipnet(value: object, part: str, number: int | None = None) -> str | int:
    """Return a part of a network such as ``10.0.4.0/24``: ``("host", N)``, ``network``, ``netmask`` and so on.

    Hosts count from the network's address, which is 0; negative ones from its end, where -1 is the last address.
    """
    network = _network(value)
    if part == "host":
        return _host(network, number)
    if part not in _PARTS or number is not None:
        msg = f'ipnet: takes "host" and a number, or one of {", ".join(one for one in _PARTS if one != "host")}'
        raise MeasureError(msg)
    if part == "prefix":
        return network.prefixlen
    if part == "broadcast" and network.version == 6:
        msg = f'ipnet: "{value}" has no broadcast address: IPv6 knows none'
        raise MeasureError(msg)
    return str(
        {
            "broadcast": network.broadcast_address,
            "netmask": network.netmask,
            "network": network.network_address,
        }[part]
    )


def _quantity(name: str, value: object) -> quantities.Quantity:
    given = printing.defined(value)
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        msg = f"{name} takes a quantity, not {values.kind_of(given)}"
        raise MeasureError(msg)
    text = values.text_of(given)
    try:
        return quantities.amount(text)
    except quantities.QuantityError as error:
        msg = f'{name}: "{text}" {error}'
        raise MeasureError(msg) from None


def _written(measure: _Measure, found: quantities.Quantity, times: object, unit: str | None) -> str | float:
    if isinstance(times, bool) or not isinstance(times, int | float) or not 0 <= times <= 1e9:
        msg = f"{measure.name}: times takes a number from 0 to 1e9, not {values.kind_of(times)}"
        raise MeasureError(msg)
    try:
        made = found.scaled(fractions.Fraction(str(times)), measure.step)
    except quantities.QuantityError as error:
        msg = f'{measure.name}: "{found}" times {values.text_of(times)} {error}'
        raise MeasureError(msg) from None
    if unit is None:
        return str(made)
    if unit not in measure.units:
        known = ", ".join(one for one in measure.units if one)
        msg = f'{measure.name}: there is no unit "{unit}"; there is: {known}, or "" for one'
        raise MeasureError(msg)
    amount = made.in_unit(unit)
    return int(amount) if amount.denominator == 1 else float(amount)


def _network(value: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    given = printing.defined(value)
    if not isinstance(given, str) or "/" not in given:
        msg = f'ipnet takes a network such as "10.0.4.0/24", not {values.kind_of(given)}'
        raise MeasureError(msg)
    try:
        return ipaddress.ip_network(given)
    except ValueError:
        pass
    try:
        near = ipaddress.ip_network(given, strict=False)
    except ValueError:
        msg = f'ipnet: "{given}" is no network such as "10.0.4.0/24"'
    else:
        msg = f'ipnet: "{given}" is an address within a network; the network is "{near}"'
    raise MeasureError(msg)


def _host(network: ipaddress.IPv4Network | ipaddress.IPv6Network, number: object) -> str:
    if isinstance(number, bool) or not isinstance(number, int):
        given = "nothing" if number is None else values.kind_of(number)
        msg = f'ipnet: "host" takes the number of an address, not {given}'
        raise MeasureError(msg)
    if not -network.num_addresses <= number < network.num_addresses:
        msg = f"ipnet: {network} has no host {number}: it has {network.num_addresses:,} addresses"
        raise MeasureError(msg)
    return str(network[number])
