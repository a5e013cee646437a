"""One entry of a block's data, parsed once and carried through validation and commit.

(Fabric parses the same envelope anew in the validator, the dispatcher, the plugin and the
ledger; here every later step reads this object.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from gridloom.protos.common import configtx_pb2
from gridloom.protos.peer import chaincode_event_pb2, proposal_response_pb2, transaction_pb2

if TYPE_CHECKING:
    from ..ledger.rwset import TxRwSet


@dataclass(slots=True)
class BlockTransaction:
    """A transaction on its way into the ledger.

    index: position in the block; envelope: the entry's bytes as received.
    code: TxValidationCode; NOT_VALIDATED until stage A decides, stage B may still change VALID.
    reason: why stage A refused it, in words.
    tx_id: the channel header's id, "" if absent (config transactions) or unreadable.
    indexed_id: what the transaction index knows it by: tx_id, or else the id computed from
        nonce and creator; "" if the headers are unreadable.  Invalid transactions have it too.
    header_type: HeaderType number; creator, channel_id, timestamp: as in the headers.
    chaincode_name, chaincode_version: the invoked chaincode, from its ChaincodeAction.
    proposal_response_payload: the bytes that endorsers signed; endorsements: in given order.
    results: serialized TxReadWriteSet; rwset: the same parsed; None where there is none.
    event: the chaincode event, None without one.
    config, config_bytes: for a CONFIG transaction; the bytes become the ledger's
        CHANNEL_CONFIG_ENV_BYTES in namespace "".
    Fields that lie behind the first malformed part keep their defaults.
    """

    index: int
    envelope: bytes
    code: int = transaction_pb2.NOT_VALIDATED
    reason: str = ""
    tx_id: str = ""
    indexed_id: str = ""
    header_type: int = 0
    channel_id: str = ""
    timestamp: Timestamp | None = None
    creator: bytes = b""
    chaincode_name: str = ""
    chaincode_version: str = ""
    proposal_response_payload: bytes = b""
    endorsements: tuple[proposal_response_pb2.Endorsement, ...] = ()
    results: bytes = b""
    rwset: TxRwSet | None = None
    event: chaincode_event_pb2.ChaincodeEvent | None = None
    config: configtx_pb2.ConfigEnvelope | None = None
    config_bytes: bytes = b""

    @property
    def valid(self) -> bool:
        """Whether the transaction's writes are to be applied."""
        return self.code == transaction_pb2.VALID
