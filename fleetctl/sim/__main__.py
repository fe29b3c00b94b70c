"""Serve a simulated fleet: ``python -m fleetctl.sim FOLDER``; FOLDER/fleet.json says which sites."""

import pathlib
import sys

from fleetctl.runs import loops
from fleetctl.sim import fleets

if __name__ == "__main__":
    loops.run(fleets.serve_folder(pathlib.Path(sys.argv[1])))
