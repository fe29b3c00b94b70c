"""Serve a simulated fleet: ``python -m fleetctl.sim FOLDER``; FOLDER/fleet.json says which sites."""

import pathlib
import sys

from fleetctl.runs import loops
from fleetctl.sim import fleets, folders

if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    with folders.held(folder) as ours:
        if not ours:
            sys.exit(f"another process serves {folder} already")
        loops.run(fleets.serve_folder(folder))
