"""What a halt says to do next does what it says."""

import json
import pathlib
import shlex

from fleetctl.sim import faults
from tests.unit.cli import simulated

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: till}
spec:
  selector: {matchLabels: {app: till}}
  template:
    metadata: {labels: {app: till}}
    spec: {containers: [{name: till, image: "till:1"}]}
"""


def test_trying_again_takes_what_failed_and_what_was_not_started(tmp_path: pathlib.Path) -> None:
    """The halted run is over then; sites that went well are left alone."""
    with simulated.opened(tmp_path) as shop:
        assert shop.fleet
        shop.write("templates/app/a.yaml", _DEPLOYMENT)
        shop.write(
            "all.yaml", "kind: Strategy\nwaves: [{count: 1}, {count: 1}, {}]\nsoak: 0s\nmaxFailed: 0\nsiteTimeout: 2s\n"
        )
        strategy = str(tmp_path / "all.yaml")
        shop.fleet.suffer("s2", faults.Fault(workloads="stuck"))
        halted = shop.run("rollout", "start", "app", "--all", "--yes", "--strategy", strategy)
        assert halted.exit_code == 7, halted.stdout
        shop.fleet.suffer("s2", faults.Fault())
        shop.write("templates/app/a.yaml", _DEPLOYMENT.replace("till:1", "till:2"))
        shop.bundle("1.0.1")
        words = shlex.split(halted.stdout.partition("Try again:")[2])
        assert words[:2] == ["fleetctl", "--sim"]
        again = shop.run(*words[2:], "--yes", "--strategy", strategy, "-o", "json")
        assert again.exit_code == 0, again.stderr
        assert sum(wave["members"] for wave in json.loads(again.stdout)["waves"]) == 2
        assert json.loads(shop.run("rollout", "history", "-o", "json").stdout)["items"][1]["state"] == "aborted"
