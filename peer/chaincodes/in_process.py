"""Chaincode in the peer's own process: a call, nothing on a wire, steppable in a debugger.

(Fabric: core/scc/inprocstream.go does the like for system chaincodes)
"""

from __future__ import annotations

import logging
from typing import Protocol

from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from .errors import EXECUTION_TIMEOUT, ExecutionFailed
from .runtime import Exchange
from .watchdog import Overtime, Watchdog
from .worker import in_thread

log = logging.getLogger(__name__)

_watchdog = Watchdog()


class TransactionHandler(Protocol):
    """The chaincode side of a transaction; `gridloom.chaincode.Chaincode` is one."""

    def handle_transaction(self, message: ChaincodeMessage, exchange: Exchange) -> ChaincodeMessage:
        """Run TRANSACTION or INIT, asking the peer through ``exchange``."""
        ...


class InProcessRuntime:
    """A chaincode object run by direct calls, at most ``timeout`` seconds each."""

    def __init__(self, chaincode: TransactionHandler, *, timeout: float = 30.0) -> None:
        self._chaincode = chaincode
        self._timeout = timeout

    @property
    def lost(self) -> bool:
        """False: what lives in this process cannot be lost."""
        return False

    def execute_now(self, message: ChaincodeMessage, handle: Exchange) -> ChaincodeMessage:
        """Run one transaction in this thread; ExecutionFailed when it takes too long.

        Chaincode answers its own failures; an exception that escapes it is a crash, which
        must not become the peer's.
        """
        try:
            return _watchdog.run(self._timeout, self._chaincode.handle_transaction, message, handle)
        except Overtime:
            raise ExecutionFailed(EXECUTION_TIMEOUT) from None
        except (Exception, SystemExit) as error:
            log.exception("chaincode crashed in transaction %s", message.txid)
            raise ExecutionFailed(f"chaincode crashed: {type(error).__name__}: {error}") from error

    async def execute(self, message: ChaincodeMessage, handle: Exchange) -> ChaincodeMessage:
        """Run one transaction in a worker thread, so that it may wait for other services."""
        return await in_thread(lambda: self.execute_now(message, handle))

    async def stop(self) -> None:
        """Nothing to release."""
