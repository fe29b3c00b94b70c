"""Serve a simulated fleet: ``python -m fleetctl.sim FOLDER``; FOLDER/fleet.json says which sites."""

import asyncio
import pathlib
import sys

from fleetctl.sim import fleets

if __name__ == "__main__":
    asyncio.run(fleets.serve_folder(pathlib.Path(sys.argv[1])))
