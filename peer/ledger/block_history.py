"""The history rows of a block: each public write of each valid endorsed transaction.

(Fabric: core/ledger/kvledger/history/db.go.)
"""

from __future__ import annotations

from collections.abc import Sequence

from gridloom.protos.peer import transaction_pb2

from ..validation.block_transaction import BlockTransaction
from .store import HistoryRow


def history_rows(
    block: int, transactions: Sequence[BlockTransaction], codes: Sequence[int]
) -> list[HistoryRow]:
    """Rows in block order; when a set names a key twice its first write counts, as in Fabric."""
    rows: dict[tuple[str, bytes, int], HistoryRow] = {}
    for transaction, code in zip(transactions, codes, strict=True):
        if code != transaction_pb2.VALID or transaction.rwset is None:
            continue
        time = transaction.timestamp
        seconds, nanos = (time.seconds, time.nanos) if time else (0, 0)
        for ns in transaction.rwset.namespaces:
            for write in ns.writes:
                row = HistoryRow(
                    ns.namespace,
                    write.key,
                    block,
                    transaction.index,
                    transaction.tx_id,
                    seconds,
                    nanos,
                    write.is_delete,
                    write.value,
                )
                rows.setdefault((ns.namespace, write.key, transaction.index), row)
    return list(rows.values())
