"""Fleets of any size for the benchmarks: the groups of inventories/retail, and made-up stores that belong to them.

The same numbers give the same bytes. Nothing is random, and the mix of labels is about that of the 60 real examples.
"""

import itertools
import pathlib
import shutil
from collections.abc import Iterator

from tests.bench import measuring

__all__ = ["NODES", "labels_of", "write"]

RETAIL = measuring.ROOT / "inventories" / "retail"
NODES = 3
COUNTRIES = {
    "eu-north": ("SE", "NO", "DK", "FI"),
    "eu-west": ("NL", "BE", "FR", "IE", "GB"),
    "eu-central": ("DE", "AT", "CH", "CZ", "PL"),
}
RINGS = ("0", "1", "1", "2", "2", "2", "2", "2", "3", "2")


def labels_of(number: int) -> dict[str, str]:
    """Return the labels of the store with a number, without those of its file."""
    countries = COUNTRIES[region_of(number)]
    labels = {
        "ring": RINGS[number % len(RINGS)],
        "country": countries[number // 3 % len(countries)],
        "hw": "rpi4" if number % 5 < 2 else "nuc",
        "size": ("small", "medium", "large")[number // 7 % 3],
    }
    if number % 10 == 9:
        labels["platform"] = "microk8s"
    if number % 12 == 5:
        labels["tills"] = "legacy"
    return labels


def region_of(number: int) -> str:
    """Return the region of a store; the stores of one file share it."""
    return list(COUNTRIES)[number % 3]


def write(folder: pathlib.Path, sites: int, files: int = 50) -> pathlib.Path:
    """Write a project with so many sites in so many files, groups and defaults as in retail, and return its folder."""
    inventory = folder / "inventory"
    shutil.copytree(RETAIL / "inventory" / "groups", inventory / "groups")
    shutil.copy(RETAIL / "inventory" / "defaults.yaml", inventory)
    templates = measuring.ROOT / "templates"
    (folder / "fleetctl.yaml").write_text(
        f"apiVersion: fleetctl.dev/v1alpha1\nkind: Project\nname: bench\npaths: {{templates: {str(templates)!r}}}\n",
        encoding="utf-8",
    )
    (inventory / "sites").mkdir()
    for number in range(files):
        members = [store for store in range(sites) if store % files == number]
        by_region = {region: [store for store in members if region_of(store) == region] for region in COUNTRIES}
        with (inventory / "sites" / f"file-{number:03}.yaml").open("w", encoding="utf-8") as file:
            file.writelines(itertools.chain.from_iterable(_file(region, of) for region, of in by_region.items() if of))
    return folder


def _file(region: str, stores: list[int]) -> Iterator[str]:
    yield "---\napiVersion: fleetctl.dev/v1alpha1\nkind: SiteList\n"
    yield f"defaults:\n  labels: {{region: {region}, env: prod}}\nsites:\n"
    for store in stores:
        high, low = divmod(store, 250)
        network = f"10.{high % 256}.{low}"
        arch = "arm64" if labels_of(store)["hw"] == "rpi4" else "amd64"
        labels = ", ".join(f'{key}: "{value}"' for key, value in labels_of(store).items())
        yield f"# Store {store}\n- name: store-{store:06}\n  labels: {{{labels}}}\n"
        yield f"  location: {{lat: {40 + store % 25}.{1 + store % 9}, lon: {store % 30}.{1 + store % 8}, "
        yield "timezone: Europe/Amsterdam}\n  nodes:\n"
        for node in range(NODES):
            role = "agent" if node else "server"
            yield f"  - {{name: n{node}, address: {network}.{10 + node}, role: {role}, arch: {arch}}}\n"
        yield f'  cluster: {{endpoint: "https://{network}.10:6443"}}\n'
        yield f"  vars: {{pos: {{terminals: {4 + store % 13}}}}}\n"
