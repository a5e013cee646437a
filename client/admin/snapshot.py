"""Ledger snapshots from an administrator's side (Fabric: internal/peer/{snapshot,channel})."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from gridloom.common.envelopes import NONCE_LENGTH
from gridloom.common.errors import GridloomError
from gridloom.common.rpc import Channel, RpcError
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import SignatureHeader
from gridloom.protos.peer.query_pb2 import JoinBySnapshotStatus
from gridloom.protos.peer.snapshot_pb2 import (
    QueryPendingSnapshotsResponse,
    SignedSnapshotRequest,
    SnapshotQuery,
    SnapshotRequest,
)

from ..identity import Signer
from .channel import ChannelAdmin
from .invocation import Invocation

_Response = TypeVar("_Response", bound=Message)
_POLL_SECONDS = 0.05


class SnapshotRequestError(GridloomError):
    """A peer refused a request about snapshots: what was asked, and its status.

    The text is that of Fabric's command.
    """

    def __init__(self, asked: str, status: RpcError) -> None:
        code = status.code.name.title().replace("_", "")
        super().__init__(f"failed to {asked}: rpc error: code = {code} desc = {status.message}")
        self.status = status


class SnapshotJoinError(GridloomError):
    """A peer has ended joining from a snapshot without a new channel; its log says why."""

    def __init__(self, folder: str) -> None:
        super().__init__(
            f"the peer could not join a channel from the snapshot at {folder}; see the peer's log"
        )
        self.folder = folder


class SnapshotAdmin:
    """Asks peers for snapshots and joins them to channels from some, as one identity.

    Every call is for an administrator of the peer's own organisation.
    """

    def __init__(
        self,
        signer: Signer,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        random_bytes: Callable[[int], bytes] = os.urandom,
        timeout: float = 30.0,
    ) -> None:
        self._signer = signer
        self._random_bytes = random_bytes
        self._timeout = timeout
        self._invocation = Invocation(signer, now=now, random_bytes=random_bytes)
        self._channels = ChannelAdmin(signer, now=now, random_bytes=random_bytes)

    async def request(self, peer: Channel, channel_id: str, block_number: int = 0) -> None:
        """Have a snapshot made: of the newest block now for 0, of one to come in its time.

        SnapshotRequestError.
        """
        request = SnapshotRequest(
            signature_header=self._header(), channel_id=channel_id, block_number=block_number
        )
        await self._call(peer, "Generate", "submit the request", request, Empty)

    async def cancel(self, peer: Channel, channel_id: str, block_number: int) -> None:
        """Withdraw a request for a block to come; SnapshotRequestError."""
        request = SnapshotRequest(
            signature_header=self._header(), channel_id=channel_id, block_number=block_number
        )
        await self._call(peer, "Cancel", "cancel the request", request, Empty)

    async def pending(self, peer: Channel, channel_id: str) -> Sequence[int]:
        """Return the blocks of which a snapshot is due or being made; SnapshotRequestError."""
        query = SnapshotQuery(signature_header=self._header(), channel_id=channel_id)
        response = await self._call(
            peer, "QueryPendings", "list pending requests", query, QueryPendingSnapshotsResponse
        )
        return list(response.block_numbers)

    async def join(self, peer: Channel, folder: str) -> None:
        """Begin to join a channel from the snapshot in a folder of the peer's machine.

        EndorsementError if it does not begin.
        """
        await self._invocation.query(peer, "", "cscc", b"JoinChainBySnapshot", os.fsencode(folder))

    async def joining_from(self, peer: Channel) -> str | None:
        """Return the folder a peer is joining from just now, None if it is not."""
        response = await self._invocation.query(peer, "", "cscc", b"JoinBySnapshotStatus")
        status = parse(JoinBySnapshotStatus, response.payload, "join by snapshot status")
        return status.bootstrapping_snapshot_dir if status.in_progress else None

    async def join_and_wait(self, peer: Channel, folder: str) -> str:
        """Join a channel from a snapshot and return its id once the peer has joined.

        EndorsementError if it does not begin; SnapshotJoinError if no channel comes of it.
        """
        before = set(await self._channels.list(peer))
        await self.join(peer, folder)
        while True:
            if await self.joining_from(peer) is None:
                break
            await asyncio.sleep(_POLL_SECONDS)
        for channel_id in await self._channels.list(peer):
            if channel_id not in before:
                return channel_id
        raise SnapshotJoinError(folder)

    def _header(self) -> SignatureHeader:
        return SignatureHeader(
            creator=self._signer.serialized, nonce=self._random_bytes(NONCE_LENGTH)
        )

    async def _call(
        self,
        peer: Channel,
        method: str,
        asked: str,
        request: Message,
        response_type: type[_Response],
    ) -> _Response:
        data = request.SerializeToString()
        signed = SignedSnapshotRequest(request=data, signature=self._signer.sign(data))
        try:
            return await peer.unary(
                f"/protos.Snapshot/{method}", signed, response_type, timeout=self._timeout
            )
        except RpcError as error:
            raise SnapshotRequestError(asked, error) from error
