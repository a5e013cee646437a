"""Official clients of the npm registry as real processes, each against a network of its own.

A client is a folder of ``tests/clients`` with the packages it needs and a script
``checks.mjs``, which prints one JSON line for each of its checks; ``./run test`` installs the
packages.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .network import NetworkProcess, gridloom

CLIENTS = Path(__file__).parents[1] / "clients"
TIMEOUT = 240.0


class NodeClient:
    """One of the folders; node: the program that runs its script, Node.js from the PATH if ""."""

    def __init__(self, folder: str, node: str = "") -> None:
        self.folder = CLIENTS / folder
        self._node = str(self.folder / "node_modules" / ".bin" / node) if node else "node"

    @property
    def checks(self) -> Sequence[str]:
        """The names of the script's checks."""
        script = (self.folder / "checks.mjs").read_text()
        return re.findall(r"^    async (\w+)\(\) \{$", script, re.MULTILINE)

    def run(
        self, home: Path, chaincode: Path | None, *options: str
    ) -> Mapping[str, Mapping[str, str | None]]:
        """Run all checks on a new network with one chaincode; what each reported, by name.

        options: of ``gridloom up``.  The client's own home is the folder the network is in.
        """
        installed = self.folder / "node_modules"
        assert installed.exists(), f"{installed} is missing: ./run test, or npm ci there"
        with NetworkProcess(home, *options) as network:
            arguments = [str(network.home.path / "network.json")]
            if chaincode is not None:
                deployed = gridloom("chaincode", "deploy", chaincode, folder=network.home.path)
                assert deployed.returncode == 0, deployed.stderr
                arguments.append(chaincode.name)
            finished = subprocess.run(
                [self._node, "checks.mjs", *arguments],
                cwd=self.folder,
                env={**os.environ, "HOME": str(home.parent)},
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        assert finished.returncode == 0, finished.stderr
        lines = [line for line in finished.stdout.splitlines() if line.startswith('{"check"')]
        return {line["check"]: line for line in map(json.loads, lines)}
