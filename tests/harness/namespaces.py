"""Hosts of a network that is not there: network namespaces with addresses of their own.

Each host is a namespace, tied by a pair of virtual cards to a bridge at which this process sits
as well.  Needs root and iproute2.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Self


def ip(*arguments: str) -> None:
    """Run iproute2; CalledProcessError with what it said."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


class Hosts:
    """Hosts by name, on a subnet of their own while the context lasts."""

    def __init__(self, names: Iterable[str]) -> None:
        tag = os.getpid()
        self._bridge = f"glbr{tag % 100_000}"
        self._subnet = f"10.{100 + tag % 100}.{tag // 100 % 250}"
        self._index = {name: number for number, name in enumerate(names, 2)}
        self._tag = tag
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        ip("link", "add", self._bridge, "type", "bridge")
        ip("addr", "add", f"{self._subnet}.1/24", "dev", self._bridge)
        ip("link", "set", self._bridge, "up")
        for name in self._index:
            self._add(name)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(120)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for name in self._index:
            ip("link", "del", self._card(name))
            ip("netns", "del", self._namespace(name))
        ip("link", "del", self._bridge)

    def address(self, name: str) -> str:
        """A host's address."""
        return f"{self._subnet}.{self._index[name]}"

    def run(self, name: str, folder: Path, *arguments: str) -> None:
        """Run ``gridloom`` on a host; its log goes into ``folder``."""
        command = ["ip", "netns", "exec", self._namespace(name), sys.executable, "-m", "gridloom"]
        with (folder / "log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [*command, *arguments], cwd=folder, stdout=log, stderr=log
            )

    def unplug(self, name: str) -> None:
        """Pull a host's plug."""
        ip("link", "set", self._card(name), "down")

    def plug_in(self, name: str) -> None:
        """Put the plug back."""
        ip("link", "set", self._card(name), "up")

    def _namespace(self, name: str) -> str:
        return f"gl{self._tag}-{self._index[name]}"

    def _card(self, name: str) -> str:
        return f"gl{self._tag % 100_000}v{self._index[name]}"

    def _add(self, name: str) -> None:
        namespace, card = self._namespace(name), self._card(name)
        ip("netns", "add", namespace)
        ip("link", "add", card, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        ip("link", "set", card, "master", self._bridge, "up")
        ip("-n", namespace, "addr", "add", f"{self.address(name)}/24", "dev", "eth0")
        ip("-n", namespace, "link", "set", "eth0", "up")
        ip("-n", namespace, "link", "set", "lo", "up")
