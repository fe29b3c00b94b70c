"""A project with a small bundle, a simulated fleet to roll it out to, and the core called as the command calls it."""

import asyncio
import contextlib
import pathlib
from collections.abc import Awaitable, Callable, Iterator

import msgspec

from fleetctl.clusters import connecting
from fleetctl.inventory import fleets as inventories
from fleetctl.inventory import locating
from fleetctl.kube import curl
from fleetctl.model import events, outcomes, plans
from fleetctl.rendering import bundles
from fleetctl.rollout import accounts, catchup, engine, looking, orders, planning, preparing, proposing, starting
from fleetctl.runs import stopping, working
from fleetctl.sim import behaviours, faults, fleets
from fleetctl.state import checking, databases, runs

__all__ = ["RULES", "STRATEGY", "Shops", "opened"]

RULES = behaviours.Behaviours(
    (
        behaviours.Behaviour("*-missing", "pull-fails", message="not found"),
        behaviours.Behaviour("*-crash", "crashes"),
        behaviours.Behaviour("*-restarts", "restarts", after=0.05),
        behaviours.Behaviour("*-unready", "never-ready"),
        behaviours.Behaviour(after=0.05),
    )
)
STRATEGY = plans.Strategy(
    waves=(plans.WaveRule(name="canary", count=1, canary=True), plans.WaveRule()),
    max_failed=plans.Limit(count=0),
    max_unreachable=plans.Limit(count=1),
    site_timeout=10.0,
    soak=0.0,
    patience=plans.Patience(image_pull=0.5, crash_restarts=2),
)

_BUNDLE = """\
apiVersion: fleetctl.dev/v1alpha1
kind: Bundle
name: app
version: {version}
namespace: app
values: {{image: "{image}", extra: {extra}}}
"""
_TEMPLATE = """\
apiVersion: v1
kind: Namespace
metadata: {name: app}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {site: {{ site.name | k }}, version: {{ bundle.version | k }}, image: {{ values.image | k }}}
{% for name in values.extra %}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ name | k }}}
data: {a: b}
{% endfor %}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: {{ values.image | k }}}
"""


class Shops:
    """A project, its fleet and its journal."""

    def __init__(self, root: pathlib.Path, fleet: fleets.Fleet, store: databases.Store) -> None:
        self.root = root
        self.fleet = fleet
        self.store = store
        self.heard: list[events.Event] = []
        self.ends: dict[str, float] = {}
        """When the credentials of sites end, where they do."""

    def bundle(self, version: str, image: str = "app:1", extra: tuple[str, ...] = ()) -> None:
        """Write the bundle anew."""
        text = _BUNDLE.format(version=version, image=image, extra=msgspec.json.encode(extra).decode())
        (self.root / "templates" / "app" / "bundle.yaml").write_text(text, encoding="utf-8")

    def suffer(self, site: str, **fault: object) -> None:
        """Let something be wrong with a site, or (with nothing) right again."""
        self.fleet.suffer(site, faults.Fault(**fault))  # type: ignore[arg-type]

    def objects(self, site: str, kind: str, group: str = "") -> dict[str, dict[str, object]]:
        """Return a site's objects of a kind in the bundle's namespace, by name."""
        found = self.fleet.servers[site].cluster.store.of(group, kind)
        return {one["metadata"]["name"]: one for one in found if one["metadata"].get("namespace", "app") == "app"}

    def parent(self, site: str) -> dict[str, str]:
        """Return fleetctl's own notes on a site's parent."""
        notes = self.objects(site, "Secret")["app"]["metadata"]["annotations"]  # type: ignore[index]
        return {key.partition("/")[2]: value for key, value in notes.items() if key.startswith("fleetctl.dev/")}

    # --- journeys

    def rollout(
        self,
        *,
        options: plans.Options = plans.Options(),  # noqa: B008  # frozen
        strategy: plans.Strategy = STRATEGY,
        kind: plans.Kind = plans.Kind.ROLLOUT,
        supersedes: str | None = None,
    ) -> accounts.Summary:
        """Roll the bundle out as it lies there, or take it off."""
        prepared, described = self.prepared(strategy, options, kind)

        async def make(ready: engine.Engine) -> proposing.Proposal:
            return await proposing.rollout(ready, prepared, described)

        return self.carry_out(make, supersedes)

    def proposed(self) -> planning.Preview:
        """Return the plan of a rollout; nothing is begun."""
        prepared, described = self.prepared(STRATEGY, plans.Options(), plans.Kind.ROLLOUT)

        async def work() -> planning.Preview:
            async with self._engine() as ready:
                return (await proposing.rollout(ready, prepared, described)).preview

        return asyncio.run(work())

    def prepared(
        self, strategy: plans.Strategy, options: plans.Options, kind: plans.Kind
    ) -> tuple[preparing.Prepared, plans.Plan]:
        """Return what the files amount to."""
        loaded = inventories.load(locating.find(self.root))
        bundle = bundles.load(loaded.project.templates, "app", loaded.project.shown)
        chosen = list(loaded.fleet.sites.values())
        prepared = preparing.prepare(loaded, chosen, bundle, orders.PLAIN, remove=kind is plans.Kind.REMOVE)
        return prepared, preparing.described(prepared, kind, loaded.project, strategy, options)

    def undo(self, run: str, *, remove_new: bool = False) -> accounts.Summary:
        """Take a run back."""
        sites = inventories.load(locating.find(self.root)).fleet.sites
        found = looking.find(self.store, run)

        async def make(ready: engine.Engine) -> proposing.Proposal:
            return await proposing.undo(ready, found, STRATEGY, plans.Options(), sites, remove_new=remove_new)

        return self.carry_out(make)

    def catchup(self) -> list[accounts.Summary]:
        """Pay what is owed."""
        sites = inventories.load(locating.find(self.root)).fleet.sites
        owed = looking.payable(self.store)
        made = []
        for payable in catchup.by_bundle(owed, sites, looking.knower(self.store)):

            async def make(ready: engine.Engine, payable: catchup.Payable = payable) -> proposing.Proposal:
                return await proposing.catchup_of(ready, payable, STRATEGY, "shops")

            made.append(self.carry_out(make))
        return made

    def carry_out(
        self, make: Callable[[engine.Engine], Awaitable[proposing.Proposal]], supersedes: str | None = None
    ) -> accounts.Summary:
        """Make a run, work on it, and say how it stands."""

        async def work() -> str:
            async with self._engine() as ready:
                proposal = await make(ready)
                run = await starting.begin(self.store, proposal, supersedes=supersedes)
                settings = working.Settings(poll=0.02)
                stop = stopping.Stop()
                await ready.work(
                    run, proposal.plan, self.heard.append, stop, readings=proposal.readings, settings=settings
                )
                return run.id

        name = asyncio.run(work())
        assert self.store.read(checking.check) == []
        return looking.summary(self.store, name)

    def resume(self, run: str, *, accept_failed: bool = False) -> accounts.Summary:
        """Go on with a run."""

        async def work() -> None:
            async with self._engine() as ready:
                going = await self.store.write(lambda conn: runs.resume(conn, run, "me", accept_failed=accept_failed))
                settings = working.Settings(poll=0.02)
                await ready.work(going, ready.plan_of(going), self.heard.append, stopping.Stop(), settings=settings)

        asyncio.run(work())
        return looking.summary(self.store, run)

    @contextlib.asynccontextmanager
    async def _engine(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  # an async generator
        loaded = inventories.load(locating.find(self.root))
        directory = connecting.Directory(self.root, self.root / "sim" / fleets.KUBECONFIG)
        endpoints = {
            site: msgspec.structs.replace(found, ends=self.ends.get(site))
            for site, found in directory.require(loaded.fleet.sites.values()).items()
        }
        async with curl.CurlTransport() as wire:
            yield engine.Engine(self.store, wire, endpoints, project="shops")

    def row(self, run: str, site: str) -> runs.Row:
        """Return a site's part in a run."""
        found = self.store.read(lambda conn: runs.latest_row(conn, site, run))
        assert found is not None
        return found

    def outcomes(self, run: str) -> dict[str, outcomes.Outcome | None]:
        """Return how the sites of a run ended."""
        return {row.site: row.outcome for row in self.store.read(lambda conn: runs.sites(conn, run))}


@contextlib.contextmanager
def opened(root: pathlib.Path, sites: tuple[str, ...] = ("s1", "s2", "s3")) -> Iterator[Shops]:
    """Lay a project out, and serve its fleet."""
    (root / "inventory" / "sites").mkdir(parents=True)
    (root / "templates" / "app").mkdir(parents=True)
    head = "apiVersion: fleetctl.dev/v1alpha1\n"
    (root / "fleetctl.yaml").write_text(f"{head}kind: Project\nname: shops\n", encoding="utf-8")
    defaults = f"{head}kind: Defaults\nbundles: {{app: {{}}}}\n"
    (root / "inventory" / "defaults.yaml").write_text(defaults, encoding="utf-8")
    listed = "".join(f"- {{name: {site}}}\n" for site in sites)
    (root / "inventory" / "sites" / "all.yaml").write_text(f"{head}kind: SiteList\nsites:\n{listed}", encoding="utf-8")
    (root / "templates" / "app" / "app.yaml.j2").write_text(_TEMPLATE, encoding="utf-8")
    with fleets.running(sites, root / "sim", RULES) as fleet, databases.open_store(root / "state.db") as store:
        shops = Shops(root, fleet, store)
        shops.bundle("1.0.0")
        yield shops
