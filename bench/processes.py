"""CPU time and memory of the processes under load, and of those that make it.

(Fabric: Caliper's process and docker resource monitors)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import psutil

INTERVAL = 0.5
"""Seconds between two looks at the memory."""


class ProcessWatch:
    """Looks at processes by name while a round runs, and at those that they start: "network+1".

    peak_rss: the most memory each had at a look, in bytes; a process that ends keeps its last
    figures.
    """

    def __init__(self, process_ids: Mapping[str, int]) -> None:
        self.peak_rss: dict[str, int] = {}
        self._cpu: dict[str, float] = {}
        self._processes: dict[str, psutil.Process] = {}
        for name, process_id in process_ids.items():
            try:
                self._processes[name] = psutil.Process(process_id)
            except psutil.NoSuchProcess:
                continue  # it has just ended: there is nothing to watch

    def cpu_seconds(self) -> dict[str, float]:
        """Return user and system seconds of each so far."""
        self._find_children()
        for name, process in self._processes.items():
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    self._cpu[name] = times.user + times.system
                    rss = process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            self.peak_rss[name] = max(self.peak_rss.get(name, 0), rss)
        return dict(self._cpu)

    def _find_children(self) -> None:
        known = {process.pid for process in self._processes.values()}
        for name, process in list(self._processes.items()):
            try:
                children = process.children()
            except psutil.NoSuchProcess:
                continue
            for child in children:
                if child.pid not in known:
                    number = sum(each.startswith(f"{name}+") for each in self._processes) + 1
                    self._processes[f"{name}+{number}"] = child

    async def watch(self) -> None:
        """Look again and again until cancelled."""
        while True:
            self.cpu_seconds()
            await asyncio.sleep(INTERVAL)


def listening_processes(targets: Mapping[str, str]) -> dict[str, int]:
    """Return the process behind each ``host:port`` of this machine, by name.

    What runs on other machines, or belongs to somebody else, is left out.
    """
    ports = {int(target.rpartition(":")[2]): name for name, target in targets.items()}
    found: dict[str, int] = {}
    for process in psutil.process_iter():
        try:
            connections = process.net_connections("tcp")
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
        for connection in connections:
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port in ports:
                found[ports[connection.laddr.port]] = process.pid
    return found
