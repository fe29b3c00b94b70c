"""Documents that Helm or kustomize makes of a folder in the bundle: each distinct input once, several at a time."""

from __future__ import annotations

import concurrent.futures
import functools
import os
import re
from collections.abc import Iterable
from typing import Final, Protocol

import msgspec

from fleetctl.model import codes, errors, problems, sites, values
from fleetctl.reading import yaml12
from fleetctl.rendering import bundles, documents, kustomizations, programs

__all__ = ["Chart", "Input", "Overlay", "inputs_of"]

_HELM: Final = (3, 12)
_KUSTOMIZE: Final = (5, 0)
_SOURCE = re.compile(r"^# Source: [^/\s]+/(\S+)$", re.MULTILINE)
_PLACE = re.compile(r"(?<![\w.-])[\w.-]+/((?:templates|charts|crds)/[^\s:()]+)(?::(\d+)(?::(\d+))?)?")
_KUBERNETES = re.compile(r"v?\d+\.\d+(?:\.\d+(?:[+-][0-9A-Za-z.+-]+)?)?")
_HOOK: Final = "helm.sh/hook"
_DEBUG: Final = "Use --debug flag to render out invalid YAML"

_Result = list[bundles.Source] | list[problems.Problem]


class Input(Protocol):
    """Something that gives texts of documents which no template of the bundle makes.

    Each is a ``Source`` whose ``path`` and ``first_line`` say where a person finds the text. It is cut, read, checked
    and ordered as all other text is, and problems in it carry its path and lines.
    """

    def prepare(self, wanted: Iterable[tuple[sites.Site, values.Vars]]) -> None:
        """Work ahead on what these sites will ask for; raises ``NotConfigured`` where a program is missing."""

    def texts(self, site: sites.Site, merged: values.Vars) -> Iterable[bundles.Source]:
        """Return texts for a site with its merged values; raises ``InvalidInput``, told once for all sites alike."""


def inputs_of(bundle: bundles.Bundle) -> tuple[Input, ...]:
    """Return what makes documents of the folders that the bundle gives to other programs."""
    return tuple(Chart(bundle, one) if one.program == "helm" else Overlay(one) for one in bundle.externals)


class Chart:
    """A chart, rendered by ``helm template`` with the site's merged values and its version of Kubernetes."""

    def __init__(self, bundle: bundles.Bundle, chart: bundles.External) -> None:
        self._bundle = bundle
        self._chart = chart
        self._known: dict[tuple[str, bytes], _Result] = {}

    def prepare(self, wanted: Iterable[tuple[sites.Site, values.Vars]]) -> None:
        """Render all that these sites need, several at a time; raises ``NotConfigured`` without a usable Helm."""
        new = {key for site, merged in wanted if (key := _key(site, merged)) not in self._known}
        if new:
            ordered = sorted(new)
            helm = programs.find("helm", _HELM, ("version", "--template", "{{.Version}}"), codes.Code.HELM_MISSING)
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                made = pool.map(functools.partial(self._rendered, helm), ordered)
                self._known.update(zip(ordered, made, strict=True))

    def texts(self, site: sites.Site, merged: values.Vars) -> list[bundles.Source]:
        """Return what Helm makes for a site, one text per file of the chart; raises ``InvalidInput``."""
        key = _key(site, merged)
        if key not in self._known:
            self.prepare([(site, merged)])
        return _given(self._known[key])

    def _rendered(self, helm: programs.Program, key: tuple[str, bytes]) -> _Result:
        version, given = key
        arguments = ["template", self._chart.release, str(self._chart.folder), "--values", "-", "--include-crds"]
        arguments += ["--skip-tests", "--namespace", self._bundle.namespace]
        arguments += ["--kube-version", version] if version else []
        arguments += ["--no-hooks"] if self._chart.hooks else []
        try:
            text = programs.run(helm, tuple(arguments), given)
        except programs.Failed as failed:
            return [self._problem(str(failed))]
        parts: dict[str, str] = {}
        for piece in documents.split(text):
            match = _SOURCE.search(piece.text)
            name = match[1] if match else "Chart.yaml"
            parts[name] = parts.get(name, "") + piece.text
        hooks = [problem for name, part in parts.items() for problem in self._hooks(name, part)]
        return hooks or [
            bundles.Source(f"helm:{name}", f"{self._chart.path}/{name} (rendered)", part)
            for name, part in sorted(parts.items())
        ]

    def _problem(self, words: str) -> problems.Problem:
        """Return what Helm said, at the place in the chart that it named last: the innermost of nested templates."""
        message = " ".join(words.replace(_DEBUG, "").removeprefix("Error: ").split())
        places = list(_PLACE.finditer(message))
        mark = self._chart.mark
        if places:
            path, line, column = places[-1].groups()
            mark = problems.Mark(f"{self._chart.path}/{path}", int(line or 0), int(column or 0))
        return problems.Problem(codes.Code.HELM_FAILED, f"helm: {message}", mark)

    def _hooks(self, name: str, text: str) -> Iterable[problems.Problem]:
        if _HOOK not in text:
            return
        for piece in documents.split(text):
            read, _ = yaml12.read(piece.text, name)
            hook = problems.value_at(read[0].data if read else None, ("metadata", "annotations", _HOOK))
            if hook is not problems.NOTHING:
                message = (
                    f"{documents.title(piece)} is a hook ({hook}), which Helm runs when it installs, and fleetctl does"
                    " not; leave hooks out with hooks: leave-out under helm, if the chart does without"
                )
                mark = problems.Mark(f"{self._chart.path}/{name}")
                yield problems.Problem(codes.Code.HELM_HOOK, message, mark)


class Overlay:
    """A folder that ``kustomize build`` makes documents of, the same for every site."""

    def __init__(self, overlay: bundles.External) -> None:
        self._overlay = overlay
        self._made: _Result | None = None

    def prepare(self, wanted: Iterable[tuple[sites.Site, values.Vars]]) -> None:
        """Build it, if any site needs it; raises ``NotConfigured`` without a usable kustomize."""
        if self._made is None and any(True for _ in wanted):
            self._made = self._built()

    def texts(self, site: sites.Site, merged: values.Vars) -> list[bundles.Source]:
        """Return what kustomize builds; raises ``InvalidInput``."""
        self.prepare([(site, merged)])
        return _given(self._made or [])

    def _built(self) -> _Result:
        one = self._overlay
        remote = kustomizations.remote(one.folder, one.path)
        if remote:
            return remote
        kustomize = programs.find("kustomize", _KUSTOMIZE, ("version",), codes.Code.KUSTOMIZE_MISSING)
        arguments = ("build", "--load-restrictor", "LoadRestrictionsRootOnly", "--", str(one.folder / one.build))
        try:
            text = programs.run(kustomize, arguments)
        except programs.Failed as failed:
            words = " ".join(str(failed).removeprefix("Error: ").replace(f"{one.folder}/", "").split())
            return [problems.Problem(codes.Code.KUSTOMIZE_FAILED, f"kustomize: {words}", one.mark)]
        return [bundles.Source("kustomize", f"{one.path} (built)", text)]


def _key(site: sites.Site, merged: values.Vars) -> tuple[str, bytes]:
    match = _KUBERNETES.match(site.cluster.version or "")
    return match[0] if match else "", msgspec.json.encode(merged, order="deterministic")


def _given(result: _Result) -> list[bundles.Source]:
    """Return texts; raises ``InvalidInput`` with problems if these are what there is."""
    found = [one for one in result if isinstance(one, problems.Problem)]
    if found:
        raise errors.InvalidInput(found)
    return [one for one in result if isinstance(one, bundles.Source)]
