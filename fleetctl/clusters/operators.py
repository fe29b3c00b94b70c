"""The operator's own side: programs, folders, permissions and limits, looked at without contacting anything."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import pathlib
import platform
import re
import resource
import shutil
import stat
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from fleetctl.clusters import connecting
from fleetctl.model import checkups, errors, sites
from fleetctl.state import databases

__all__ = [
    "clock",
    "kubeconfigs",
    "libraries",
    "limits",
    "programs",
    "proxies",
    "python",
    "secret_files",
    "state_folder",
]

_LIBRARIES: Final = ("cryptography", "httpx", "jinja2", "jsonschema-rs", "msgspec", "pycurl", "pydantic", "typer")
_CLOCK_SLACK: Final = 120.0
"""Seconds that a file system's own clock may be ahead."""
_LEAST_FREE: Final = 512
"""MiB."""
_MOST_NAMED: Final = 3
_SPARE_FILES: Final = 64
"""Files that a process has open besides the connections of a run: the journal, logs, templates."""
_PATIENCE: Final = 10.0
"""Seconds for a program to say its version; slow disks need two."""
_VERSION: Final = re.compile(r"v?[0-9]+\.[0-9]+[0-9A-Za-z.+_-]*")
_CREDENTIALS: Final = re.compile(r"//[^/@]*@")


class _Program(NamedTuple):
    arguments: tuple[str, ...]
    needed_for: str


_PROGRAMS: Final = {
    "git": _Program(("--version",), "--rev, and the commit in plans and the journal"),
    "helm": _Program(("version", "--short"), "bundles with helm:"),
    "kustomize": _Program(("version",), "bundles with kustomize:"),
    "kubectl": _Program(("version", "--client"), "looking at one cluster by hand"),
    "ssh": _Program(("-V",), "looking at one host by hand"),
    "age": _Program(("--version",), "making keys by hand"),
    # Without this flag it asks GitHub whether there is a newer one; a doctor contacts nothing.
    "sops": _Program(("--disable-version-check", "--version"), "secrets in sops files"),
}


def python() -> checkups.Checkup:
    """Name the interpreter and its system."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return checkups.Checkup("python", checkups.Verdict.OK, found)


def clock() -> checkups.Checkup:
    """See whether the clock is at least not behind the very files that are running."""
    now = dt.datetime.now().astimezone()
    shown = f"{now:%Y-%m-%d %H:%M:%S %z}"
    if now.timestamp() + _CLOCK_SLACK < pathlib.Path(__file__).stat().st_mtime:
        remedy = "Set it (NTP): certificates, tokens and leases go by it."
        return checkups.Checkup("clock", checkups.Verdict.FAIL, f"{shown}, before this fleetctl was installed", remedy)
    return checkups.Checkup("clock", checkups.Verdict.OK, shown)


def libraries() -> checkups.Checkup:
    """Name the versions of the libraries that matter in a report."""
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        remedy = "Install fleetctl again, into an environment of its own."
        return checkups.Checkup("libraries", checkups.Verdict.FAIL, f"not installed: {', '.join(missing)}", remedy)
    return checkups.Checkup("libraries", checkups.Verdict.OK, ", ".join(found))


def programs() -> Iterator[checkups.Checkup]:
    """Look for the programs that some commands use, and ask each for its version."""
    for name, program in _PROGRAMS.items():
        path = shutil.which(name)
        if path is None:
            remedy = f"Needed for {program.needed_for}."
            yield checkups.Checkup(name, checkups.Verdict.MISSING, "not found in PATH", remedy)
            continue
        version = _version([path, *program.arguments])
        if version is None:
            remedy = f"Run it by hand: {name} {' '.join(program.arguments)}"
            yield checkups.Checkup(name, checkups.Verdict.WARN, f"{path} does not say its version", remedy)
        else:
            yield checkups.Checkup(name, checkups.Verdict.OK, f"{version} ({path})")


def _version(command: list[str]) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  # a program of the user's own PATH, with fixed arguments
            command, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search((done.stdout + done.stderr).decode("utf-8", "replace"))
    return found[0] if found else None


def state_folder(root: pathlib.Path) -> checkups.Checkup:
    """See whether the project's own folder can be written; it is not made for that."""
    folder = root / ".fleetctl"
    at = folder if folder.exists() else root
    if not os.access(at, os.W_OK | os.X_OK):
        remedy = f"Make it writable for you: {at}"
        return checkups.Checkup("state", checkups.Verdict.FAIL, f"{at} cannot be written", remedy)
    try:
        databases.refuse_network(at)
    except errors.Refused as error:
        return checkups.Checkup("state", checkups.Verdict.FAIL, error.message, error.hint)
    free = shutil.disk_usage(at).free // 2**20
    if free < _LEAST_FREE:
        remedy = "Make room: the journal of a large run takes some 100 MiB."
        return checkups.Checkup("state", checkups.Verdict.WARN, f"{free:,} MiB are free at {at}", remedy)
    return checkups.Checkup("state", checkups.Verdict.OK, f"{folder}, {free:,} MiB free")


def limits(concurrency: int) -> checkups.Checkup:
    """Hold the limit of open files against the sites at a time of a run: each has one connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = concurrency + _SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        shown = "without limit" if soft == resource.RLIM_INFINITY else f"{soft:,}"
        return checkups.Checkup("open files", checkups.Verdict.OK, f"{shown}; {needed:,} are needed")
    can = hard == resource.RLIM_INFINITY or hard >= needed
    remedy = f"Raise it (ulimit -n {needed})" if can else "Ask for a higher limit"
    return checkups.Checkup(
        "open files",
        checkups.Verdict.FAIL,
        f"{soft:,} may be open at once; {concurrency:,} sites at a time need {needed:,}",
        f"{remedy}, or take fewer sites at a time: -c {max(1, soft - _SPARE_FILES)}",
    )


def proxies(environment: Mapping[str, str]) -> checkups.Checkup:
    """Name the proxies that are set, without what may be secret in them."""
    names = [name for name in environment if name.lower() in {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}]
    shown = ", ".join(f"{name}={_CREDENTIALS.sub('//...@', environment[name])}" for name in sorted(names))
    return checkups.Checkup("proxies", checkups.Verdict.OK, shown or "none set")


def secret_files(files: Iterable[pathlib.Path]) -> checkups.Checkup:
    """See whether files that hold secrets are their owner's alone."""
    held = [path for path in files if path.is_file()]
    loose = [path for path in held if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if not loose:
        return checkups.Checkup("secret files", checkups.Verdict.OK, f"{len(held):,} looked at, none open to others")
    named = " ".join(map(str, loose[:_MOST_NAMED]))
    more = f" and {len(loose) - _MOST_NAMED:,} more" if len(loose) > _MOST_NAMED else ""
    return checkups.Checkup(
        "secret files", checkups.Verdict.WARN, f"others may read {named}{more}", f"Close them: chmod 600 {named}"
    )


def kubeconfigs(directory: connecting.Directory, members: Iterable[sites.Site]) -> Iterator[checkups.Checkup]:
    """See whether what sites say of their API leads to an address and credentials; grouped by what is wrong."""
    good = 0
    bad: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for site in members:
        try:
            directory.endpoint(site)
        except errors.NotConfigured as error:
            alike = re.sub(rf"(?<![\w.-]){re.escape(site.name)}(?![\w.-])", "", error.message)
            bad[alike, error.hint].append((site.name, error.message))
        else:
            good += 1
    for (_, hint), found in bad.items():
        message = found[0][1]
        counted = f"{len(found):,}x {message}" if len(found) > 1 else message
        yield checkups.Checkup("kubeconfigs", checkups.Verdict.WARN, counted, hint)
    if good or not bad:
        yield checkups.Checkup("kubeconfigs", checkups.Verdict.OK, f"{good:,} sites have an address and credentials")
