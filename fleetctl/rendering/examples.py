"""A bundle's examples: sites and values to try it with, and the objects that it must make of them.

``examples/<case>/`` holds ``values.yaml`` (what stands under the bundle's key of vars), perhaps ``site.yaml`` (an entry
of a site list) and ``expected/``, laid out as ``fleetctl render`` lays out a site.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable, Iterator

import msgspec

from fleetctl.model import codes, errors, layering, problems, releases, sites, values
from fleetctl.reading import disk, yaml12, yamltext
from fleetctl.rendering import bundles, rendering, trees
from fleetctl.schema import checking, shapes

__all__ = ["Case", "Difference", "Tested", "cases", "compare", "names", "release", "texts", "update", "verify"]

_FOLDER = "examples"
_VALUES = "values.yaml"
_SITE = "site.yaml"
_EXPECTED = "expected"
_FLEET = "examples"
"""What templates see as the name of the fleet."""
_NAME = "store-00001"
"""The name of the site where ``site.yaml`` gives none."""

_Shown = Callable[[pathlib.Path], str]


class Case(msgspec.Struct, frozen=True):
    """One example as it lies on disk."""

    name: str
    folder: pathlib.Path
    site: sites.Site
    values: yaml12.Document
    description: yaml12.Document | None = None

    @property
    def expected(self) -> pathlib.Path:
        """The folder that holds what the example must render to."""
        return self.folder / _EXPECTED

    def origin(self, _: str, field: problems.Field) -> problems.Mark | None:
        """Return where a value was written; ``field`` is a field of the site."""
        of_values = field[2:] if field[:1] == ("vars",) else None
        document, inner = (self.description, field) if of_values is None else (self.values, of_values)
        if document is None or problems.value_at(document.data, inner) is problems.NOTHING:
            return None
        return document.mark(inner)


class Difference(msgspec.Struct, frozen=True):
    """A file of ``expected/`` that does not hold what was made; None where there is no such file, or no such object."""

    path: str
    expected: str | None
    made: str | None


class Tested(msgspec.Struct, frozen=True):
    """One example, rendered and compared; ``updated`` tells that ``expected/`` was then made equal."""

    bundle: str
    case: str
    files: int
    expected: str
    """Where what is expected lies, as people see it."""
    differences: tuple[Difference, ...]
    updated: bool = False


def names(folder: pathlib.Path) -> list[str]:
    """Return the names of the examples of the bundle that lies in a folder."""
    return sorted(path.name for path in (folder / _FOLDER).glob("*/"))


def cases(bundle: bundles.Bundle, folder: pathlib.Path, shown: _Shown) -> list[Case]:
    """Return the examples of the bundle that lies in a folder, by name; raises ``InvalidInput``."""
    found: list[problems.Problem] = []
    known = [_case(bundle, folder / _FOLDER / name, shown, found) for name in names(folder)]
    if not known:
        message = f"{bundle.name} has no examples; each is a folder with values.yaml in it"
        mark = problems.Mark(shown(folder / _FOLDER))
        found = [problems.Problem(codes.Code.BUNDLE_NO_EXAMPLES, message, mark)]
    if found:
        raise errors.InvalidInput(found)
    return [case for case in known if case is not None]


def verify(bundle: bundles.Bundle, case: Case, shown: _Shown, *, rewrite: bool) -> Tested:
    """Render an example and compare; with ``rewrite``, make ``expected/`` what was made."""
    made = texts(release(bundle, case))
    differences = compare(case, made, shown)
    if rewrite:
        update(case, differences, shown)
    return Tested(bundle.name, case.name, len(made), shown(case.expected), differences, updated=rewrite)


def release(bundle: bundles.Bundle, case: Case) -> releases.Release:
    """Render an example; raises ``InvalidInput``, with places in the example's own files."""
    fleet = sites.Fleet(_FLEET, {case.site.name: case.site}, {})
    return rendering.render(fleet, [bundle], [case.site], case.origin).releases[0]


def texts(made: releases.Release) -> dict[str, str]:
    """Return a release as files: their text, by path below the site's folder."""
    return {trees.path_of(one.id, "yaml"): yamltext.block(msgspec.json.decode(one.body)) for one in made.objects}


def compare(case: Case, made: dict[str, str], shown: _Shown) -> tuple[Difference, ...]:
    """Return what in ``expected/`` is not as it was made, by path; raises ``InvalidInput`` for what cannot be read."""
    expected = dict(_read(case, shown))
    paths = sorted(expected.keys() | made.keys())
    return tuple(
        Difference(path, expected.get(path), made.get(path)) for path in paths if expected.get(path) != made.get(path)
    )


def update(case: Case, differences: Iterable[Difference], shown: _Shown) -> None:
    """Make ``expected/`` what was made; raises ``Refused`` where it cannot be written."""
    for one in differences:
        path = case.expected / one.path
        try:
            if one.made is None:
                path.unlink()
                for parent in path.parents:
                    if parent == case.folder or any(parent.iterdir()):
                        break
                    parent.rmdir()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(one.made, encoding="utf-8", newline="")
        except OSError as error:
            message = f"{shown(path)}: {error.strerror or error}"
            raise errors.Refused(codes.Code.BUNDLE_UNWRITABLE, message, "Files already written are whole.") from error


def _read(case: Case, shown: _Shown) -> Iterator[tuple[str, str]]:
    if not case.expected.exists():
        return
    tree = disk.tree(case.expected, shown)
    found = [*tree.refused]
    for path in (*tree.files, *tree.lost):
        raw, refused = disk.read(path, shown(path))
        found += refused
        yield path.relative_to(case.expected).as_posix(), raw.decode("utf-8", "backslashreplace")
    if found:
        raise errors.InvalidInput(found)


def _case(bundle: bundles.Bundle, folder: pathlib.Path, shown: _Shown, found: list[problems.Problem]) -> Case | None:
    before = len(found)
    if not (folder / _EXPECTED).resolve().is_relative_to(folder.parent.parent.resolve()):
        message = "the link leads out of the bundle's folder; a bundle holds all its files"
        found.append(problems.Problem(codes.Code.BUNDLE_OUTSIDE_PROJECT, message, problems.Mark(shown(folder))))
    given = _document(folder / _VALUES, shown, found)
    described = _document(folder / _SITE, shown, found) if disk.is_there(folder / _SITE) else None
    if described is not None:
        found += checking.check(described, "inventory", shapes.Site)
    if len(found) > before or given is None:
        return None
    return Case(folder.name, folder, _site(bundle, given, described), given, described)


def _document(path: pathlib.Path, shown: _Shown, found: list[problems.Problem]) -> yaml12.Document | None:
    text, refused = disk.read(path, shown(path))
    if not refused:
        documents, refused = yaml12.read(text, shown(path))
        if not refused and (len(documents) != 1 or not isinstance(documents[0].data, dict)):
            message = f"expected one map, got {_got(documents)}"
            refused = [problems.Problem(codes.Code.BUNDLE_WRONG_TYPE, message, problems.Mark(shown(path), 1, 1))]
        if not refused:
            return documents[0]
    found += refused
    return None


def _got(documents: list[yaml12.Document]) -> str:
    return values.kind_of(documents[0].data) if len(documents) == 1 else f"{len(documents)} documents"


def _site(bundle: bundles.Bundle, given: yaml12.Document, described: yaml12.Document | None) -> sites.Site:
    """Return the site that an example describes, with its values in their place."""
    written: values.Vars = described.data if described else {"name": _NAME}  # type: ignore[assignment]  # a map, as checked
    own: values.Vars = {"bundles": {bundle.name: {}}, "vars": {bundle.values_key: given.data}}  # type: ignore[dict-item]
    merged = layering.merge(layering.merge({}, written, []), own, [])
    nodes = merged.get("nodes")
    merged["nodes"] = [
        {**node, "vars": merged["vars"]}
        for node in (nodes if isinstance(nodes, list) else ())
        if isinstance(node, dict)
    ]
    return msgspec.convert(merged, sites.Site)
