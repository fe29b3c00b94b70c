"""Services that nothing gives an address to: they hold a rollout up, unless their bundle says that none is needed."""

import json
import pathlib

from tests.unit.cli import simulated

# Nothing serves this class, so no address ever comes.
_SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: door}\n"
    "spec: {type: LoadBalancer, loadBalancerClass: nobody.example/none, selector: {app: a}, ports: [{port: 80}]}\n"
)
_CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n"
_IGNORED = "health: {loadBalancer: ignore}\n"


def test_an_address_that_does_not_matter(tmp_path: pathlib.Path) -> None:
    """Required, it fails the visit in the end; ignored, the site is well, also for the undo of the run."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        shop.write("all.yaml", "kind: Strategy\nwaves: [{}]\nsoak: 0s\nsiteTimeout: 2s\n")
        shop.write("templates/app/a.yaml", _SERVICE)
        strategy = str(tmp_path / "all.yaml")
        failed = shop.run("rollout", "start", "app", "--all", "--yes", "--strategy", strategy)
        assert (failed.exit_code, "LoadBalancer" in failed.stdout or "address" in failed.stdout) == (6, True)

        _describe(tmp_path, "1.1.0")
        shop.rollout()
        (tmp_path / "templates/app/b.yaml").write_text(_CONFIG_MAP, encoding="utf-8")
        _describe(tmp_path, "1.2.0")
        shop.rollout()
        run = json.loads(shop.run("rollout", "history", "-o", "json").stdout)["items"][0]["name"]
        undone = shop.run("rollout", "undo", run, "--yes", "--strategy", strategy)
        assert undone.exit_code == 0, undone.stdout
        assert list(shop.cluster("s1").store.of("", "ConfigMap")) == []


def _describe(root: pathlib.Path, version: str) -> None:
    path = root / "templates" / "app" / "bundle.yaml"
    text = f"apiVersion: fleetctl.dev/v1alpha1\nkind: Bundle\nname: app\nversion: {version}\nnamespace: app\n"
    path.write_text(text + _IGNORED, encoding="utf-8")
