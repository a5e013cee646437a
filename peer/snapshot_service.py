"""The service protos.Snapshot: administrators ask for snapshots of a channel's ledger.

(Fabric: core/ledger/snapshotgrpc/snapshot_service.go.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from google.protobuf.empty_pb2 import Empty

from gridloom.common.envelopes import Clock
from gridloom.common.errors import MalformedMessage
from gridloom.common.policies.policy import SignedData
from gridloom.common.rpc import Call, Code, RpcError
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import SignatureHeader
from gridloom.protos.peer.snapshot_pb2 import (
    QueryPendingSnapshotsResponse,
    SignedSnapshotRequest,
    SnapshotQuery,
    SnapshotRequest,
)

from .acl import AccessControl
from .channel import PeerChannel
from .ledger.ledger import Ledger
from .proposal import expires_at

_Request = TypeVar("_Request", SnapshotRequest, SnapshotQuery)

SUBMIT_REQUEST = "snapshot/submitrequest"
CANCEL_REQUEST = "snapshot/cancelrequest"
LIST_PENDING = "snapshot/listpending"


class SnapshotService:
    """Implements protos.Snapshot; every refusal is gRPC's UNKNOWN with Fabric's text.

    now: the peer's clock, for identities that have expired.
    """

    def __init__(
        self,
        channels: Callable[[str], PeerChannel | None],
        access: AccessControl,
        now: Clock,
    ) -> None:
        self._channels = channels
        self._access = access
        self._now = now

    async def generate(self, signed: SignedSnapshotRequest, call: Call) -> Empty:
        """Have a snapshot made at once, or when its block is committed."""
        request = _parse(SnapshotRequest, signed.request)
        ledger = self._authorized(SUBMIT_REQUEST, request, signed)
        await asyncio.to_thread(ledger.request_snapshot, request.block_number)
        return Empty()

    async def cancel(self, signed: SignedSnapshotRequest, call: Call) -> Empty:
        """Withdraw a request that is not yet being worked on."""
        request = _parse(SnapshotRequest, signed.request)
        ledger = self._authorized(CANCEL_REQUEST, request, signed)
        await asyncio.to_thread(ledger.cancel_snapshot, request.block_number)
        return Empty()

    async def query_pendings(
        self, signed: SignedSnapshotRequest, call: Call
    ) -> QueryPendingSnapshotsResponse:
        """List the blocks of which a snapshot is due or being made."""
        query = _parse(SnapshotQuery, signed.request)
        ledger = self._authorized(LIST_PENDING, query, signed)
        return QueryPendingSnapshotsResponse(block_numbers=ledger.pending_snapshots())

    def _authorized(
        self,
        resource: str,
        request: SnapshotRequest | SnapshotQuery,
        signed: SignedSnapshotRequest,
    ) -> Ledger:
        if not request.HasField("signature_header"):
            raise RpcError(Code.UNKNOWN, "missing signature header")
        self._check(resource, request.signature_header, signed)
        if not request.channel_id:
            raise RpcError(Code.UNKNOWN, "missing channel ID")
        channel = self._channels(request.channel_id)
        if channel is None:
            raise RpcError(Code.UNKNOWN, f"cannot find ledger for channel {request.channel_id}")
        return channel.ledger

    def _check(self, resource: str, header: SignatureHeader, signed: SignedSnapshotRequest) -> None:
        if self._now() > expires_at(header.creator):
            raise RpcError(Code.UNKNOWN, "client identity expired")
        caller = SignedData(signed.request, header.creator, signed.signature)
        self._access.check_signed(resource, caller)


def _parse(kind: type[_Request], data: bytes) -> _Request:
    try:
        return parse(kind, data, "snapshot request")
    except MalformedMessage as error:
        text = f"failed to unmarshal snapshot request: {error.reason}"
        raise RpcError(Code.UNKNOWN, text) from error
