"""The chaincode host: from a name on a channel to a response.

name -> committed definition -> package approved by the own organisation -> running package.
System chaincodes answer directly.  Chaincode in the peer's process runs right on the event
loop; as soon as services are installed it runs in a worker thread, where a call from one
chaincode to another may wait.  (Fabric: core/chaincode/chaincode_support.go)
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from gridloom.common.errors import GridloomError
from gridloom.common.wire import parse
from gridloom.protos.peer.chaincode_event_pb2 import ChaincodeEvent
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from gridloom.protos.peer.proposal_response_pb2 import Response

from ..ledger.simulator import TxSimulator
from .errors import ChaincodeHostError, ExecutionFailed, InvalidInvocation
from .in_process import InProcessRuntime
from .invocation import Invocation
from .invocation_check import message_type
from .launches import Launches
from .lifecycle.approved import ApprovedChaincodes
from .lifecycle.endorsement_info import EndorsementInfo
from .lifecycle.installed import InstalledPackages
from .lifecycle.scc import LifecycleChaincode
from .lifecycle.store import PackageStore
from .resources import AccessChecks, ChannelResources, PeerResources
from .runtime import ChaincodeLauncher
from .session import TransactionSession
from .system.cscc import ConfigurationChaincode
from .system.qscc import QueryChaincode
from .system_chaincode import SYSTEM_VERSION, SystemChaincode

R = TypeVar("R")


class _Prepared(NamedTuple):
    """A checked invocation: which package runs it, on whose ledger, with which message."""

    call: Invocation
    simulator: TxSimulator
    channel: ChannelResources
    package_id: str
    message: ChaincodeMessage


_Key = tuple[str, str, str]
"""Package, channel and transaction."""


class _Session:
    """Holds one session; a package takes a transaction of a channel only once at a time.

    ExecutionFailed if it has been taken, and from inside with where it happened.
    """

    __slots__ = ("_active", "_key", "_session")

    def __init__(self, session: TransactionSession, active: set[_Key], key: _Key) -> None:
        self._session = session
        self._active = active
        self._key = key

    def __enter__(self) -> TransactionSession:
        _, channel_id, tx_id = self._key
        if self._key in self._active:
            raise ExecutionFailed(f"error sending: txid: {tx_id}({channel_id}) exists")
        self._active.add(self._key)
        return self._session

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._session.close()
        self._active.discard(self._key)
        if isinstance(error, ExecutionFailed):
            raise ExecutionFailed(f"error sending: {error}") from error


class ChaincodeHost:
    """Runs the chaincodes of one peer.

    store: installed packages; launchers: by package type; query_limit: most results of one
    query (core.yaml ledger.state.totalQueryLimit).  attach() comes before any invocation.
    """

    def __init__(
        self,
        store: PackageStore,
        launchers: Mapping[str, ChaincodeLauncher],
        *,
        query_limit: int = 100_000,
    ) -> None:
        self.store = store
        self.approved = ApprovedChaincodes(InstalledPackages(store))
        self._query_limit = query_limit
        self._launches = Launches(store, launchers)
        self._waiting_types = {name for name, launcher in launchers.items() if launcher.waits}
        self._inline_types = launchers.keys() - self._waiting_types
        self._system: dict[str, SystemChaincode] = {}
        self._settled_at = -1
        self._active: set[_Key] = set()
        self._runnable: dict[str, tuple[tuple[int, int], Mapping[str, int]]] = {}
        self._peer: PeerResources | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0

    def attach(self, peer: PeerResources, system: Iterable[SystemChaincode] = ()) -> None:
        """Connect the host with its peer; system: chaincodes besides the built-in ones."""
        self._peer = peer
        built_in: tuple[SystemChaincode, ...] = (
            LifecycleChaincode(peer, self.approved),
            ConfigurationChaincode(peer),
            QueryChaincode(peer),
        )
        self._system = {chaincode.name: chaincode for chaincode in (*built_in, *system)}

    @property
    def acl(self) -> AccessChecks:
        """Judges the callers of this peer."""
        return self._attached().acl

    def channel(self, channel_id: str) -> ChannelResources | None:
        """Return a joined channel, None when the peer has not joined it."""
        return self._attached().channel(channel_id)

    def is_system(self, name: str) -> bool:
        """Whether ``name`` is a system chaincode's."""
        return name in self._system

    def endorsement_info(
        self, channel_id: str, name: str, simulator: TxSimulator | None
    ) -> EndorsementInfo:
        """Return the version and package of a chaincode this peer can run.

        The committed sequence is read through ``simulator``.  Raises ChaincodeHostError with
        Fabric's text: not found, not approved, not installed.
        """
        if self.is_system(name):
            return EndorsementInfo(SYSTEM_VERSION)
        channel = self.channel(channel_id)
        if channel is None:
            raise ChaincodeHostError(f"could not get channel config for channel '{channel_id}'")
        msp_id = self._attached().msp_id
        return self.approved.endorsement_info(channel, msp_id, name, simulator)

    def runnable(self, channel_id: str) -> Mapping[str, int]:
        """Return every chaincode this peer can run on a channel, with its sequence.

        It has to be installed, and approved by the own organisation (Fabric: the metadata
        that gossip publishes, where the sequence stands for the version).
        """
        channel = self.channel(channel_id)
        if channel is None:
            return {}
        as_of = self.approved.as_of(channel)
        known = self._runnable.get(channel_id)
        if known is None or known[0] != as_of:
            found = self.approved.of_channel(channel, self._attached().msp_id)
            known = self._runnable[channel_id] = (
                as_of,
                {
                    name: chaincode.definition.sequence
                    for name, chaincode in found.items()
                    if chaincode.approved and chaincode.package is not None
                },
            )
        return known[1]

    @property
    def waits_for_services(self) -> bool:
        """Whether a package makes this peer wait for a service."""
        return not self._waiting_types.isdisjoint(self.approved.packages.types.values())

    def is_runnable_inline(self, channel_id: str, name: str) -> bool:
        """Whether this peer can run a chaincode, and waits for no services."""
        return not self.waits_for_services and name in self.runnable(channel_id)

    async def invoke(
        self, call: Invocation, info: EndorsementInfo | None = None
    ) -> tuple[Response, ChaincodeEvent | None]:
        """Run a client's invocation and return the chaincode's response and event.

        info: how to run it, where that has been read through the simulator already.
        Raises ExecutionFailed when there is no response: the chaincode cannot be run, ran too
        long, was lost, or answered ERROR.  A response with status >= 400 is not an error here.
        """
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        if self.is_system(call.name):
            return self._system[call.name].invoke(call), None
        try:
            message = await self._run(self._prepare(call, info))
        except GridloomError as error:
            text = f"failed to execute transaction {call.tx_id}: {error}"
            raise ExecutionFailed(text) from error
        return _result(call, message)

    def call(self, invocation: Invocation) -> ChaincodeMessage:
        """Run a callee for a chaincode that waits for it; a GridloomError if it cannot run."""
        if self.is_system(invocation.name):
            response = self._system[invocation.name].invoke(invocation)
            return ChaincodeMessage(
                type=ChaincodeMessage.COMPLETED,
                payload=response.SerializeToString(),
                txid=invocation.tx_id,
                channel_id=invocation.channel_id,
            )
        prepared = self._prepare(invocation)
        holds_loop = threading.get_ident() == self._loop_thread
        if holds_loop:
            runtime = self._launches.require(prepared.package_id)
        else:
            runtime = self._wait(self._launches.get(prepared.package_id))
        with self._session(prepared) as session:
            if isinstance(runtime, InProcessRuntime):
                return runtime.execute_now(prepared.message, session.handle)
            if holds_loop:
                raise ExecutionFailed(f"{prepared.package_id} has only now become a service")
            return self._wait(runtime.execute(prepared.message, session.handle))

    async def stop(self) -> None:
        """Stop all running chaincodes."""
        await self._launches.stop()

    def _attached(self) -> PeerResources:
        if self._peer is None:
            raise ChaincodeHostError("the chaincode host is not attached to a peer")
        return self._peer

    def _prepare(self, call: Invocation, info: EndorsementInfo | None = None) -> _Prepared:
        """Check an invocation and make the message that starts it; InvalidInvocation."""
        try:
            if info is None:
                info = self.endorsement_info(call.channel_id, call.name, call.simulator)
        except ChaincodeHostError as error:
            raise InvalidInvocation(
                f"invalid invocation: [channel {call.channel_id}] failed to get chaincode "
                f"container info for {call.name}: {error}"
            ) from error
        channel = self.channel(call.channel_id)
        if channel is None or call.simulator is None:
            raise InvalidInvocation("invalid invocation: invalid channel-less operation")
        try:
            kind = message_type(call, info, call.simulator)
        except InvalidInvocation as error:
            raise InvalidInvocation(f"invalid invocation: {error}") from error
        message = ChaincodeMessage(
            type=kind,
            payload=call.input.SerializeToString(),
            txid=call.tx_id,
            channel_id=call.channel_id,
            proposal=call.signed_proposal,
        )
        return _Prepared(call, call.simulator, channel, info.package_id, message)

    async def _run(self, prepared: _Prepared) -> ChaincodeMessage:
        package_id = prepared.package_id
        runtime = self._launches.running(package_id) or await self._launches.get(package_id)
        with self._session(prepared) as session:
            if isinstance(runtime, InProcessRuntime) and self._may_hold_loop():
                return runtime.execute_now(prepared.message, session.handle)
            return await runtime.execute(prepared.message, session.handle)

    def _session(self, prepared: _Prepared) -> _Session:
        call = prepared.call
        is_init = prepared.message.type == ChaincodeMessage.INIT
        session = TransactionSession(
            call, prepared.simulator, prepared.channel, self, self._query_limit, is_init=is_init
        )
        return _Session(session, self._active, (prepared.package_id, call.channel_id, call.tx_id))

    def _may_hold_loop(self) -> bool:
        """Whether no callee could make a caller wait: all run in this process, and are running.

        So every such package is started as soon as one of them is invoked.  Once all are there
        it stays so until another one is installed.
        """
        packages = self.approved.packages
        if self._settled_at == packages.changes:
            return True
        types = packages.types
        if not self._waiting_types.isdisjoint(types.values()):
            return False
        inline = (i for i, kind in types.items() if kind in self._inline_types)
        settled = self._launches.settle(inline)
        if settled:
            self._settled_at = packages.changes
        return settled

    def _wait(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Run a coroutine on the event loop and wait for it in this worker thread."""
        if self._loop is None:
            coroutine.close()
            raise ChaincodeHostError("no invocation is under way")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


def _result(call: Invocation, message: ChaincodeMessage) -> tuple[Response, ChaincodeEvent | None]:
    """Turn a chaincode's last message into its response and event."""
    if message.type == ChaincodeMessage.ERROR:
        text = message.payload.decode("utf-8", "replace")
        raise ExecutionFailed(f"transaction returned with failure: {text}")
    if message.type != ChaincodeMessage.COMPLETED:
        raise ExecutionFailed(
            f"unexpected response type {message.type} for transaction {call.tx_id}"
        )
    try:
        response = parse(Response, message.payload, "response")
    except GridloomError as error:
        raise ExecutionFailed(
            f"failed to unmarshal response for transaction {call.tx_id}: {error}"
        ) from error
    if not message.HasField("chaincode_event"):
        return response, None
    event = ChaincodeEvent()
    event.CopyFrom(message.chaincode_event)
    event.chaincode_id, event.tx_id = call.name, call.tx_id
    return response, event
