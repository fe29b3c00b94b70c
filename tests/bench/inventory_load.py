"""Loading an inventory, cold (read, check, merge, keep) and warm (kept), for thousands of sites of three nodes each.

    python tests/bench/inventory_load.py                          # 1,000 and 10,000 sites
    python tests/bench/inventory_load.py --sites 100000 --rounds 1
    python tests/bench/inventory_load.py --peers PYTHON           # beside Ansible and Nornir

``--peers`` names a Python that has ansible-core or nornir installed. They get the same sites, labels and values in
their own formats: one host per site (fleetctl reads three nodes for each besides), groups per label, variables on
both. The comparison is of what a person waits for before the first host is touched, not of equal work: neither of
them checks types, names or clashes, or knows lines.
"""

import argparse
import collections
import functools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from tests.bench import fleets, measuring

INSIDE = """
import json, pathlib, resource, sys
from fleetctl.inventory import fleets, locating
from tests.bench import measuring
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
cost = measuring.within(lambda: fleets.load(locating.find(pathlib.Path(sys.argv[1]))))
print(json.dumps([*cost, start]))
"""
NORNIR = """
import sys
from nornir.plugins.inventory.simple import SimpleInventory
folder = sys.argv[1]
SimpleInventory(host_file=f"{folder}/hosts.yaml", group_file=f"{folder}/groups.yaml").load()
"""


def inside(project: pathlib.Path) -> measuring.Cost:
    """Load in a fresh process that has imported everything already, and return the cost of the loading alone."""
    command = [sys.executable, "-c", INSIDE, str(project)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=measuring.environment())
    cpu, wall, peak, _start = json.loads(done.stdout)
    return measuring.Cost(cpu, wall, peak)


def cold(project: pathlib.Path, command: list[str]) -> measuring.Cost:
    """Run a command on a project that keeps no fleet; it makes one and keeps it."""
    shutil.rmtree(project / ".fleetctl", ignore_errors=True)
    return measuring.process(command)


def warm(project: pathlib.Path, command: list[str]) -> measuring.Cost:
    """Run a command on a project whose fleet was kept."""
    if not (project / ".fleetctl" / "cache" / "inventory").exists():
        measuring.process(command)
    return measuring.process(command)


def write_ansible(folder: pathlib.Path, sites: int, files: int = 50) -> pathlib.Path:
    """Write the fleet as an Ansible inventory: files of hosts below groups, JSON lines being YAML."""
    hosts, values = folder / "inventory", folder / "inventory" / "group_vars"
    values.mkdir(parents=True)
    names = set()
    for number in range(files):
        groups: dict[str, dict[str, dict[str, object]]] = collections.defaultdict(lambda: {"hosts": {}})
        lines = ["all:\n  hosts:\n"]
        for store in range(number, sites, files):
            labels = {**fleets.labels_of(store), "region": fleets.region_of(store), "env": "prod"}
            own = json.dumps({"labels": labels, "terminals": 4 + store % 13, "ansible_host": f"10.0.{store % 250}.10"})
            lines.append(f"    store-{store:06}: {own}\n")
            for key, value in labels.items():
                groups[f"{key}_{value}".replace("-", "_")]["hosts"][f"store-{store:06}"] = {}
        lines.append("  children:\n")
        for name, members in groups.items():
            lines.append(f"    {name}:\n      hosts:\n")
            lines += [f"        {host}: {{}}\n" for host in members["hosts"]]
        names |= set(groups)
        (hosts / f"file-{number:03}.yaml").write_text("".join(lines), encoding="utf-8")
    for name in names:
        text = f"pos_{name}: {{replicas: 1, tls: {{minVersion: '1.3'}}, resources: {{limits: {{cpu: 400m}}}}}}\n"
        (values / f"{name}.yaml").write_text(text, encoding="utf-8")
    return hosts


def write_nornir(folder: pathlib.Path, sites: int) -> pathlib.Path:
    """Write the fleet as Nornir's two files."""
    names = set()
    with (folder / "hosts.yaml").open("w", encoding="utf-8") as file:
        for store in range(sites):
            labels = {**fleets.labels_of(store), "region": fleets.region_of(store), "env": "prod"}
            groups = [f"{key}_{value}" for key, value in labels.items()]
            names |= set(groups)
            data = {"labels": labels, "terminals": 4 + store % 13}
            host = json.dumps({"hostname": f"10.0.{store % 250}.10", "groups": groups, "data": data})
            file.write(f"store-{store:06}: {host}\n")
    lines = [f"{name}: {{data: {{replicas: 1, tls: {{minVersion: '1.3'}}}}}}\n" for name in sorted(names)]
    (folder / "groups.yaml").write_text("".join(lines), encoding="utf-8")
    return folder


def peers(python: str, folder: pathlib.Path, sites: int) -> dict[str, list[str]]:
    """Return the commands of the peers that are installed, their data written."""
    commands = {}
    ansible = pathlib.Path(python).with_name("ansible-inventory")
    if ansible.exists():
        (folder / "ansible").mkdir()
        commands["ansible-inventory --list"] = [
            str(ansible), "-i", str(write_ansible(folder / "ansible", sites)), "--list",
        ]  # fmt: skip
    if not subprocess.run([python, "-c", "import nornir"], check=False, capture_output=True).returncode:
        (folder / "nornir").mkdir()
        commands["nornir SimpleInventory"] = [python, "-c", NORNIR, str(write_nornir(folder / "nornir", sites))]
    return commands


def main() -> None:
    """Measure each size and print a table for it."""
    parser = argparse.ArgumentParser(description="Measure loading an inventory.")
    parser.add_argument("--sites", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", metavar="PYTHON", help="a Python with ansible-core or nornir")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="write the fleets here and keep them")
    arguments = parser.parse_args()
    measuring.header("Cold load of an inventory", "pyyaml", "msgspec", "pydantic")
    for sites in arguments.sites:
        with tempfile.TemporaryDirectory() as temporary:
            folder = (arguments.keep or pathlib.Path(temporary)) / f"{sites}-sites"
            folder.mkdir(parents=True)
            project = fleets.write(folder, sites, arguments.files)
            megabytes = sum(path.stat().st_size for path in project.rglob("*.yaml")) / 1e6
            command = [sys.executable, "-m", "fleetctl", "-C", str(project), "inventory", "list"]
            rivals = {
                "load, in process": functools.partial(inside, project),
                "cold: list -o name": functools.partial(cold, project, [*command, "-o", "name"]),
                "warm: list -o name": functools.partial(warm, project, [*command, "-o", "name"]),
                "warm: list -l ring=2,hw=rpi4": functools.partial(warm, project, [*command, "-l", "ring=2,hw=rpi4"]),
                "warm: list -o json": functools.partial(warm, project, [*command, "-o", "json"]),
            }
            for name, other in (peers(arguments.peers, folder, sites) if arguments.peers else {}).items():
                rivals[name] = functools.partial(measuring.process, other)
            costs = measuring.in_turns(arguments.rounds, rivals)
            counts = f"{sites:,} sites, {sites * fleets.NODES:,} nodes, {arguments.files} files, {megabytes:.1f} MB"
            sys.stdout.write(f"\n{counts}\n")
            measuring.table(costs)


if __name__ == "__main__":
    main()
