"""Rendering releases: what ``rendering.render`` costs beside Jinja alone on the same templates and values.

Jinja alone is the floor: templates compiled once by a plain environment, each rendered for each site into text that
nobody reads. ``render`` merges and checks values, renders in a sandbox, cuts the text into documents, reads and checks
every distinct one, and makes releases with digests. How many documents are distinct decides what that costs:

``few``     20 documents per site that differ by labels only (ring, region, size): as a well-made bundle has it
``names``   the same, and every document carries the site's name in a label: all are distinct, nothing can be shared
``retail``  the shipped bundle retail-pos

    python tests/bench/render.py                        # 1,000 sites
    python tests/bench/render.py --sites 10000 --rounds 1
    python tests/bench/render.py --bundle few --profile # where the time goes
"""

import argparse
import cProfile
import gc
import pathlib
import pstats
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import jinja2

from fleetctl.inventory import fleets as inventory_fleets
from fleetctl.inventory import locating
from fleetctl.model import layering, sites, values
from fleetctl.rendering import bundles, filters, renderers, rendering
from tests.bench import fleets, measuring

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-NUMBER
  namespace: bench
  labels:
    app.kubernetes.io/name: app-NUMBER
    example.com/ring: {{ site.labels.ring | k }}
    example.com/region: {{ site.labels.region | k }}
SITE_LABEL
spec:
  replicas: {{ 2 if site.labels.size == "large" else 1 }}
  selector:
    matchLabels: {app.kubernetes.io/name: app-NUMBER}
  template:
    metadata:
      labels: {app.kubernetes.io/name: app-NUMBER}
    spec:
      automountServiceAccountToken: false
      containers:
      - name: main
        image: {{ values.registry }}/app-NUMBER:{{ values.version }}
        args: [--region={{ site.labels.region }}, --log-level={{ values.logLevel }}]
        ports:
        - {containerPort: 8080, name: http}
        {% if site.labels.hw == "rpi4" %}
        resources: {{ values.small | k }}
        {% else %}
        resources: {{ values.usual | k }}
        {% endif %}
        readinessProbe:
          httpGet: {path: /ready, port: http}
          periodSeconds: 10
        env:
        {% for name, value in values.settings.items() %}
        - {name: {{ name | upper }}, value: {{ value | k }}}
        {% endfor %}
"""
DESCRIPTION = """\
apiVersion: fleetctl.dev/v1alpha1
kind: Bundle
name: bench
version: 1.0.0
namespace: bench
values:
  registry: registry.example
  version: 1.4.0
  logLevel: info
  small: {requests: {cpu: 50m, memory: 96Mi}, limits: {cpu: 400m, memory: 192Mi}}
  usual: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: 500m, memory: 256Mi}}
  settings: {queue: "nats://nats:4222", cache: "off", retries: "3", tracing: "false"}
"""
DOCUMENTS = 20


class Work:
    """A fleet and a bundle, loaded, and the two ways to render them."""

    def __init__(self, folder: pathlib.Path, kind: str, count: int) -> None:
        loaded = inventory_fleets.load(locating.find(fleets.write(folder, count)))
        self.bundle = self._bundle(folder, kind)
        changed: dict[str, dict[str, values.Vars]] = {} if kind == "retail" else {"bundles": {self.bundle.name: {}}}
        self.members = [_with(site, changed) for site in loaded.fleet.sites.values()]
        self.fleet = loaded.fleet
        self.rendered: rendering.Rendered | None = None
        sources = self.bundle.sources
        jinja = jinja2.Environment(  # noqa: S701  # YAML is not HTML
            keep_trailing_newline=True,
            loader=jinja2.DictLoader({name: source.text for name, source in sources.items()}),
            lstrip_blocks=True,
            trim_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        jinja.filters.update(filters.FILTERS)
        self.templates = [jinja.get_template(name) for name, source in sources.items() if source.makes_objects]
        self.contexts = [
            renderers.context_of(self.fleet, self.bundle, site, self._values(site)) for site in self.members
        ]

    def _bundle(self, folder: pathlib.Path, kind: str) -> bundles.Bundle:
        if kind == "retail":
            return bundles.load(measuring.ROOT / "templates", "retail-pos", str)
        place = folder / "made" / "bench"
        place.mkdir(parents=True)
        (place / "bundle.yaml").write_text(DESCRIPTION, encoding="utf-8")
        label = "    example.com/site: {{ site.name | k }}" if kind == "names" else "    example.com/fleet: bench"
        for number in range(DOCUMENTS):
            text = DEPLOYMENT.replace("NUMBER", f"{number:02}").replace("SITE_LABEL", label)
            (place / f"app-{number:02}.yaml.j2").write_text(text, encoding="utf-8")
        return bundles.load(place.parent, "bench", str)

    def _values(self, site: sites.Site) -> values.Vars:
        own = site.vars.get(self.bundle.values_key, {})
        return layering.merge(self.bundle.values, own, []) if isinstance(own, dict) else {}

    def by_jinja(self) -> None:
        """Render every template for every site, and nothing else."""
        for context in self.contexts:
            for template in self.templates:
                template.render(context)

    def by_fleetctl(self) -> None:
        """Make the releases of every site."""
        self.rendered = rendering.render(self.fleet, [self.bundle], self.members, lambda _site, _field: None)


def _with(site: sites.Site, changed: dict[str, dict[str, values.Vars]]) -> sites.Site:
    given = {name: getattr(site, name) for name in site.__struct_fields__}
    return sites.Site(**{**given, **changed})


def measure(kind: str, count: int, rounds: int) -> None:
    """Print one table: CPU of both, taken in turns in one process."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Work(pathlib.Path(temporary), kind, count)
        gc.collect()
        gc.freeze()  # the fleet and the contexts are not part of the question
        rivals = {
            "Jinja alone": lambda: measuring.within(work.by_jinja),
            "rendering.render": lambda: measuring.within(work.by_fleetctl),
        }
        costs = measuring.in_turns(rounds, rivals)
    rendered = work.rendered
    if rendered is None:
        return
    shown = f"{rendered.documents:,} documents, {rendered.distinct:,} of them distinct"
    sys.stdout.write(f"\n{kind}: {count:,} sites, {len(work.templates)} templates, {shown}\n")
    measuring.table(costs)
    pairs = zip(costs["rendering.render"], costs["Jinja alone"], strict=True)
    ratio = statistics.median(one.cpu / two.cpu for one, two in pairs)
    sys.stdout.write(f"ratio {ratio:.2f} (CPU, median of pairs; target 3)\n")


def profile(kind: str, count: int) -> None:
    """Print the functions that rendering spends its time in."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Work(pathlib.Path(temporary), kind, count)
    profiler = cProfile.Profile()
    profiler.runcall(work.by_fleetctl)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def main() -> None:
    """Measure each bundle in a process of its own, so that none inherits the memory of another."""
    parser = argparse.ArgumentParser(description="Measure rendering.")
    parser.add_argument("--sites", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bundle", choices=["few", "names", "retail"], help="only this one")
    parser.add_argument("--profile", action="store_true", help="cProfile instead of measuring")
    arguments = parser.parse_args()
    if arguments.profile:
        profile(arguments.bundle or "few", arguments.sites)
    elif arguments.bundle:
        measure(arguments.bundle, arguments.sites, arguments.rounds)
    else:
        measuring.header("Rendering: CPU in process", "jinja2", "pyyaml", "msgspec", "jsonschema-rs")
        for kind in ("few", "names", "retail"):
            options = ["--bundle", kind, "--sites", str(arguments.sites), "--rounds", str(arguments.rounds)]
            subprocess.run([sys.executable, __file__, *options], check=True, env=measuring.environment())


if __name__ == "__main__":
    main()
