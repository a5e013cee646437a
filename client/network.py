"""A channel as a client sees it (official SDKs: Network)."""

from __future__ import annotations

from gridloom.protos.common.common_pb2 import Block
from gridloom.protos.peer.events_pb2 import BlockAndPrivateData, FilteredBlock

from .blocks import FILTERED, FULL, WITH_PRIVATE_DATA, BlockEvents
from .chaincode_events import ChaincodeEvents
from .checkpointers import Checkpoint
from .contract import Contract
from .session import Session


class Network:
    """The peers of one channel.

    Events begin with the checkpoint if something has been recorded in it, else with
    ``start_block``, else with the next commit.
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name

    def get_contract(self, chaincode_name: str, contract_name: str = "") -> Contract:
        """Return a chaincode; contract_name picks one of several inside it."""
        return Contract(self._session, self.name, chaincode_name, contract_name)

    def chaincode_events(
        self,
        chaincode_name: str,
        *,
        start_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> ChaincodeEvents:
        """Return the events of a chaincode."""
        return ChaincodeEvents.create(
            self._session, self.name, chaincode_name, start_block=start_block, checkpoint=checkpoint
        )

    def block_events(
        self, *, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> BlockEvents[Block]:
        """Return whole blocks."""
        return BlockEvents.create(
            self._session, self.name, FULL, start_block=start_block, checkpoint=checkpoint
        )

    def filtered_block_events(
        self, *, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> BlockEvents[FilteredBlock]:
        """Return blocks as transaction ids, codes and names of events."""
        return BlockEvents.create(
            self._session, self.name, FILTERED, start_block=start_block, checkpoint=checkpoint
        )

    def block_and_private_data_events(
        self, *, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> BlockEvents[BlockAndPrivateData]:
        """Return whole blocks with the private data this client may see."""
        return BlockEvents.create(
            self._session,
            self.name,
            WITH_PRIVATE_DATA,
            start_block=start_block,
            checkpoint=checkpoint,
        )
