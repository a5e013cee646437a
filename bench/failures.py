"""Failed transactions by class, and bugs of workloads told from them.

(Fabric: Caliper's TxStatus, which knows success and failure only)
"""

from __future__ import annotations

import traceback

from gridloom.client.errors import CommitError, GatewayError
from gridloom.common.errors import GridloomError
from gridloom.common.rpc import RpcError

from .errors import BenchError, WorkloadRaised

CONFLICTS = frozenset({"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"})
"""Codes with which a transaction may succeed when it is made anew."""

UNFINISHED = "unfinished"
"""The class of transactions that were still under way when the round's patience ended."""


def failure_class(error: Exception) -> str:
    """Return the class a failure is counted in, such as ``EndorseError UNAVAILABLE``."""
    if isinstance(error, CommitError):
        return error.status_name
    if isinstance(error, GatewayError | RpcError):
        return f"{type(error).__name__} {error.code.name}"
    return type(error).__name__


def is_failure(error: Exception) -> bool:
    """Whether the network or the ledger failed, rather than the workload's own code."""
    return isinstance(error, GridloomError | TimeoutError | ConnectionError)


def workload_raised(name: str, step: str, error: Exception) -> WorkloadRaised:
    """Return what to report of a workload's bug: where in its file it happened."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "driver.py" not in frame.filename]
    frame = own[-1] if own else frames[-1]
    where = f"{frame.filename}:{frame.lineno}"
    return WorkloadRaised(name, step, where, f"{type(error).__name__}: {error}")


def in_initialize(name: str, error: Exception) -> GridloomError:
    """Return the same for preparation, where every error ends the round."""
    if isinstance(error, BenchError):
        return error
    return workload_raised(name, "initialize", error)
