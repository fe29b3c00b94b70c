"""The simulated fleet on screen: that it is up, what is wrong in it, what to do with it."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Final, TextIO

from fleetctl.sim import faults, folders

__all__ = ["fleet"]

_NAMED: Final = 3
_TRICKS: Final = {"endless": "answers never end", "garbage": "answers are no HTTP"}


def fleet(
    found: folders.Served | None, broken: Mapping[str, faults.Fault], kubeconfig: pathlib.Path, stream: TextIO
) -> None:
    """Write how the fleet is; equal faults in one line."""
    if found is None:
        stream.write("no simulated fleet is up here\n")
        return
    count = len(found.spec.sites)
    stream.write(f"{count:,} simulated cluster{' is' if count == 1 else 's are'} up, in process {found.pid}\n")
    alike: dict[str, list[str]] = {}
    for site, fault in sorted(broken.items()):
        alike.setdefault(_words(fault), []).append(site)
    for words, sites in alike.items():
        more = " ..." if len(sites) > _NAMED else ""
        stream.write(f"  {len(sites):,}x  {words}  {' '.join(sites[:_NAMED])}{more}\n")
    stream.write(f"kubeconfig: {kubeconfig}\nEnd them: fleetctl sim down\n")


def _words(fault: faults.Fault) -> str:
    parts = ["nothing listens"] if fault.refuse else []
    parts += ["no answer comes"] if fault.silent else []
    parts += [f"answers are {fault.latency:g} s late"] if fault.latency else []
    parts += [f"every answer is {fault.status}"] if fault.status else []
    parts += [f"come back after {fault.retry_after} s"] if fault.retry_after else []
    parts += ["connections are broken off"] if fault.reset else []
    parts += ["answers end in the middle"] if fault.cut else []
    parts += [f"answers come at {fault.bandwidth:,} bytes a second"] if fault.bandwidth else []
    parts += ["its certificate has expired"] if fault.expired else []
    parts += ["answers end after their head"] if fault.stuck else []
    parts += [f"up or down anew every {fault.flapping:g} s"] if fault.flapping else []
    parts += [f"new pods are {fault.workloads}"] if fault.workloads else []
    parts += [_TRICKS[fault.hostile]] if fault.hostile else []
    parts += [f"its credential has {len(fault.rights):,} rules of rights"] if fault.rights is not None else []
    return ", ".join(parts) or "nothing"
