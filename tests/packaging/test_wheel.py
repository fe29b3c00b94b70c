"""What pip installs is what git keeps, and it works where there is no checkout."""

import os
import pathlib
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile

import pytest

from tests.architecture import sources

pytestmark = pytest.mark.slow

# Folder in the repository -> folder in the wheel.
SHIPPED = {
    "fleetctl/": "fleetctl/",
    "templates/": "fleetctl/_shipped/templates/",
    "inventories/": "fleetctl/_shipped/inventories/",
    "docs/reference/errors/": "fleetctl/_shipped/errors/",
}


def _run(*command: str | pathlib.Path, cwd: pathlib.Path) -> str:
    """Run a command that knows nothing of this checkout or of the Python that runs the tests."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FLEETCTL_"))}
    done = subprocess.run(command, cwd=cwd, env=quiet, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder outside the checkout."""
    return tmp_path_factory.mktemp("wheel")


@pytest.fixture(scope="module")
def sdist(workshop: pathlib.Path) -> pathlib.Path:
    """The source distribution, built by hatchling without a network."""
    _run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", workshop, cwd=sources.ROOT)
    return next(workshop.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist: pathlib.Path, workshop: pathlib.Path) -> pathlib.Path:
    """The wheel, built from the source distribution as a release is: files that git ignores cannot slip in."""
    _run(sys.executable, "-m", "tarfile", "-e", sdist, workshop, cwd=workshop)
    unpacked = workshop / sdist.name.removesuffix(".tar.gz")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", workshop, cwd=unpacked)
    return next(workshop.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: pathlib.Path, workshop: pathlib.Path) -> pathlib.Path:
    """A fresh virtual environment with the wheel in it.

    The libraries that fleetctl needs are lent from the environment that runs the tests, so that no network is needed:
    a `.pth` line adds that folder to the path, and the editable install in it stays inert, as `.pth` files there are
    not read.
    """
    folder = workshop / "venv"
    venv.create(folder, with_pip=True)
    _run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=workshop)
    site = _run(
        folder / "bin" / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=workshop
    ).strip()
    lent = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    (pathlib.Path(site) / "lent.pth").write_text("\n".join(lent) + "\n", encoding="utf-8")
    return folder


def test_sdist_is_complete(sdist: pathlib.Path) -> None:
    """The source distribution holds every file that git keeps, and its own metadata."""
    with tarfile.open(sdist) as archive:
        content = {member.name.partition("/")[2] for member in archive if member.isfile()}
    assert content == {*sources.tracked_files(), "PKG-INFO"}


def test_wheel_has_what_git_has(wheel: pathlib.Path) -> None:
    """The wheel holds the package, templates, example inventories and error pages that git keeps, and nothing else."""
    expected = {
        inside + path.removeprefix(folder)
        for path in sources.tracked_files()
        for folder, inside in SHIPPED.items()
        if path.startswith(folder)
    }
    with zipfile.ZipFile(wheel) as archive:
        content = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert content == expected


def test_installed_command_needs_no_checkout(installed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The installed command starts, and reads an inventory that came with it, from a folder of somebody else."""
    shipped = _run(
        installed / "bin" / "python",
        "-c",
        "import fleetctl, pathlib; print(pathlib.Path(fleetctl.__file__).parent / '_shipped')",
        cwd=tmp_path,
    ).strip()
    assert pathlib.Path(shipped).is_relative_to(installed), "the checkout answered, not the wheel"
    assert "0.1" in _run(installed / "bin" / "fleetctl", "version", cwd=tmp_path)
    retail = pathlib.Path(shipped) / "inventories" / "retail"
    assert _run(installed / "bin" / "fleetctl", "-C", retail, "inventory", "list", "-o", "name", cwd=tmp_path).split()
