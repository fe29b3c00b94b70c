"""That the benchmark of the wire still runs: its farm, Go's client and ours, on three clusters."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.bench import measuring

pytestmark = pytest.mark.slow  # builds a Go program


@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="pins to cores as Linux does")
@pytest.mark.parametrize("proof", [[], ["--certificates"]], ids=["tokens", "certificates"])
def test_each_client_visits_each_cluster(tmp_path: pathlib.Path, proof: list[str]) -> None:
    """Every client that needs nothing but fleetctl is measured; one that fails a visit would be left out."""
    words = ["--clusters", "3", "--rounds", "1", "--only", "fleetctl", "multi", "pycurl", *proof]
    script = str(measuring.ROOT / "tests" / "bench" / "wire.py")
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}  # where Go counts what it was asked to do
    done = subprocess.run([sys.executable, script, *words], check=True, capture_output=True, text=True, env=environment)
    rows = [line.split()[0] for line in done.stdout.rpartition("peak MiB")[2].splitlines() if line]
    assert rows == ["go", "fleetctl", "multi", "pycurl"], done.stdout
    exchanged = done.stdout.partition("keys were exchanged: ")[2].partition("\n")[0].split("; ")
    assert {one.rpartition(", ")[2] for one in exchanged} == {"X25519MLKEM768"}, (
        "clients that are compared do equal work"
    )
