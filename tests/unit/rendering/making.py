"""Bundles, sites and releases for tests of rendering, made of texts."""

import pathlib
import tempfile
from collections.abc import Mapping

from fleetctl.model import errors, objects, problems, releases, sites, values
from fleetctl.rendering import bundles, rendering

__all__ = ["BUNDLE", "bundle", "config_map", "fleet", "loaded", "made", "problems_of", "release", "source"]

BUNDLE = "apiVersion: fleetctl.dev/v1alpha1\nkind: Bundle\nname: app\nversion: 1.0.0\nnamespace: home\n"
"""The shortest bundle.yaml."""


def loaded(folder: pathlib.Path, files: Mapping[str, str]) -> bundles.Bundle:
    """Lay out a bundle called app below a folder, with the given files, and load it."""
    for name, text in {"bundle.yaml": BUNDLE, **files}.items():
        path = folder / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return bundles.load(folder, "app", lambda path: path.relative_to(folder).as_posix())


def bundle(files: Mapping[str, str]) -> bundles.Bundle:
    """Load a bundle called app whose files nobody needs afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        return loaded(pathlib.Path(folder), files)


def source(text: str, name: str = "a.yaml.j2") -> bundles.Source:
    """Return a template as a bundle holds it."""
    return bundles.Source(name, f"app/{name}", text)


def fleet(**own: values.Vars) -> sites.Fleet:
    """Return a fleet whose sites have the bundle app, each with vars of its own."""
    members = {name: sites.Site(name, bundles={"app": {}}, vars=given) for name, given in own.items()}
    return sites.Fleet("demo", members, {})


def made(files: Mapping[str, str], **own: values.Vars) -> list[releases.Release]:
    """Render a bundle of these files for sites with these vars, by default for one called s1."""
    given = fleet(**(own or {"s1": {}}))
    return rendering.render(given, [bundle(files)], given.sites.values(), lambda _site, _field: None).releases


def problems_of(files: Mapping[str, str], **own: values.Vars) -> list[problems.Problem]:
    """Render what must not render, and return what is said about it."""
    try:
        made(files, **own)
    except errors.InvalidInput as error:
        return error.problems
    msg = "this rendered"
    raise AssertionError(msg)


def config_map(name: str = "a", data: str = "") -> str:
    """Return the text of a ConfigMap; ``data`` are its lines."""
    head = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"
    return head + ("data:\n" + "".join(f"  {line}\n" for line in data.split("\n")) if data else "")


def release(site: str, *named: str, bundle: str = "app", text: str = "x") -> releases.Release:
    """Return a release of ConfigMaps with these names, as rendering makes it."""
    of_site = []
    for name in named:
        metadata: values.Vars = {"name": name, "namespace": "home"}
        body: values.Vars = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": text}}
        identity = objects.ObjectId("", "ConfigMap", "home", name)
        of_site.append(releases.RenderedObject(identity, objects.canonical(body), "app/a.yaml.j2"))
    ordered = releases.in_apply_order(of_site)
    return releases.Release(site, bundle, "1.0.0", releases.digest(ordered), ordered)
