"""An auditor: somebody else's ledger judged block by block, as a peer would have judged it.

``sources`` finds the blocks in files of any kind, ``auditor`` judges them one after the other
over a ``replay`` of the state, ``verdicts`` is what comes out.  Nothing recorded is trusted
and nothing in a block stops it.  (Fabric has only ``ledgerutil verify``, which checks hashes.)
"""

from .auditor import audit
from .sources import BlockSources, NoBlocks
from .verdicts import AuditReport, BlockVerdict, Difference, TransactionVerdict

__all__ = [
    "AuditReport",
    "BlockSources",
    "BlockVerdict",
    "Difference",
    "NoBlocks",
    "TransactionVerdict",
    "audit",
]
