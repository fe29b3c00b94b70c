"""``fleetctl demo``: real commands on a simulated fleet, printed as they run."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Annotated, Final

import typer

from fleetctl.cli import commands
from fleetctl.console import terminals
from fleetctl.model import codes, errors, exits
from fleetctl.reading import shipped
from fleetctl.sim import behaviours, faults, fleets, folders

__all__ = ["app", "demo"]

app = commands.application()

_DARK: Final = "store-00205"
_GOOD, _BAD = "1.4.0", "1.5.0"
_STRATEGY: Final = """\
# The shipped defaults are a soak of 60s, and 120s until a failing pull counts: shortened, to fit a minute.
apiVersion: fleetctl.dev/v1alpha1
kind: Strategy
siteTimeout: 60s
soak: 1s
patience: {imagePull: 3s}
"""
_RULES: Final = (
    behaviours.Behaviour(f"*/pos/gateway:{_BAD}", "pull-fails", message="no match for platform in manifest: not found"),
    behaviours.Behaviour("*/pos/journal:*", after=0.4),
    behaviours.Behaviour(after=0.8),
)


@app.command(cls=commands.Command)
def demo(
    keep: Annotated[
        str | None, typer.Option("--keep", metavar="DIR", help="Lay the project out in DIR, and leave it there.")
    ] = None,
) -> None:
    """Show a rollout, a halt and an undo on a simulated fleet, in under a minute."""
    with _folder(keep) as folder:
        _lay_out(folder)
        with _fleet(folder):
            _Story(folder).tell()
        if keep is not None:
            _say(f"\nThe project is in {folder}; its simulated fleet has ended. A new one: fleetctl sim up")


@contextlib.contextmanager
def _folder(keep: str | None) -> Iterator[pathlib.Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="fleetctl-demo-") as made:
            yield pathlib.Path(made)
        return
    folder = pathlib.Path(keep).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = not any(folder.iterdir())
    except OSError as error:
        message = f"{folder} cannot be used: {error.strerror}"
        raise errors.Refused(codes.Code.DEMO_FOLDER, message) from None
    if not empty:
        raise errors.Refused(codes.Code.DEMO_FOLDER, f"{folder} is not empty", "Name a folder that is not there yet.")
    yield folder


def _lay_out(folder: pathlib.Path) -> None:
    """Copy the example fleet and the bundles, as a project of its own."""
    shutil.copytree(shipped.folder("inventories") / "retail" / "inventory", folder / "inventory")
    shutil.copytree(shipped.folder("templates"), folder / "templates")
    project = "apiVersion: fleetctl.dev/v1alpha1\nkind: Project\nname: retail\n"
    (folder / "fleetctl.yaml").write_text(project, encoding="utf-8")
    (folder / "demo.yaml").write_text(_STRATEGY, encoding="utf-8")


@contextlib.contextmanager
def _fleet(folder: pathlib.Path) -> Iterator[None]:
    """Serve a simulated cluster for every site, in a process of its own, for as long as the demo lasts."""
    sim = folder / ".fleetctl" / "sim"
    listed = _run(folder, "inventory", "list", "-o", "name", capture=True)
    spec = fleets.Spec(tuple(listed.split()), _RULES)
    process = folders.begin(sim, spec, {_DARK: faults.Fault(refuse=True)})
    try:
        yield
    finally:
        process.terminate()
        process.wait()


class _Story:
    """What the demo does, step by step."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def tell(self) -> None:
        """Run the commands; each is what a user would type."""
        _say("# A retail chain: 60 stores in three regions, each with a simulated cluster of its own.")
        self._shell("inventory", "validate")
        _say(
            f"# {_DARK}'s link is down. Version {_GOOD} goes out in waves; soak and patience are shortened (demo.yaml)."
        )
        self._shell("--sim", "rollout", "start", "retail-pos", "--all", "--strategy", "demo.yaml", "--yes")
        _say(f"# The link is back: what {_DARK} is owed is paid.")
        folders.suffer(self._folder / ".fleetctl" / "sim", {})
        self._shell("--sim", "rollout", "catchup", "--strategy", "demo.yaml")
        _say(f"# Version {_BAD} names an image that the registry does not have for these machines.")
        self._release(_BAD)
        self._shell("--sim", "rollout", "start", "retail-pos", "--all", "--strategy", "demo.yaml", "--yes")
        run = _run(self._folder, "--sim", "rollout", "history", "-o", "name", capture=True).split()[0]
        failed = _run(self._folder, "--sim", "rollout", "status", run, "--failed", "-o", "name", capture=True).split()
        if failed:
            _say("# Why? Asked of the journal: the site need not be reachable.")
            self._shell("--sim", "why", failed[0])
        _say("# Back to what was there before, everywhere the bad release got to.")
        self._shell("--sim", "rollout", "undo", run, "--strategy", "demo.yaml", "--yes")
        self._shell("--sim", "rollout", "history")

    def _release(self, version: str) -> None:
        file = self._folder / "templates" / "retail-pos" / "bundle.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(f"version: {_GOOD}", f"version: {version}"), encoding="utf-8")
        _say(f"$ sed -i 's/version: {_GOOD}/version: {version}/' templates/retail-pos/bundle.yaml")

    def _shell(self, *words: str) -> None:
        _say(f"$ fleetctl {' '.join(words)}")
        _run(self._folder, *words)
        _say("")


def _run(folder: pathlib.Path, *words: str, capture: bool = False) -> str:
    """Run a command as a user would; one that ends by a bug or an interruption ends the demo."""
    done = subprocess.run(  # noqa: S603  # ourselves
        [sys.executable, "-m", "fleetctl", *words],
        cwd=folder,
        check=False,
        stdout=subprocess.PIPE if capture else None,
        text=True,
    )
    if done.returncode in {exits.Exit.INTERNAL, exits.Exit.INTERRUPTED, exits.Exit.TERMINATED} or done.returncode < 0:
        raise typer.Exit(done.returncode if done.returncode > 0 else int(exits.Exit.INTERRUPTED))
    return done.stdout or ""


def _say(text: str) -> None:
    lead = "  " if text.startswith("$") else "# "
    for line in terminals.wrapped(text, terminals.width(sys.stdout), lead) if text else [""]:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
