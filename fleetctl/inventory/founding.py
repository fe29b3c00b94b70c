"""A new project: what ``fleetctl init`` lays down, made apart from its place and moved there whole, or not at all."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from fleetctl.inventory import entries, fleets, loading, locating, snapshots
from fleetctl.inventory.sources import contexts, locks, records, tables
from fleetctl.model import codes, errors, labels, problems
from fleetctl.reading import disk, scalars, shipped, yaml12, yamltext
from fleetctl.schema import sources

__all__ = ["STARTER", "Founded", "Plan", "examples", "found", "from_csv", "from_example", "from_kubeconfig"]

STARTER: Final = "starter"
"""The example that a project without any other beginning is made from."""
_HEAD: Final = "apiVersion: fleetctl.dev/v1alpha1\n"
_IGNORED: Final = b"# The journal, caches, plans and logs of fleetctl.\n/.fleetctl/\n"
_MAY_BE_THERE: Final = frozenset({".git"})
_SITES: Final = "inventory/sites.yaml"
_NAMED: Final = 5

Plan = dict[str, bytes]
"""The files of a project by their path in it."""


class Founded(msgspec.Struct, frozen=True):
    """A project that was made."""

    name: str
    files: list[str]
    sites: list[str]
    bundles: list[str]


def examples() -> dict[str, pathlib.Path]:
    """Return the example fleets that ship with fleetctl, by name."""
    return {file.parent.name: file.parent for file in sorted(shipped.folder("inventories").glob(f"*/{locating.FILE}"))}


def from_example(name: str) -> Plan:
    """Return an example as a project of its own, with the bundles that it assigns; raises ``UsageError``."""
    known = examples()
    if name not in known:
        near = scalars.did_you_mean(name, known) or f"; there is: {', '.join(known)}"
        raise errors.UsageError(codes.Code.INIT_UNKNOWN_EXAMPLE, f'there is no example "{name}"{near}')
    folder = known[name]
    project = locating.find(folder)
    plan = dict(_read(folder / "README.md", "README.md")) | dict(_read(project.inventory, "inventory"))
    for bundle in _with_required(project.templates, _assigned(loading.load(project, snapshots.take(project)))):
        plan |= dict(_read(project.templates / bundle, f"templates/{bundle}"))
    return plan


def from_csv(file: pathlib.Path) -> Plan:
    """Return the starter with the sites of a table: it is copied, and a source with its lock stands beside it.

    Raises ``InvalidInput`` with all that is wrong in the table.
    """
    name = labels.as_dns_label(file.stem)[:50].strip("-") or "sites"
    shown, copy = str(file), f"{name}.csv"
    with _as_input():
        text = tables.read(file, shown)
        settings = sources.Csv.model_validate({"file": file.name, "delimiter": _delimiter(text)})
        gathered = tables.gather(settings, {}, file.parent, shown)
    reading = {"file": copy} | ({} if settings.delimiter == "," else {"delimiter": settings.delimiter})
    source = (
        f"# The sites stand in {copy}. After a change there: fleetctl inventory sync {name}\n"
        f"{_HEAD}{yamltext.block({'kind': 'Source', 'name': name, 'csv': reading})}"
    )
    path = f"inventory/sources/{name}"
    document = yaml12.read(source, path)[0][0]
    declared = locks.Source(name, document, pathlib.Path(path), path)
    return {
        **_without_sites(),
        f"{path}.yaml": source.encode(),
        f"{path}.csv": text,
        f"{path}{locks.ENDING}": locks.text(declared, gathered.sites, {copy: tables.digest(text)}),
    }


def from_kubeconfig(file: pathlib.Path) -> Plan:
    """Return the starter with a site for each context of a kubeconfig, to be filled in by hand.

    Raises ``InvalidInput``. The sites name the kubeconfig by its whole path, below the home folder by ``~``.
    """
    whole = file.absolute()
    home = pathlib.Path.home()
    named = f"~/{whole.relative_to(home)}" if whole.is_relative_to(home) else str(whole)
    with _as_input():
        gathered = contexts.gather(sources.Kubeconfig(file=whole.name), {}, whole.parent, str(file), named=named)
    text = (
        f"# One site for each context of {named}: give them labels, and take out what is no site.\n"
        f"{_HEAD}kind: SiteList\n{yamltext.block({'sites': gathered.sites})}"
    )
    return {**_without_sites(), _SITES: text.encode()}


def found(target: pathlib.Path, plan: Plan) -> Founded:
    """Make a project in a folder that is empty or not there; raises ``Refused`` or ``InvalidInput`` and leaves nothing.

    The project is named by its folder.
    """
    target = target.absolute()
    _require_free(target)
    name = labels.as_dns_label(target.name)[:63].strip("-") or "fleet"
    files = {
        locating.FILE: f"{_HEAD}{yamltext.block({'kind': 'Project', 'name': name})}".encode(),
        ".gitignore": _IGNORED,
        **plan,
    }
    try:
        with _apart(target) as made:
            _write(made, files)
            fleet = fleets.load(locating.find(made)).fleet
            _move(made, target)
    except OSError as error:
        raise errors.Refused(codes.Code.INIT_UNWRITABLE, f"{target} cannot be made: {error.strerror}") from None
    bundles = sorted({path.split("/")[1] for path in plan if path.startswith("templates/")})
    return Founded(name, sorted(files), list(fleet.sites), bundles)


def _read(path: pathlib.Path, into: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files at or below a path; nothing where there is none."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file() and not file.name.startswith("."):
            inner = file.relative_to(path).as_posix()
            yield (into if file == path else f"{into}/{inner}"), file.read_bytes()


def _assigned(files: entries.Files) -> list[str]:
    """Return every bundle that any layer names, also one that no site has at last."""
    layers = [files.defaults, *(group.layer for group in files.groups.values())]
    for entry in files.sites.values():
        layers += [entry.file_defaults, entry.layer]
    return sorted({name for layer in layers if layer is not None for name in layer.data.get("bundles", ())})


def _with_required(folder: pathlib.Path, names: list[str]) -> list[str]:
    """Return bundles with those that they require, and those that these require."""
    found: list[str] = []
    waiting = names
    while waiting:
        name, *waiting = waiting
        if name not in found:
            found.append(name)
            documents, _ = yaml12.read((folder / name / "bundle.yaml").read_bytes(), name)
            required = problems.value_at(documents[0].data, ("requires", "bundles"))
            waiting += list(required) if isinstance(required, list | dict) else []
    return found


def _without_sites() -> Plan:
    return {path: text for path, text in from_example(STARTER).items() if path != _SITES and "/" in path}


def _delimiter(text: bytes) -> str:
    """Guess what divides the cells: what the first line has most of."""
    first = text.partition(b"\n")[0].decode("utf-8", "replace")
    return max(",;\t|", key=first.count)


@contextlib.contextmanager
def _as_input() -> Iterator[None]:
    """Report what is wrong in a file that somebody gave as input that is wrong."""
    try:
        yield
    except records.Failed as failed:
        raise errors.InvalidInput(failed.problems, files=1) from None


def _require_free(target: pathlib.Path) -> None:
    """Raise ``Refused`` unless a project can be made here without touching anybody's files."""
    if not disk.is_there(target):
        return
    try:
        foreign = sorted(entry.name for entry in target.iterdir() if entry.name not in _MAY_BE_THERE)
    except OSError as error:
        raise errors.Refused(codes.Code.INIT_OCCUPIED, f"{target} cannot be used: {error.strerror}") from None
    if locating.FILE in foreign:
        raise errors.Refused(codes.Code.INIT_OCCUPIED, f"{target} is a project already")
    if foreign:
        more = f" and {len(foreign) - _NAMED:,} more" if len(foreign) > _NAMED else ""
        message = f"{target} is not empty: {', '.join(foreign[:_NAMED])}{more}"
        raise errors.Refused(codes.Code.INIT_OCCUPIED, message, "Name a folder that is empty or not there yet.")


@contextlib.contextmanager
def _apart(target: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield a folder to build in, on the file system of the target and gone at the end."""
    nearest = next(one for one in (target, *target.parents) if one.exists())
    aside = pathlib.Path(tempfile.mkdtemp(prefix=disk.PART, dir=nearest))
    try:
        made = aside / "project"  # a folder with usual rights, which the temporary one does not have
        made.mkdir()
        yield made
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write(folder: pathlib.Path, files: Mapping[str, bytes]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def _move(made: pathlib.Path, target: pathlib.Path) -> None:
    """Bring the project to its place: by one rename where there is no folder yet, otherwise piece by piece."""
    if not target.exists():
        missing = [one for one in target.parents if not one.exists()]
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.rename(target)
        except OSError:
            for one in missing:
                with contextlib.suppress(OSError):
                    one.rmdir()
            raise
        return
    moved: list[pathlib.Path] = []
    try:
        for entry in sorted(made.iterdir()):
            moved.append(entry.rename(target / entry.name))  # noqa: PERF401  # known also when the next one fails
    except BaseException:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise
