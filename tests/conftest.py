"""Rules for the whole suite: how properties are searched, and what happens when a test's real target is missing."""

import functools
import os
import pathlib
import shutil
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from tests.kubebox import clusters

# "ci" is the default everywhere, so that a red run is red for everybody: examples follow from the code alone, and no
# deadline fails a test because a machine was busy. To search further: HYPOTHESIS_PROFILE=dev python -m pytest.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=500)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# No test sees the settings of whoever runs it; this folder is never there.
os.environ["XDG_CONFIG_HOME"] = str(pathlib.Path(__file__).with_name("no-settings"))
for _setting in ("OUTPUT", "EVENTS", "STRATEGY", "CONCURRENCY", "TIMEOUT", "PROJECT"):
    os.environ.pop(f"FLEETCTL_{_setting}", None)
os.environ.pop("CI", None)  # fleetctl refuses more in CI; the tests of that say so themselves


def _path(variable: str) -> str:
    """Return where programs are looked for: in the folder that a variable names, then on PATH."""
    return os.pathsep.join(filter(None, (os.environ.get(variable), os.environ.get("PATH"))))


def _absent(names: tuple[str, ...], variable: str, made: str) -> str:
    missing = [name for name in names if not shutil.which(name, path=_path(variable))]
    return f"no {' and no '.join(missing)} on PATH or in {variable} ({made})" if missing else ""


# What tests/kubebox/build makes: see clusters.MINORS.
_CLUSTERS = ("kubebox-1.36", "kubebox-1.34", "kwok")


def _kubebox() -> str:
    absent = _absent(_CLUSTERS, "FLEETCTL_KUBEBOX", "tests/kubebox/build")
    return absent or ("" if shutil.which("setpriv") else "no setpriv (Debian package util-linux)")


def _hosts() -> str:
    if not shutil.which("systemd-nspawn"):
        return "no systemd-nspawn (Debian package systemd-container)"
    return "" if os.geteuid() == 0 else "systemd-nspawn needs root"


def _postgres() -> str:
    debian = pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return "" if shutil.which("initdb") or any(debian) else "no PostgreSQL server (initdb was not found)"


def _renderers() -> str:
    return _absent(("helm", "kustomize"), "FLEETCTL_RENDERERS", "tests/renderers/build")


# Files whose tests all need clusters, beside those in tests/integration.
_ON_CLUSTERS = {"tests/contract/test_clusters.py", "tests/docs/test_rights.py"}

# Marker -> what is missing here to run its tests, or "" when nothing is.
_TARGETS: dict[str, Callable[[], str]] = {
    "hosts": _hosts,
    "kubebox": _kubebox,
    "postgres": _postgres,
    "renderers": _renderers,
}


@functools.cache
def _missing(target: str) -> str:
    return _TARGETS[target]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that CI uses, where a target that went missing must not look like a pass."""
    parser.addoption(
        "--require-targets",
        action="store_true",
        help="fail, instead of skip, the tests whose real target (kubebox, hosts, postgres, renderers) is missing",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose real target is missing, with the reason; fail it under --require-targets."""
    reasons = [why for target in _TARGETS if item.get_closest_marker(target) and (why := _missing(target))]
    if not reasons:
        return
    if item.config.getoption("--require-targets"):
        pytest.fail("; ".join(reasons), pytrace=False)
    pytest.skip("; ".join(reasons))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Grant tests on real clusters more time: six API servers share what cores there are with the other tests."""
    if item.get_closest_marker("kubebox") and not item.get_closest_marker("timeout"):
        item.add_marker(pytest.mark.timeout(400))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:  # noqa: ANN401  # xdist's types are its own
    """Under ``--dist=loadscope``, keep a file's tests on one worker, and on one all that use kubebox's clusters.

    By their place, as the controller knows no markers: pytest 9.2 no longer shows it the groups of ``loadgroup``.
    """
    if config.getoption("dist") != "loadscope":
        return None
    from xdist.scheduler import loadscope  # type: ignore[import-untyped]  # noqa: PLC0415  # only side by side

    class ByTarget(loadscope.LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            real = file.startswith("tests/integration/") or file in _ON_CLUSTERS or "[kubebox" in nodeid
            return "kubebox" if real else file

    config.option.loadscopereorder = False  # in order: tests on clusters take longest, and begin early
    return ByTarget(config, log)


_FLEET = pytest.StashKey["clusters.Fleet"]()


@pytest.fixture(scope="session")
def kubebox(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator["clusters.Fleet"]:
    """Real clusters, as many as a test asks for; the next test gets the same ones. For tests marked ``kubebox``."""
    # Here, because this file must load where the rest of the tests is not (tests/architecture/test_targets.py).
    from tests.kubebox import clusters  # noqa: PLC0415

    found = {name: shutil.which(name, path=_path("FLEETCTL_KUBEBOX")) for name in _CLUSTERS}
    programs = {name: pathlib.Path(path) for name, path in found.items() if path}
    assert len(programs) == len(found), "a test that asks for kubebox is marked kubebox"
    fleet = clusters.Fleet(tmp_path_factory.mktemp("kubebox"), programs)
    pytestconfig.stash[_FLEET] = fleet
    yield fleet
    del pytestconfig.stash[_FLEET]
    fleet.close()


@pytest.fixture
def renderers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Helm and kustomize on PATH. For tests marked ``renderers``."""
    monkeypatch.setenv("PATH", _path("FLEETCTL_RENDERERS"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the clusters complained of beside the failure of a test that used them."""
    report = yield
    if report.failed and item.get_closest_marker("kubebox") and (fleet := item.config.stash.get(_FLEET, None)):
        report.sections.append(("kubebox", fleet.complaint()))
    return report
