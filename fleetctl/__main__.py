"""Let ``python -m fleetctl`` do what the ``fleetctl`` command does."""

from fleetctl.cli import main

if __name__ == "__main__":
    main.run()
