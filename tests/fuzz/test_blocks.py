"""Blocks from anywhere: a damaged or hostile one is refused, or judged; nothing else happens."""

import logging

from gridloom.common import blocks
from gridloom.common.block_acceptance import accept_block
from gridloom.common.block_file import (
    decode_block,
    decode_block_parts,
    encode_block,
    is_cut_off,
    read_uvarint,
)
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.wire import parse
from gridloom.peer.audit.auditor import Auditor
from gridloom.peer.audit.chain import Chain
from gridloom.peer.audit.salvage import read_message, read_record
from gridloom.peer.audit.sources import FoundBlock
from gridloom.protos.common.common_pb2 import Block
from harness.fuzz import fuzz
from harness.golden_channel import CHANNEL, ordered_block, peer_block

NUMBERS = (1, 8, 13, 22, 38, 47)


def seeds() -> list[bytes]:
    return [peer_block(number).SerializeToString() for number in NUMBERS]


def test_a_peer_accepts_or_refuses_any_block():
    bundle = ChannelBundle.from_config_block(ordered_block(0))
    previous = blocks.header_hash(ordered_block(7).header)

    def accept(data: bytes) -> None:
        accept_block(parse(Block, data), 8, previous, bundle)

    fuzz(accept, seeds())


def test_what_is_read_of_a_block_is_readable_or_refused():
    def read(data: bytes) -> None:
        block = parse(Block, data)
        blocks.last_config_index(block)
        blocks.consenter_metadata(block)
        blocks.commit_hash(block)
        blocks.is_config_block(block)
        blocks.channel_id(block)

    fuzz(read, seeds())


def test_an_auditor_reads_whatever_it_is_given():
    def read(data: bytes) -> None:
        message, record = read_message(data), read_record(data)
        assert message.block is not None or message.fault
        assert record.block is not None or record.fault

    fuzz(read, [*seeds(), *(encode_block(peer_block(number)) for number in NUMBERS)])


def test_an_auditor_judges_any_block(caplog):
    caplog.set_level(logging.CRITICAL, logger="gridloom.peer")
    auditor = Auditor(CHANNEL, Chain())
    for number in range(8):
        block = read_message(peer_block(number).SerializeToString())
        auditor.examine(FoundBlock("seed", number, block))
    chain = auditor._chain
    start = (chain.number, chain.hash)

    def judge(data: bytes) -> None:
        chain.number, chain.hash = start
        read = read_message(data)
        number = read.block.header.number if read.block is not None else None
        _, notes = auditor.examine(FoundBlock("fuzz", number, read))
        faults = [difference for difference in notes.differences if difference.what == "fault"]
        if faults:
            raise AssertionError(str(faults[0]))

    fuzz(judge, [peer_block(8).SerializeToString(), peer_block(16).SerializeToString()])


def test_records_of_block_files_are_decoded_or_refused():
    def decode(data: bytes) -> None:
        read_uvarint(data)
        is_cut_off(data, 8)
        decode_block_parts(data)
        assert encode_block(decode_block(data))

    fuzz(decode, [encode_block(peer_block(number)) for number in NUMBERS])
