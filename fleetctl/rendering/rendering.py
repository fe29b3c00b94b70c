"""Releases for sites: the loop that renders every assigned bundle, and what went wrong on the way, folded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from fleetctl.model import codes, errors, layering, problems, releases, sites, values
from fleetctl.rendering import bundles, documents, environments, sourcemaps

__all__ = ["Origin", "Rendered", "context_of", "render"]

_MOST_FAULTS = 50
"""Different faults that are reported; a broken partial can break everything, and nobody reads more."""

Origin = Callable[[str, problems.Field], problems.Mark | None]
"""Where a value of a site was written, by the site's name and the field; None when no file of the inventory sets it."""


class Rendered(msgspec.Struct, frozen=True):
    """Releases in the order of sites, then bundles, and how many distinct documents they were made of."""

    releases: list[releases.Release]
    documents: int
    distinct: int


def render(
    fleet: sites.Fleet, loaded: Iterable[bundles.Bundle], members: Iterable[sites.Site], origin: Origin
) -> Rendered:
    """Render bundles for every member site they are assigned to; raises ``InvalidInput`` with every fault, folded."""
    renderers = [_Renderer(bundle, fleet, origin) for bundle in loaded]
    made: list[releases.Release] = []
    clashes = _Faults()
    for site in members:
        of_site = [
            release
            for one in renderers
            if one.bundle.name in site.bundles and (release := one.release(site)) is not None
        ]
        made += of_site
        if len(of_site) > 1:
            _note_clashes(of_site, clashes)
    found = [problem for one in renderers for problem in one.found()]
    found += clashes.found()
    if found:
        raise errors.InvalidInput(found)
    bodies = {(one.id, one.body) for release in made for one in release.objects}
    return Rendered(made, sum(len(release.objects) for release in made), len(bodies))


def context_of(fleet: sites.Fleet, bundle: bundles.Bundle, site: sites.Site, merged: values.Vars) -> values.Vars:
    """Return what templates see; ``merged`` are the bundle's values with the site's laid over."""
    return {
        "site": {
            "name": site.name,
            "labels": {**site.labels},
            "location": msgspec.to_builtins(site.location),
            "nodes": [msgspec.to_builtins(node) for node in site.nodes],
            "cluster": msgspec.to_builtins(site.cluster),
        },
        "values": merged,
        "vars": site.vars,
        "fleet": {"name": fleet.name},
        "bundle": {"name": bundle.name, "version": bundle.version, "namespace": bundle.namespace},
    }


class _Faults:
    """Faults folded by what they are: each is one problem that counts its sites and names one."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], tuple[problems.Problem, list[str]]] = {}

    def note(self, key: tuple[object, ...], site: str, make: Callable[[], problems.Problem]) -> None:
        """Count a fault for a site; the problem is made once, for the first site that shows it."""
        if key not in self._found:
            if len(self._found) >= _MOST_FAULTS:
                return
            self._found[key] = (make(), [])
        names = self._found[key][1]
        if names[-1:] != [site]:
            names.append(site)

    def found(self) -> Iterator[problems.Problem]:
        """Return each fault once, faults at one template line together."""
        by_place: dict[tuple[object, ...], tuple[problems.Problem, list[str]]] = {}
        for problem, names in self._found.values():
            place = (problem.code, problem.mark, problem.field)
            by_place.setdefault(place, (problem, []))[1].extend(names)
        for problem, names in by_place.values():
            unique = sorted(set(names))
            count = f"at {unique[0]}" if len(unique) == 1 else f"at {len(unique):,} sites, e.g. {unique[0]}"
            yield msgspec.structs.replace(problem, notes=(*problem.notes, count))


class _Renderer:
    """One bundle for many sites: templates compiled once, equal output read once."""

    def __init__(self, bundle: bundles.Bundle, fleet: sites.Fleet, origin: Origin) -> None:
        self.bundle = bundle
        self._fleet = fleet
        self._origin = origin
        self._faults = _Faults()
        self._parser = documents.Parser(bundle)
        self._environment = environments.Environment(bundle.sources)
        self._templates: list[environments.Compiled] = []
        self._maps: sourcemaps.SourceMap | None = None
        self._outputs: dict[tuple[str, str], list[tuple[documents.Piece, documents.Parsed]]] = {}
        self._broken: list[problems.Problem] = []
        self._compile()

    def found(self) -> Iterator[problems.Problem]:
        """Return what was wrong with the bundle at any site."""
        yield from self._broken
        yield from self._faults.found()

    def _compile(self) -> None:
        for source in self.bundle.sources.values():
            if not source.is_template:
                continue
            try:
                compiled = self._environment.compile(source)
            except environments.TemplateFault as fault:
                self._broken.append(_template_problem(fault, self.bundle))
            else:
                if source.makes_objects:
                    self._templates.append(compiled)

    def release(self, site: sites.Site) -> releases.Release | None:
        """Render the bundle for one site; None when something is wrong, which has then been noted."""
        if self._broken:
            return None
        merged = self._values(site)
        if merged is None:
            return None
        context = context_of(self._fleet, self.bundle, site, merged)
        made: dict[object, releases.RenderedObject] = {}
        complete = True
        for source, text in self._texts(site, context):
            if text is None:
                complete = False
                continue
            for piece, parsed in self._parsed(source, text):
                if parsed.made is None:
                    self._note_document(site, source, context, piece, parsed)
                    complete = False
                elif parsed.made.id in made:
                    self._note_clash(site, made[parsed.made.id], parsed.made)
                    complete = False
                else:
                    made[parsed.made.id] = parsed.made
        if not complete:
            return None
        ordered = releases.in_apply_order(made.values())
        digest = releases.digest(ordered)
        return releases.Release(site.name, self.bundle.name, self.bundle.version, digest, ordered)

    def _values(self, site: sites.Site) -> values.Vars | None:
        """Merge the bundle's values with the site's and hold them against the bundle's schema."""
        key = self.bundle.values_key
        own = site.vars.get(key, {})
        if not isinstance(own, dict):
            given = values.kind_of(own)
            message = f"vars.{key} holds the values of bundle {self.bundle.name}, so it must be a map, not {given}"
            self._note_value(site, ("vars", key), message)
            return None
        merged = layering.merge(self.bundle.values, own, [])
        complaints = self.bundle.checker.complaints(merged) if self.bundle.checker else []
        for field, message in complaints:
            self._note_value(site, ("vars", key, *field), message)
        return None if complaints else merged

    def _note_value(self, site: sites.Site, field: problems.Field, message: str) -> None:
        mark = self._origin(site.name, field) or self.bundle.document.mark(("values", *field[2:]))
        self._faults.note(
            ("value", mark, field, message),
            site.name,
            lambda: problems.Problem(codes.Code.BUNDLE_VALUES_SCHEMA, message, mark, field),
        )

    def _texts(self, site: sites.Site, context: Mapping[str, object]) -> Iterator[tuple[bundles.Source, str | None]]:
        for source in self.bundle.sources.values():
            if not source.is_template:
                yield source, source.text
        for compiled in self._templates:
            try:
                yield compiled.source, self._environment.render(compiled, context)
            except environments.TemplateFault as fault:
                key = ("template", fault.code, fault.source, fault.line)
                self._faults.note(key, site.name, lambda fault=fault: _template_problem(fault, self.bundle))  # type: ignore[misc]
                yield compiled.source, None

    def _parsed(self, source: bundles.Source, text: str) -> list[tuple[documents.Piece, documents.Parsed]]:
        key = (source.name, text)
        known = self._outputs.get(key)
        if known is None:
            pieces = documents.split(text)
            known = [(piece, self._parser.parse(piece, source.path)) for piece in pieces]
            self._outputs[key] = known
        return known

    def _note_document(
        self,
        site: sites.Site,
        source: bundles.Source,
        context: Mapping[str, object],
        piece: documents.Piece,
        parsed: documents.Parsed,
    ) -> None:
        for problem in parsed.problems:
            line = problem.mark.line if problem.mark else piece.first_line
            key = ("document", problem.code, source.name, line, problem.field)
            self._faults.note(
                key,
                site.name,
                lambda problem=problem: self._mapped(problem, source, context),  # type: ignore[misc]
            )

    def _mapped(
        self, problem: problems.Problem, source: bundles.Source, context: Mapping[str, object]
    ) -> problems.Problem:
        """Move a problem from a line of rendered text to the line of the template that made it."""
        rendered = problem.mark or problems.Mark(source.path, 1, 1)
        if not source.is_template:
            return problem
        if self._maps is None:
            self._maps = sourcemaps.SourceMap(self.bundle.sources)
        mark = self._maps.mark(source, context, rendered.line, rendered.column)
        made = self._environment.render(self._environment.compile(source), context).split("\n")
        shown = made[rendered.line - 1].strip()[:160] if rendered.line <= len(made) else ""
        notes = (f"rendered line {rendered.line}: {shown}",)
        return msgspec.structs.replace(problem, mark=mark or problems.Mark(source.path), notes=notes)

    def _note_clash(self, site: sites.Site, one: releases.RenderedObject, two: releases.RenderedObject) -> None:
        message = f"{two.id} is also made by {one.template}; an object has one template"
        if one.template == two.template:
            message = f"{two.id} is made twice by this template"
        mark = problems.Mark(two.template)
        self._faults.note(
            ("clash", two.id, mark), site.name, lambda: problems.Problem(codes.Code.OBJECT_CLASH, message, mark)
        )


def _template_problem(fault: environments.TemplateFault, bundle: bundles.Bundle) -> problems.Problem:
    mark = problems.Mark(fault.source, fault.line)
    text = next((source.text for source in bundle.sources.values() if source.path == fault.source), "")
    lines = text.split("\n")
    quoted = lines[fault.line - 1].strip() if 0 < fault.line <= len(lines) else ""
    return problems.Problem(fault.code, fault.message, mark, (), (quoted,) if quoted else ())


def _note_clashes(of_site: list[releases.Release], clashes: _Faults) -> None:
    """Find objects that two bundles of one site both make: neither could own them."""
    owners: dict[object, tuple[str, releases.RenderedObject]] = {}
    for release in of_site:
        for one in release.objects:
            other = owners.setdefault(one.id, (release.bundle, one))
            if other[0] != release.bundle:
                message = f"{one.id} is also made by bundle {other[0]} ({other[1].template}); an object has one bundle"
                mark = problems.Mark(one.template)
                clashes.note(
                    ("clash", one.id, mark),
                    release.site,
                    lambda message=message, mark=mark: problems.Problem(codes.Code.OBJECT_CLASH, message, mark),  # type: ignore[misc]
                )
