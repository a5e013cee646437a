"""The whole of what a chaincode can ask of its peer (Fabric: ChaincodeStub of the shims).

The names are those of the official shims, in snake_case.  Where a peer does not serve a
request, PeerError carries its reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridloom.protos.peer import chaincode_event_pb2, chaincode_pb2, proposal_pb2

from .errors import InvalidKey
from .peer_link import PeerLink, Response
from .private_data import PrivateData
from .state import State, as_bytes
from .transaction_info import TransactionInfo
from .writer import Writer


class ChaincodeStub(TransactionInfo, State, PrivateData):
    """One transaction's access to the ledger, to other chaincodes and to itself.

    See TransactionInfo (arguments, client, time), State (public state, queries, history) and
    PrivateData (collections) for the parts.
    """

    def __init__(
        self,
        link: PeerLink,
        input_: chaincode_pb2.ChaincodeInput,
        proposal: proposal_pb2.SignedProposal | None = None,
    ) -> None:
        super().__init__(link, input_, proposal)
        self._writer = Writer(link)
        self.chaincode_event: chaincode_event_pb2.ChaincodeEvent | None = None

    def set_event(self, name: str, payload: bytes | str = b"") -> None:
        """Announce an event to clients once the transaction commits; the last call counts."""
        if not name:
            raise InvalidKey("event name can not be empty string")
        self.chaincode_event = chaincode_event_pb2.ChaincodeEvent(
            event_name=name, payload=as_bytes(payload)
        )

    def invoke_chaincode(
        self, name: str, args: Sequence[bytes | str], channel: str = ""
    ) -> Response:
        """Call another chaincode and return its answer, also when it failed.

        args: the function's name first.  On the same channel (empty, or this one's name) the
        callee's writes join this transaction; on another one it can only read.
        """
        encoded = [as_bytes(arg) for arg in args]
        return self._link.invoke(f"{name}/{channel}" if channel else name, encoded)

    def start_write_batch(self) -> None:
        """Collect writes and send many at once, if the peer takes batches; else nothing."""
        self._writer.start()

    def finish_write_batch(self) -> None:
        """Send the collected writes now; the end of the transaction does it too."""
        self._writer.finish()
