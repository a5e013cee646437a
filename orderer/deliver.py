"""Gives blocks to peers, clients and other orderers (Fabric: orderer/common/server/server.go)."""

from __future__ import annotations

from gridloom.common.deliver import DeliverSource
from gridloom.common.policies.policy import SignedData
from gridloom.protos.common import common_pb2
from gridloom.protos.orderer import ab_pb2

from .filters.signature import check_signature


class BlockResponses:
    """The messages of ``AtomicBroadcast.Deliver``."""

    def status(self, status: common_pb2.Status.ValueType) -> ab_pb2.DeliverResponse:
        """What ends an answer."""
        return ab_pb2.DeliverResponse(status=status)

    def block(
        self, block: common_pb2.Block, source: DeliverSource, signed: SignedData
    ) -> ab_pb2.DeliverResponse:
        """What carries a block: the same for every reader."""
        response = ab_pb2.DeliverResponse()
        response.block.CopyFrom(block)  # the constructor would copy it twice
        return response


def authorize_reader(source: DeliverSource, signed: SignedData) -> None:
    """PermissionDenied unless the signer satisfies Readers (in maintenance the orderers')."""
    check_signature(signed, source.bundle, "Readers")
