"""What a quick command costs: ``fleetctl --help`` beside the help of a bare Typer application of two commands.

The bare one is what Typer costs anybody. Ours has to stay within 1.3 of it, whatever it grows to; that is held by
importing a command's module only when the command is called.

    python tests/bench/startup.py
    python tests/bench/startup.py --check     # exit 1 above 1.3
"""

import argparse
import functools
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from tests.bench import measuring  # the checkout's own, found through the line above

LIMIT = 1.3
BARE = '''\
import typer

app = typer.Typer()


@app.command()
def one(name: str) -> None:
    """Do one thing."""


@app.command()
def two(count: int = 1) -> None:
    """Do another."""


app()
'''


def main() -> int:
    """Measure, print, and say whether the limit holds."""
    parser = argparse.ArgumentParser(description="Measure what starting fleetctl costs.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--check", action="store_true", help=f"exit 1 when --help costs more than {LIMIT} of bare Typer"
    )
    arguments = parser.parse_args()
    retail = str(measuring.ROOT / "inventories" / "retail")
    with tempfile.TemporaryDirectory() as folder:
        bare = pathlib.Path(folder, "bare.py")
        bare.write_text(BARE, encoding="utf-8")
        ours = [sys.executable, "-m", "fleetctl"]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "bare Typer --help": [sys.executable, str(bare), "--help"],
            "fleetctl --help": [*ours, "--help"],
            "fleetctl version": [*ours, "version"],
            "fleetctl inventory list (retail, 60 sites)": [*ours, "-C", retail, "inventory", "list"],
        }
        rivals = {name: functools.partial(measuring.process, command) for name, command in commands.items()}
        measuring.in_turns(1, rivals)  # compiles modules and warms the disk's cache
        measuring.header("Start-up: whole processes", "typer", "rich", "pydantic")
        costs = measuring.in_turns(arguments.rounds, rivals)
    measuring.table(costs)
    pairs = zip(costs["fleetctl --help"], costs["bare Typer --help"], strict=True)
    ratio = statistics.median(one.cpu / two.cpu for one, two in pairs)
    sys.stdout.write(f"\nfleetctl --help / bare Typer --help: {ratio:.2f} (CPU, median of pairs; limit {LIMIT})\n")
    return 1 if arguments.check and ratio > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
