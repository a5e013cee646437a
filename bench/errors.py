"""What can go wrong with a benchmark before its figures are worth anything.

The faults of a rounds file are DocumentErrors, those of the network under load are failures
that a round counts.  (Fabric: caliper-core's ConfigUtil and connector errors)
"""

from __future__ import annotations

from gridloom.common.errors import GridloomError


class BenchError(GridloomError):
    """Root of what keeps a benchmark from being run or read."""


class NetworkUnusable(BenchError):
    """A network that cannot take load: who was asked, and why it will not do."""

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(f"{target}: {reason}")
        self.target = target
        self.reason = reason


class WorkloadError(BenchError):
    """A workload module that is not there or is none: its name, and why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"workload {name}: {reason}")
        self.name = name
        self.reason = reason


class WorkloadRaised(BenchError):
    """A bug in a workload module: which step raised, where, and what."""

    def __init__(self, name: str, step: str, where: str, error: str) -> None:
        super().__init__(f"workload {name} raised in {step}, {where}: {error}")
        self.name = name
        self.step = step
        self.where = where
        self.error = error


class WorkerFailed(BenchError):
    """A worker process that ended before its round did: its number, and its last words."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"worker {index} {reason}")
        self.index = index
        self.reason = reason


class ResultError(BenchError):
    """A file that is no result of a benchmark, or has nothing to compare."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
