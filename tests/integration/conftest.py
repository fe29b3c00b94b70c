"""Six real clusters of two minors, and projects laid out on them."""

import contextlib
import itertools
import pathlib
from collections.abc import Iterator

import pytest

from tests.integration import shops, wires
from tests.kubebox import clusters

_numbers = itertools.count(1)
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/fleetctl-system/leases"


@pytest.fixture
def shop(kubebox: clusters.Fleet, tmp_path: pathlib.Path) -> Iterator[shops.Shop]:
    """A project on six clusters, in a namespace of its own; its journal must hold together at the end."""
    made = shops.Shop(tmp_path, kubebox, f"shop-{next(_numbers)}")
    for cluster in made.sites.values():
        # The bundle of all projects is called app, so the Lease of a run that was killed would hold the next test's.
        assert cluster.api().call("DELETE", _LEASES).status in {200, 404}
    yield made
    made.close()


@pytest.fixture
def doors(shop: shops.Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, wires.Wire]]:
    """Doors that count, through which the project reaches all its sites."""
    folder = tmp_path_factory.mktemp("doors")
    with contextlib.ExitStack() as stack:
        made: dict[str, wires.Wire] = {}
        for site, cluster in shop.sites.items():
            made[site] = wires.Wire(cluster, folder)
            stack.callback(made[site].close)
        # Before a door is closed, whoever comes through it must be gone.
        stack.callback(shop.kill)
        shop.through(made)
        yield made
