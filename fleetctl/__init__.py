"""Bring up, roll out to, and audit fleets of small edge Kubernetes clusters.

The package is a house of rooms (model, reading, inventory, rendering, ... cli). A room imports only rooms that lie
below it; ``.importlinter`` at the root of the repository draws the order, and a test holds the code to it.
"""

__all__ = ["__version__"]

# The one place where the version stands: hatchling reads it from here when it builds the wheel.
__version__ = "0.1.0.dev0"
