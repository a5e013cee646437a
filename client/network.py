"""A channel as a client sees it (official SDKs: Network)."""

from __future__ import annotations

from .blocks import BlockEvents, Delivery
from .chaincode_events import ChaincodeEvents
from .checkpointers import Checkpoint
from .contract import Contract
from .session import Session


class Network:
    """The peers of one channel."""

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
        """Return the events of a chaincode, from ``start_block`` or the next commit on.

        checkpoint: wins over start_block once something has been recorded in it.
        """
        return ChaincodeEvents(
            self._session, self.name, chaincode_name, start_block=start_block, checkpoint=checkpoint
        )

    def block_events(
        self, *, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> BlockEvents:
        """Return whole blocks; iterating yields ``common.Block``."""
        return self._blocks(Delivery.FULL, start_block, checkpoint)

    def filtered_block_events(
        self, *, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> BlockEvents:
        """Return blocks as transaction ids and codes; iterating yields ``FilteredBlock``."""
        return self._blocks(Delivery.FILTERED, start_block, checkpoint)

    def block_and_private_data_events(
        self, *, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> BlockEvents:
        """Return blocks with the private data this client may see (``BlockAndPrivateData``)."""
        return self._blocks(Delivery.WITH_PRIVATE_DATA, start_block, checkpoint)

    def _blocks(
        self, delivery: Delivery, start_block: int | None, checkpoint: Checkpoint | None
    ) -> BlockEvents:
        return BlockEvents(
            self._session, self.name, delivery, start_block=start_block, checkpoint=checkpoint
        )
