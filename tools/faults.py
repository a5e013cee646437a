"""Kills the leading orderer of real networks again and again and prints the reckoning.

    python tools/faults.py --orderers 3 5 --kills 100

The table goes into docs/reliability.md.  The networks run one process for each node, in a
temporary folder, on free ports.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from harness.falling_leaders import Reckoning, let_leaders_fall, table
from harness.network import NetworkProcess


def reckon(orderers: int, kills: int, clients: int, limit: float) -> Reckoning:
    """Run one network and let its leaders fall."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--processes", "--orderers", str(orderers), "--consensus", "raft")
        with NetworkProcess(Path(folder) / "network", *options) as network:
            return asyncio.run(let_leaders_fall(network.home, kills, clients=clients, limit=limit))


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--orderers", type=int, nargs="+", default=[3, 5])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=60, help="for each network, at most")
    options = parser.parse_args()
    for size in options.orderers:
        found = reckon(size, options.kills, options.clients, 60 * options.minutes)
        print(table([(size, found)]), flush=True)


if __name__ == "__main__":
    main()
