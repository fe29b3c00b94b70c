"""How the benchmarks measure: whole processes by what the kernel says they cost, and runs of rivals taken in turns.

CPU (user and system together) is the figure to trust: a machine that does other things at the same time moves wall
time far more. What is compared runs in turns, and the order of a round alternates, so that a slow stretch hits all.
"""

import datetime as dt
import importlib.metadata
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

__all__ = ["ROOT", "Cost", "environment", "header", "in_turns", "process", "say", "split", "table", "within"]

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Cost(NamedTuple):
    """Seconds of CPU, seconds of wall time, and MiB of memory at the peak (0 where it cannot be told)."""

    cpu: float
    wall: float
    peak: float


def environment() -> dict[str, str]:
    """Return what processes under test get: this checkout to import, and compiled Python allowed, as installed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def process(command: Sequence[str], folder: pathlib.Path | None = None) -> Cost:
    """Run a process to its end, its output thrown away, and return its cost; raises when it fails.

    The peak is the larger of the process's own and ours when it was started: keep the caller small.
    """
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL) as running:
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command)
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 1024)


def within(work: Callable[[], object]) -> Cost:
    """Run a function in this process and return its cost; the peak is the process's so far."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(time.process_time() - cpu, time.perf_counter() - wall, peak)


def in_turns(rounds: int, rivals: Mapping[str, Callable[[], Cost]]) -> dict[str, list[Cost]]:
    """Run every rival once a round, in alternating order, and return what each cost."""
    costs: dict[str, list[Cost]] = {name: [] for name in rivals}
    for number in range(rounds):
        for name in list(rivals)[:: -1 if number % 2 else 1]:
            costs[name].append(rivals[name]())
    return costs


def header(title: str, *distributions: str) -> None:
    """Print what was measured, when, where and with which versions."""
    known = []
    for name in distributions:
        try:
            known.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    say(title)
    say(f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, {os.cpu_count()} cores {platform.machine()}, {platform.system()}")
    say(", ".join([f"Python {platform.python_version()}", *known]))
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"The machine was busy when this began (load {load:.1f}): trust CPU and ratios, not wall time.")


def table(costs: Mapping[str, Sequence[Cost]]) -> None:
    """Print median and range of each rival: CPU and wall in milliseconds, the highest peak in MiB."""
    width = max(map(len, costs))
    say(f"\n{'':{width}}   n  {'    CPU ms  (min - max)':34}  {'   wall ms  (min - max)':34}  peak MiB")
    for name, runs in costs.items():
        cpu, wall = ([1000 * run[at] for run in runs] for at in range(2))
        peak = max(run.peak for run in runs)
        say(f"{name:{width}} {len(runs):3}  {_spread(cpu)}  {_spread(wall)}  {peak:8,.0f}")


def split(parts: Mapping[str, Sequence[float]], beside: str) -> None:
    """Print milliseconds for each part, and their sum; ``beside`` is a part of none of them."""
    width = max(map(len, parts))
    for name, runs in parts.items():
        if name != beside:
            say(f"{name:{width}}  {_spread(runs, 3)}")
    sums = [sum(run) for run in zip(*(runs for name, runs in parts.items() if name != beside), strict=True)]
    say(f"{'all':{width}}  {_spread(sums, 3)}")
    say(f"{beside:{width}}  {_spread(parts[beside], 3)}")


def _spread(figures: Sequence[float], digits: int = 1) -> str:
    middle, least, most = statistics.median(figures), min(figures), max(figures)
    return f"{middle:10,.{digits}f}  ({least:,.{digits}f} - {most:,.{digits}f})".ljust(34)


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
