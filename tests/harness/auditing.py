"""Audits over blocks that a test holds in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gridloom.peer.audit.auditor import Auditor
from gridloom.peer.audit.chain import Chain
from gridloom.peer.audit.salvage import read_message
from gridloom.peer.audit.sources import FoundBlock
from gridloom.peer.audit.verdicts import AuditReport, code_name
from gridloom.protos.common.common_pb2 import Block

from .golden_channel import BLOCKS, CHANNEL, peer_block


def audited(
    blocks: Iterable[Block | bytes | tuple[int, bytes]], channel_id: str = CHANNEL
) -> AuditReport:
    """Audit blocks in the given order: messages, their bytes, or (number by name, bytes)."""
    auditor = Auditor(channel_id, Chain())
    report = AuditReport(channel_id)
    for item in blocks:
        guessed, given = item if isinstance(item, tuple) else (None, item)
        read = read_message(given if isinstance(given, bytes) else given.SerializeToString())
        number = read.block.header.number if read.block is not None else guessed
        report.add(*auditor.examine(FoundBlock("test", number, read)))
    return report


def golden_blocks(count: int = BLOCKS) -> list[Block]:
    """Copies of the first blocks as a real peer stored them, to be changed at will."""
    copies = []
    for number in range(count):
        block = Block()
        block.CopyFrom(peer_block(number))
        copies.append(block)
    return copies


def codes(report: AuditReport) -> list[list[str | None]]:
    """The names of the computed codes, by block."""
    return [[code_name(item.code) for item in block.transactions] for block in report.blocks]


def said(report: AuditReport) -> list[str]:
    """The differences as texts, which are to be no faults of the program."""
    assert not [difference for difference in report.differences if difference.what == "fault"]
    return [str(difference) for difference in report.differences]


def places(report: AuditReport) -> Sequence[tuple[int | None, int | None, str]]:
    """Where the differences are: block, transaction, what."""
    said(report)
    return [(item.block, item.transaction, item.what) for item in report.differences]
