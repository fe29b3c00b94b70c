"""One bundle for many sites: templates compiled once, equal output read once, faults noted and told together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from fleetctl.model import codes, errors, layering, objects, problems, releases, sites, values
from fleetctl.openapi import customs
from fleetctl.rendering import (
    bundles,
    checking,
    documents,
    environments,
    externals,
    faults,
    hiding,
    outputs,
    tracing,
)

__all__ = ["Draft", "Origin", "Renderer", "context_of"]

_DEFINITION = "CustomResourceDefinition"
"""Without this word in its files, no bundle defines a kind."""

Origin = Callable[[str, problems.Field], problems.Mark | None]
"""Where a value of a site was written, by the site's name and the field; None when no file of the inventory sets it."""


def context_of(
    fleet: sites.Fleet, bundle: bundles.Bundle, site: sites.Site, merged: values.Vars
) -> Mapping[str, object]:
    """Return what templates see; ``merged`` are the bundle's values with the site's laid over."""
    data: values.Vars = {
        "site": {
            "name": site.name,
            "labels": {**site.labels},
            "location": msgspec.to_builtins(site.location),
            "nodes": [_plain(node) for node in site.nodes],
            "cluster": msgspec.to_builtins(site.cluster),
        },
        "values": merged,
        "vars": site.vars,
        "fleet": {"name": fleet.name},
        "bundle": {"name": bundle.name, "version": bundle.version, "namespace": bundle.namespace},
    }
    calls = hiding.Calls(data)
    return {**data, "secret": calls, "secret_hash": calls.hash}


def _plain(node: sites.Node) -> values.Vars:
    return {**msgspec.to_builtins(node), "taints": [msgspec.to_builtins(taint) for taint in node.taints]}


class Draft(msgspec.Struct, frozen=True):
    """What a bundle says for one site, as text: by the source of each, None where none could be made."""

    site: sites.Site
    context: Mapping[str, object]
    texts: list[tuple[bundles.Source, str | None]]


class Renderer:
    """One bundle for many sites: templates compiled once, equal output read once."""

    def __init__(self, bundle: bundles.Bundle, fleet: sites.Fleet, origin: Origin) -> None:
        self.bundle = bundle
        self._fleet = fleet
        self._origin = origin
        self._faults = faults.Faults()
        self._reader = outputs.Reader(bundle)
        self._environment = environments.Environment(bundle.sources)
        self._templates: list[environments.Compiled] = []
        self._tracer = tracing.Tracer(bundle, self._environment)
        self._broken: dict[tuple[object, ...], problems.Problem] = {}
        self._externals = externals.inputs_of(bundle)
        # What another program makes is not known yet.
        self._defines = bool(self._externals) or any(_DEFINITION in source.text for source in bundle.sources.values())
        self._compile()

    def prepare(self, members: Iterable[sites.Site]) -> None:
        """Let other programs work on what sites will ask for; raises ``NotConfigured`` where one is missing."""
        if self._externals:
            key, mine = self.bundle.values_key, [site for site in members if self.bundle.name in site.bundles]
            own = [(site, site.vars.get(key, {})) for site in mine]
            wanted = [(site, layering.merge(self.bundle.values, one, [])) for site, one in own if isinstance(one, dict)]
            for given in self._externals:
                given.prepare(wanted)

    def found(self) -> Iterator[problems.Problem]:
        """Return what was wrong with the bundle at any site."""
        yield from self._broken.values()
        yield from self._faults.found()

    def _compile(self) -> None:
        for source in self.bundle.sources.values():
            if not source.is_template:
                self._broken |= {("forged", one.mark): one for one in hiding.forged(source.text, source.path)}
                continue
            try:
                compiled = self._environment.compile(source)
            except environments.TemplateFault as fault:
                self._broken[_key(fault)] = self._tracer.of_template(fault)
            else:
                if source.makes_objects:
                    self._templates.append(compiled)

    def draft(self, site: sites.Site) -> Draft | None:
        """Render the bundle's texts for one site; None when its values are wrong, which has then been noted."""
        merged = self._values(site)
        if merged is None:
            return None
        context = context_of(self._fleet, self.bundle, site, merged)
        return Draft(site, context, [*self._texts(site, context)])

    def definitions(self, draft: Draft) -> tuple[bytes, ...]:
        """Return the CustomResourceDefinitions that the bundle makes for a site; bundles without any cost nothing."""
        if self._broken or not self._defines:
            return ()
        return tuple(
            parsed.made.body
            for source, text in draft.texts
            if text is not None and _DEFINITION in text
            for _, parsed in self._reader.read(source, text, draft.site.name)
            if parsed.made is not None and customs.is_definition(parsed.made.id)
        )

    def release(self, draft: Draft, view: checking.View) -> releases.Release | None:
        """Make objects of a site's texts; None when something is wrong, which has then been noted."""
        site, context = draft.site, draft.context
        made: dict[object, releases.RenderedObject] = {}
        complete = not self._broken  # the other templates tell their faults all the same
        for source, text in draft.texts:
            if text is None:
                complete = False
                continue
            for piece, parsed in self._reader.read(source, text, site.name):
                checked = view.checked(site, source.path, piece, parsed)
                if checked.made is None:
                    self._note_document(site, source, context, _own(piece, source, text), checked)
                    complete = False
                elif checked.made.id in made:
                    self._note_clash(site, checked.made)
                    complete = False
                else:
                    made[checked.made.id] = checked.made
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
            message = f"this is where values of bundle {self.bundle.name} stand, so it must be a map, not {given}"
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
        """Return every text of a site, and where it comes from; None for one that could not be made."""
        for source in self.bundle.sources.values():
            if not source.is_template:
                yield source, source.text
        yield from self._input_texts(site, context)
        for compiled in self._templates:
            try:
                yield compiled.source, self._environment.render(compiled, context)
            except environments.TemplateFault as fault:
                if _key(fault) not in self._broken:  # or else it includes what does not compile
                    self._faults.note(_key(fault), site.name, lambda fault=fault: self._tracer.of_template(fault))  # type: ignore[misc]
                yield compiled.source, None

    def _input_texts(
        self, site: sites.Site, context: Mapping[str, object]
    ) -> Iterator[tuple[bundles.Source, str | None]]:
        for given in self._externals:
            try:
                for source in given.texts(site, context["values"]):  # type: ignore[arg-type]  # as context_of makes it
                    for problem in hiding.forged(source.text, source.path):
                        self._faults.note(("forged", problem.mark), site.name, lambda problem=problem: problem)  # type: ignore[misc]
                    yield source, None if hiding.is_forged(source.text) else source.text
            except errors.InvalidInput as error:
                for problem in error.problems:
                    key = ("input", problem.code, problem.mark, problem.field, problem.message)
                    self._faults.note(key, site.name, lambda problem=problem: problem)  # type: ignore[misc]
                yield bundles.Source("", "", ""), None

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
                lambda problem=problem: self._tracer.of_document(problem, source, context, piece),  # type: ignore[misc]
            )

    def places(self, site: sites.Site, wanted: objects.ObjectId) -> list[problems.Mark]:
        """Return the template lines that name an object at a site; asked only when two things make it."""
        merged = self._values(site)
        context = context_of(self._fleet, self.bundle, site, merged or {})
        found: list[problems.Mark] = []
        for source, text in self._texts(site, context):
            for piece, parsed in self._reader.read(source, text or "", site.name):
                if parsed.made is not None and _is(parsed.made.id, wanted):
                    place = self._tracer.place(documents.mark_of_name(piece, source.path), source, context)
                    found.append(place.mark if place else problems.Mark(source.path))
        return found

    def _note_clash(self, site: sites.Site, two: releases.RenderedObject) -> None:
        def problem() -> problems.Problem:
            first, second, *_ = self.places(site, two.id)
            message = f"{two.id} is made twice, first at {first}; an object stands in one document"
            return problems.Problem(codes.Code.OBJECT_CLASH, message, second)

        self._faults.note(("clash", two.id, two.template), site.name, problem)


def _key(fault: environments.TemplateFault) -> tuple[object, ...]:
    return ("template", fault.code, fault.source, fault.line)


def _own(piece: documents.Piece, source: bundles.Source, text: str) -> documents.Piece:
    """Return a document as it stands in a site's own text: what was read may hold a stand-in for the site's name."""
    return documents.split(text, source.first_line)[piece.number - 1]


def _is(made: objects.ObjectId, wanted: objects.ObjectId) -> bool:
    """Tell whether a document makes an object; one outside of namespaces may have been given one at first."""
    return made == wanted or (not wanted.namespace and msgspec.structs.replace(made, namespace="") == wanted)
