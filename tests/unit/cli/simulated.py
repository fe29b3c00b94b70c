"""A project with a simulated fleet, and fleetctl called on it as a user does."""

import contextlib
import pathlib
from collections.abc import Iterator

import typer.testing

from fleetctl.cli import main
from fleetctl.sim import behaviours, clusters, fleets

__all__ = ["Said", "Shop", "lay_out", "opened"]

Said = typer.testing.Result

_HEAD = "apiVersion: fleetctl.dev/v1alpha1\n"
_STRATEGY = _HEAD + "kind: Strategy\nwaves: [{}]\nsoak: 0s\n"


class Shop:
    """The project's folder, and what is said in it."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.fleet: fleets.Fleet | None = None

    def write(self, name: str, text: str) -> None:
        """Write a file of the project; with a kind at its start, as a document of ours."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((_HEAD if text.startswith("kind: ") else "") + text, encoding="utf-8")

    def bundle(self, version: str) -> None:
        """Write the bundle's description."""
        self.write("templates/app/bundle.yaml", f"kind: Bundle\nname: app\nversion: {version}\nnamespace: app\n")

    def run(self, *arguments: str) -> Said:
        """Call fleetctl on the simulated fleet."""
        words = ["-C", str(self.root), "--sim", *arguments]
        return typer.testing.CliRunner().invoke(main.app, words, prog_name="fleetctl")

    def cluster(self, site: str) -> clusters.Cluster:
        """Return a site's cluster."""
        assert self.fleet
        return self.fleet.servers[site].cluster

    def rollout(self, *arguments: str) -> Said:
        """Roll the bundle out to every site; raises ``AssertionError`` unless that went well."""
        said = self.run(
            "rollout", "start", "app", "--all", "--yes", "--strategy", str(self.root / "all.yaml"), *arguments
        )
        assert said.exit_code == 0, said.stderr
        return said


@contextlib.contextmanager
def opened(root: pathlib.Path, sites: tuple[str, ...] = ("s1", "s2", "s3")) -> Iterator[Shop]:
    """Lay a project out in a folder, and serve its fleet."""
    shop = Shop(root)
    lay_out(shop, sites)
    rules = behaviours.Behaviours((behaviours.Behaviour(after=0.05),))
    with fleets.running(sites, root / ".fleetctl" / "sim", rules) as shop.fleet:
        yield shop


def lay_out(shop: Shop, sites: tuple[str, ...]) -> None:
    """Write a project of these sites, all of which have the bundle app."""
    shop.write("fleetctl.yaml", "kind: Project\nname: shops\n")
    shop.write("inventory/defaults.yaml", "kind: Defaults\nbundles: {app: {}}\n")
    shop.write("inventory/sites.yaml", "kind: SiteList\nsites:\n" + "".join(f"- name: {site}\n" for site in sites))
    shop.write("all.yaml", _STRATEGY)
    shop.bundle("1.0.0")
