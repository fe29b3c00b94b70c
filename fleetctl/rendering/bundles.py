"""A bundle as it lies on disk: its description, its templates, its values and the schema that checks them.

Documents of a bundle come from templates, from YAML files that are taken as they stand, and from folders that other
programs make documents of (``externals``).
"""

from __future__ import annotations

import hashlib
import os
import pathlib
from collections.abc import Callable
from typing import Literal

import msgspec

from fleetctl.model import codes, errors, problems, values, versions
from fleetctl.reading import complaints, disk, scalars, yaml12
from fleetctl.rendering import requirements
from fleetctl.schema import bundleparts, checking, jsonschemas, shapes, waves

__all__ = ["DESCRIPTION", "VALUES_SCHEMA", "Bundle", "External", "Source", "catalogue", "load"]

DESCRIPTION = "bundle.yaml"
VALUES_SCHEMA = "values.schema.json"
_NOT_RENDERED = "examples"

_Shown = Callable[[pathlib.Path], str]
"""Makes a path short for people."""


class Source(msgspec.Struct, frozen=True):
    """One file that takes part in rendering; ``path`` is the file as people see it.

    Text that was cut out of a larger file, or made by another program, says with ``first_line`` where it begins.
    """

    name: str
    path: str
    text: str
    first_line: int = 1

    @property
    def is_template(self) -> bool:
        """Tell whether Jinja reads the file at all."""
        return self.name.endswith(".j2")

    @property
    def makes_objects(self) -> bool:
        """Tell whether the file yields objects itself, rather than being included by others."""
        return self.name.endswith((".yaml.j2", ".yml.j2", ".yaml", ".yml"))


class External(msgspec.Struct, frozen=True):
    """A folder of the bundle that another program makes documents of; ``path`` is the folder as people see it."""

    program: Literal["helm", "kustomize"]
    folder: pathlib.Path
    path: str
    mark: problems.Mark
    release: str = ""
    """Helm's name for what it renders."""
    hooks: bool = False
    """Whether Helm's hooks are left out rather than refused."""
    build: str = "."
    """The folder in it that kustomize begins with."""


class Bundle(msgspec.Struct, frozen=True):
    """A loaded bundle; ``sources`` are sorted by name, ``externals`` are what else makes documents."""

    name: str
    version: str
    description: str
    namespace: str
    values_key: str
    values: values.Vars
    allow_literal: bool
    sources: dict[str, Source]
    checker: jsonschemas.Checker | None
    document: yaml12.Document
    digest: str
    """Of all files that it was read from, by name and content."""
    requires: requirements.Requires = requirements.Requires()
    size: bundleparts.Size = bundleparts.Size()
    health: bundleparts.Health = bundleparts.Health()
    prune: bundleparts.Prune = bundleparts.Prune()
    strategy: shapes.Spread | None = None
    externals: tuple[External, ...] = ()


def catalogue(folder: pathlib.Path) -> list[str]:
    """Return the names of the bundles below a templates folder."""
    return sorted(path.parent.name for path in folder.glob(f"*/{DESCRIPTION}"))


def load(folder: pathlib.Path, wanted: str, shown: _Shown) -> Bundle:
    """Load ``NAME`` or ``NAME@VERSION`` from a templates folder.

    Raises ``InvalidInput`` with all that is wrong, and ``UsageError`` for an ``@`` without a version: an empty shell
    variable must not take the assertion away.
    """
    name, at, version = wanted.partition("@")
    if at and not version:
        raise errors.UsageError(codes.Code.USAGE, f'"{wanted}" names no version after "@"')
    known = catalogue(folder)
    if name not in known:
        near = scalars.did_you_mean(name, known) or f"; there is: {', '.join(known) or 'none'}"
        message = f'there is no bundle "{name}"{near}'
        mark = problems.Mark(shown(folder))
        raise errors.InvalidInput([problems.Problem(codes.Code.BUNDLE_NOT_FOUND, message, mark)])
    loader = _Loader(folder / name, shown)
    bundle = loader.load()
    if bundle is not None and version and bundle.version != version:
        message = f"{name} is at version {bundle.version}, not {version}"
        mark = bundle.document.mark(("version",))
        loader.found.append(problems.Problem(codes.Code.BUNDLE_VERSION_MISMATCH, message, mark, ("version",)))
    if bundle is None or loader.found:
        raise errors.InvalidInput(loader.found, files=loader.files)
    return bundle


class _Loader:
    def __init__(self, folder: pathlib.Path, shown: _Shown) -> None:
        self._folder = folder
        self._shown = shown
        self.files = 0
        self.found: list[problems.Problem] = []
        self._digests: dict[str, str] = {}

    def load(self) -> Bundle | None:
        document = self._description()
        said = shapes.Bundle.model_validate(document.data) if document is not None else None
        externals = self._externals(said, document) if said is not None and document is not None else ()
        sources = self._sources([one.folder for one in externals])
        checker = self._checker()
        if said is None or document is None:
            return None
        if said.name != self._folder.name:
            message = f'the folder is called "{self._folder.name}"; a bundle has the name of its folder'
            mark = document.mark(("name",))
            self.found.append(problems.Problem(codes.Code.BUNDLE_NAME_MISMATCH, message, mark, ("name",)))
        self.found += requirements.faults(self._folder.parent, document, said.name, self._shown)
        self.found += waves.faults(said.strategy, document, ("strategy",))
        return Bundle(
            name=said.name,
            version=said.version,
            description=said.description,
            namespace=said.namespace,
            values_key=said.values_key or said.name,
            values=said.values,
            allow_literal=said.allow_literal,
            sources=sources,
            checker=checker,
            document=document,
            requires=_requires(said.requires),
            size=said.size,
            health=said.health,
            prune=said.prune,
            strategy=said.strategy,
            digest=_digest(self._digests),
            externals=externals,
        )

    def _externals(self, said: shapes.Bundle, document: yaml12.Document) -> tuple[External, ...]:
        made: list[External] = []
        if said.helm is not None:
            folder, mark = self._inner(said.helm.chart), document.mark(("helm", "chart"))
            release, hooks = said.helm.release or said.name, said.helm.hooks == "leave-out"
            made.append(External("helm", folder, self._shown(folder), mark, release=release, hooks=hooks))
        if said.kustomize is not None:
            folder, mark = self._inner(said.kustomize.folder), document.mark(("kustomize", "folder"))
            made.append(External("kustomize", folder, self._shown(folder), mark, build=said.kustomize.build))
        home = self._folder.resolve()
        for one in made:
            # Where it is, and not a link to there: all that it holds is the bundle's, and is no template besides.
            inner, place = self._inner(one.build, one.folder), home / os.path.relpath(one.folder, self._folder)
            there = home in place.parents and one.folder.resolve() == place and inner.is_relative_to(one.folder)
            if not there or not inner.is_dir():
                message = f"there is no folder {self._shown(inner)} in the bundle"
                self.found.append(problems.Problem(codes.Code.BUNDLE_BAD_VALUE, message, one.mark, (one.program,)))
        return tuple(made)

    def _inner(self, path: str, of: pathlib.Path | None = None) -> pathlib.Path:
        return pathlib.Path(os.path.normpath((of or self._folder) / path))

    def _leads_out(self, path: pathlib.Path) -> bool:
        """Note a link to somewhere outside of the bundle."""
        try:
            inside = path.resolve().is_relative_to(self._folder.resolve())
        except (OSError, RuntimeError):
            return False  # a link in a circle; reading it says so
        if not inside:
            message = "the link leads out of the bundle's folder; a bundle holds all its files"
            mark = problems.Mark(self._shown(path))
            self.found.append(problems.Problem(codes.Code.BUNDLE_OUTSIDE_PROJECT, message, mark))
        return not inside

    def _read(self, path: pathlib.Path) -> bytes | None:
        self.files += 1
        if self._leads_out(path):
            return None
        text, found = disk.read(path, self._shown(path))
        self.found += found
        self._digests[path.relative_to(self._folder).as_posix()] = hashlib.sha256(text).hexdigest()
        return None if found else text

    def _description(self) -> yaml12.Document | None:
        path = self._folder / DESCRIPTION
        text = self._read(path)
        if text is None:
            return None
        document, found = checking.only(text, self._shown(path), "bundle", "Bundle")
        self.found += found
        return document

    def _sources(self, of_others: list[pathlib.Path]) -> dict[str, Source]:
        sources: dict[str, Source] = {}
        for path in self._walk():
            name = path.relative_to(self._folder).as_posix()
            if any(path.is_relative_to(folder) for folder in of_others):
                if path.is_symlink() or not path.is_dir():
                    self._read(path)  # it counts, and it may lead out
                continue
            hidden = any(part.startswith(".") for part in name.split("/"))
            if hidden or name == DESCRIPTION or name.startswith(f"{_NOT_RENDERED}/"):
                continue
            if path.is_dir():
                if path.is_symlink():
                    self._leads_out(path)  # such folders are not searched, and should not look as if they were
            elif name.endswith((".j2", ".yaml", ".yml")):
                sources[name] = Source(name, self._shown(path), self._text(path))
        return sources

    def _walk(self) -> list[pathlib.Path]:
        """Return all that the folder holds, by name; a folder that cannot be searched is a problem, not empty."""

        def unreadable(error: OSError) -> None:
            self.found.append(disk.refusal(error, self._shown(pathlib.Path(error.filename))))

        walk = os.walk(self._folder, onerror=unreadable)
        return sorted(pathlib.Path(folder) / name for folder, *both in walk for names in both for name in names)

    def _text(self, path: pathlib.Path) -> str:
        try:
            return (self._read(path) or b"").decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as error:
            self.found.append(complaints.encoding(error, self._shown(path)))
            return ""

    def _checker(self) -> jsonschemas.Checker | None:
        path = self._folder / VALUES_SCHEMA
        if not disk.is_there(path):
            return None
        text = self._read(path)
        if text is None:
            return None
        try:
            return jsonschemas.Checker(text)
        except jsonschemas.SchemaError as error:
            mark = problems.Mark(self._shown(path))
            self.found.append(problems.Problem(codes.Code.BUNDLE_SCHEMA_INVALID, str(error), mark))
            return None


def _requires(said: bundleparts.Requires) -> requirements.Requires:
    asked = versions.parse(said.kubernetes) if said.kubernetes is not None else None
    return requirements.Requires(asked, tuple(said.arches or ()), tuple(said.bundles))


def _digest(files: dict[str, str]) -> str:
    """Return ``t1:`` and the SHA-256 over names and contents, in the order of names."""
    listed = "".join(f"{files[name]} {name}\n" for name in sorted(files))
    return f"t1:{hashlib.sha256(listed.encode('utf-8', 'surrogateescape')).hexdigest()}"
