"""The peer's deliver services: whole blocks, filtered ones, or with private data.

(Fabric: core/peer/deliverevents.go; the handler is shared with the orderer, common/deliver)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import timedelta

from gridloom.common.deliver import DeliverHandler, DeliverRefused, DeliverSource
from gridloom.common.envelopes import Clock
from gridloom.common.errors import GridloomError
from gridloom.common.policies.policy import SignedData
from gridloom.common.rpc import Call
from gridloom.protos.common import common_pb2
from gridloom.protos.ledger.rwset import rwset_pb2
from gridloom.protos.peer import events_pb2

from .acl import EVENT_BLOCK, EVENT_FILTERED_BLOCK, AccessControl
from .channel import PeerChannel
from .collection_access import may_read_collection
from .filtered_block import filtered_block


class BlockResponses:
    """Answers that carry the block as it is in the ledger."""

    def status(self, status: common_pb2.Status.ValueType) -> events_pb2.DeliverResponse:
        return events_pb2.DeliverResponse(status=status)

    def block(
        self, block: common_pb2.Block, source: DeliverSource, signed: SignedData
    ) -> events_pb2.DeliverResponse:
        return events_pb2.DeliverResponse(block=block)


class FilteredBlockResponses(BlockResponses):
    """Answers that carry the short form; a block without one ends the stream."""

    def block(
        self, block: common_pb2.Block, source: DeliverSource, signed: SignedData
    ) -> events_pb2.DeliverResponse:
        try:
            return events_pb2.DeliverResponse(filtered_block=filtered_block(block))
        except GridloomError as error:
            raise DeliverRefused(common_pb2.BAD_REQUEST, str(error)) from error


class PrivateDataResponses(BlockResponses):
    """Answers that add the cleartext this peer has and the caller may read."""

    def block(
        self, block: common_pb2.Block, source: DeliverSource, signed: SignedData
    ) -> events_pb2.DeliverResponse:
        assert isinstance(source, PeerChannel)
        number = block.header.number
        readable = {
            index: _readable(private, source, number, signed)
            for index, private in source.ledger.private_data(number).items()
        }
        found = {index: private for index, private in readable.items() if private.ns_pvt_rwset}
        return events_pb2.DeliverResponse(
            block_and_private_data=events_pb2.BlockAndPrivateData(
                block=block, private_data_map=found
            )
        )


class DeliverService:
    """Implements protos.Deliver for the channels of one peer."""

    def __init__(
        self,
        channels: Callable[[str], PeerChannel | None],
        access: AccessControl,
        now: Clock,
        time_window: timedelta,
    ) -> None:
        self._handler = DeliverHandler(channels, now, time_window=time_window)
        self._access = access

    def deliver(
        self, requests: AsyncIterator[common_pb2.Envelope], call: Call
    ) -> AsyncGenerator[events_pb2.DeliverResponse, None]:
        """Whole blocks, to whom the resource event/Block is open."""
        return self._handle(requests, call, BlockResponses(), EVENT_BLOCK)

    def deliver_filtered(
        self, requests: AsyncIterator[common_pb2.Envelope], call: Call
    ) -> AsyncGenerator[events_pb2.DeliverResponse, None]:
        """Filtered blocks, to whom the resource event/FilteredBlock is open."""
        return self._handle(requests, call, FilteredBlockResponses(), EVENT_FILTERED_BLOCK)

    def deliver_with_private_data(
        self, requests: AsyncIterator[common_pb2.Envelope], call: Call
    ) -> AsyncGenerator[events_pb2.DeliverResponse, None]:
        """Whole blocks and private data, to whom the resource event/Block is open."""
        return self._handle(requests, call, PrivateDataResponses(), EVENT_BLOCK)

    def _handle(
        self,
        requests: AsyncIterator[common_pb2.Envelope],
        call: Call,
        responses: BlockResponses,
        resource: str,
    ) -> AsyncGenerator[events_pb2.DeliverResponse, None]:
        def authorize(source: DeliverSource, signed: SignedData) -> None:
            assert isinstance(source, PeerChannel)
            self._access.check(resource, source.channel_id, signed)

        return self._handler.handle(requests, call, responses, authorize)


def _readable(
    private: rwset_pb2.TxPvtReadWriteSet, channel: PeerChannel, number: int, signed: SignedData
) -> rwset_pb2.TxPvtReadWriteSet:
    readable = rwset_pb2.TxPvtReadWriteSet(data_model=private.data_model)
    for namespace in private.ns_pvt_rwset:
        allowed = [
            collection
            for collection in namespace.collection_pvt_rwset
            if may_read_collection(
                channel, number, namespace.namespace, collection.collection_name, signed
            )
        ]
        if allowed:
            readable.ns_pvt_rwset.add(namespace=namespace.namespace, collection_pvt_rwset=allowed)
    return readable
