"""Rules for the whole suite: how properties are searched, and what happens when a test's real target is missing."""

import functools
import os
import pathlib
import shutil
from collections.abc import Callable

import hypothesis
import pytest

# "ci" is the default everywhere, so that a red run is red for everybody: examples follow from the code alone, and no
# deadline fails a test because a machine was busy. To search further: HYPOTHESIS_PROFILE=dev python -m pytest.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=500)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def _kubebox() -> str:
    named = os.environ.get("FLEETCTL_KUBEBOX", "kubebox")
    return "" if shutil.which(named) else f"no kubebox binary: {named} cannot be run (FLEETCTL_KUBEBOX names it)"


def _hosts() -> str:
    if not shutil.which("systemd-nspawn"):
        return "no systemd-nspawn (Debian package systemd-container)"
    return "" if os.geteuid() == 0 else "systemd-nspawn needs root"


def _postgres() -> str:
    debian = pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return "" if shutil.which("initdb") or any(debian) else "no PostgreSQL server (initdb was not found)"


# Marker -> what is missing here to run its tests, or "" when nothing is.
_TARGETS: dict[str, Callable[[], str]] = {"hosts": _hosts, "kubebox": _kubebox, "postgres": _postgres}


@functools.cache
def _missing(target: str) -> str:
    return _TARGETS[target]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that CI uses, where a target that went missing must not look like a pass."""
    parser.addoption(
        "--require-targets",
        action="store_true",
        help="fail, instead of skip, the tests whose real target (kubebox, hosts, postgres) is missing",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose real target is missing, with the reason; fail it under --require-targets."""
    reasons = [why for target in _TARGETS if item.get_closest_marker(target) and (why := _missing(target))]
    if not reasons:
        return
    if item.config.getoption("--require-targets"):
        pytest.fail("; ".join(reasons), pytrace=False)
    pytest.skip("; ".join(reasons))
