"""orderer/poca/chain: orderers that win the right to blocks by their credit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from gridloom.common.block_acceptance import accept_block
from gridloom.common.blocks import BlockError, consenter_metadata, header_hash, set_last_config
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.poca import PocaConfig, read_proof, verify_block, write_config
from gridloom.orderer.chain import ChainUnavailable, CuttingMode
from gridloom.orderer.poca.core import Ballot, Candidate, Prepare
from gridloom.orderer.poca.messages import encode
from gridloom.protos.common import common_pb2
from harness.ordering import CHANNEL, message
from harness.poca_orderers import PocaOrderers, config, material


def client_signer():
    return material().user("Org1MSP", "User1").signing_identity


def text(number: int):
    return message(b"message %d" % number, signer=client_signer())


@asynccontextmanager
async def orderers(*credits: str, **options) -> AsyncIterator[PocaOrderers]:
    cluster = PocaOrderers(config(list(credits)), **options)
    await cluster.start()
    try:
        yield cluster
    finally:
        await cluster.stop()


async def send(cluster: PocaOrderers, to: int, *numbers: int) -> None:
    statuses = await cluster.client(to, client_signer()).send(*map(text, numbers))
    assert statuses == [common_pb2.SUCCESS] * len(numbers)


async def test_all_orderers_cut_the_same_blocks_and_each_block_proves_its_right():
    async with orderers("95", "98", "100") as cluster:
        for number in range(12):
            await send(cluster, number % 3, number)
        await cluster.until(lambda: all(len(cluster.envelopes(n)) == 12 for n in range(3)))
        chains = [[header_hash(b.header) for b in cluster.blocks(n)] for n in range(3)]
        assert chains[0] == chains[1] == chains[2]
        bundle = ChannelBundle.from_config_block(cluster.first)
        previous = header_hash(cluster.first.header)
        for block in cluster.blocks(1)[1:]:  # as every peer does
            accept_block(block, block.header.number, previous, bundle)
            previous = header_hash(block.header)


async def test_a_lone_orderer_writes_what_it_has_accepted_before_it_halts():
    async with orderers("90", cutting=CuttingMode.MANUAL) as cluster:
        await send(cluster, 0, 1, 2)
        support = cluster.running[0].registrar.get(CHANNEL)
        assert await support.chain.cut() == 1
        assert await support.chain.cut() is None
        await send(cluster, 0, 3)
        await support.chain.halt()
        assert len(cluster.envelopes(0)) == 3
        with pytest.raises(ChainUnavailable, match="halted"):
            await support.chain.order(text(4), 0)


async def test_a_minority_may_fail_and_catches_up_later():
    async with orderers("95", "98", "100") as cluster:
        await send(cluster, 0, 1)
        await cluster.until(lambda: all(cluster.envelopes(n) for n in range(3)))
        await cluster.stop(2)
        await send(cluster, 0, 2, 3)
        await cluster.until(lambda: all(len(cluster.envelopes(n)) == 3 for n in range(2)))
        await cluster.start(2)
        await cluster.until(lambda: cluster.envelopes(2) == cluster.envelopes(0))


async def test_without_a_majority_nothing_is_ordered_until_it_is_back():
    async with orderers("95", "98", "100") as cluster:
        cluster.cut_off = {1, 2}
        await send(cluster, 0, 1)
        await asyncio.sleep(0.3)
        assert [cluster.height(n) for n in range(3)] == [1, 1, 1]
        cluster.cut_off = set()
        await cluster.until(lambda: all(cluster.envelopes(n) for n in range(3)))


async def test_messages_that_are_lost_cost_time_and_nothing_else():
    chance = Random(7)
    async with orderers("95", "98", "100", lost=lambda: chance.random() < 0.2) as cluster:
        for number in range(6):
            await send(cluster, number % 3, number)
        await cluster.until(lambda: len(set(cluster.envelopes(0))) == 6)
        await cluster.until(lambda: len({cluster.height(n) for n in range(3)}) == 1)
        chains = [[header_hash(b.header) for b in cluster.blocks(n)] for n in range(3)]
        assert chains[0] == chains[1] == chains[2]
        assert len(cluster.envelopes(0)) == 6  # nothing twice


async def test_a_restarted_orderer_keeps_its_blocks_and_its_word():
    async with orderers("95", "98", "100") as cluster:
        await send(cluster, 0, 1, 2)
        await cluster.until(lambda: all(len(cluster.envelopes(n)) == 2 for n in range(3)))
        before = [header_hash(block.header) for block in cluster.blocks(1)]
        await cluster.stop()
        await cluster.start()
        assert [header_hash(block.header) for block in cluster.blocks(1)] == before
        await send(cluster, 2, 3)
        await cluster.until(lambda: all(len(cluster.envelopes(n)) == 3 for n in range(3)))


async def test_credits_and_consenters_change_by_a_config_update():
    async with orderers("95", "98", "100") as cluster:
        await send(cluster, 0, 1)
        await cluster.until(lambda: all(cluster.envelopes(n) for n in range(3)))
        update = cluster.change(config(["10", "100"]))  # the third consenter leaves
        admin = material().user("OrdererMSP", "Admin").signing_identity
        assert await cluster.client(1, admin).send(update) == [common_pb2.SUCCESS]
        await cluster.until(lambda: all(cluster.height(n) == 3 for n in range(2)))
        await send(cluster, 0, 2)
        await cluster.until(lambda: all(cluster.height(n) == 4 for n in range(2)))
        chain = cluster.running[0].registrar.get(CHANNEL)
        verify_block(cluster.blocks(0)[3], chain.orderer_config.metadata)
        broken = cluster.change(config(["10", "100"]))
        broken.payload = broken.payload.replace(b"consenters", b"conserters")
        assert await cluster.client(1, admin).send(broken) != [common_pb2.SUCCESS]


async def test_who_is_no_consenter_any_more_goes_quiet_and_the_others_go_on():
    async with orderers("95", "98", "100") as cluster:
        without_first = PocaConfig(cluster.poca.consenters[1:], cluster.poca.difficulty)
        admin = material().user("OrdererMSP", "Admin").signing_identity
        update = cluster.change(without_first)  # everybody else's number changes
        assert await cluster.client(1, admin).send(update) == [common_pb2.SUCCESS]
        await cluster.until(lambda: all(cluster.height(n) == 2 for n in range(3)))
        leaver = cluster.running[0].registrar.get(CHANNEL).chain
        await cluster.until(lambda: leaver.relation == "other")
        with pytest.raises(ChainUnavailable, match="no consenter of the channel"):
            await leaver.order(text(1), 1)
        await send(cluster, 1, 1)
        await cluster.until(lambda: all(cluster.height(n) == 3 for n in (1, 2)))
        await cluster.stop(0)
        await cluster.start(0)  # it has the channel still, and other channels it may serve
        assert cluster.running[0].registrar.get(CHANNEL).chain.status == "inactive"


async def test_malformed_and_forged_messages_are_ignored():
    async with orderers("95", "98", "100") as cluster:
        block = cluster.blocks(0)[0].SerializeToString()
        forged = encode(Prepare(1, Ballot(99, 1), Candidate(block, b"{}")))
        for data in (b"", b"{}", b'{"kind":"Ask"}', b'{"kind":"Ask","height":-1}', b"\xff", forged):
            cluster.deliver(1, 0, data)
        await send(cluster, 0, 1)
        await cluster.until(lambda: all(cluster.envelopes(n) for n in range(3)))


@pytest.mark.parametrize("cutting", [CuttingMode.BATCH_TIMEOUT, CuttingMode.IDLE])
async def test_a_full_batch_or_the_time_ends_a_block(cutting):
    async with orderers("100", cutting=cutting) as cluster:
        await send(cluster, 0, *range(23))  # the test network's blocks hold ten
        await cluster.until(lambda: len(cluster.envelopes(0)) == 23)
        assert all(len(block.data.data) <= 10 for block in cluster.blocks(0))


async def test_a_block_whose_proof_was_tampered_with_is_refused_by_peers():
    async with orderers("90", "100") as cluster:
        await send(cluster, 0, 1)
        await cluster.until(lambda: bool(cluster.envelopes(0)))
        block = cluster.blocks(0)[1]
        metadata = write_config(cluster.poca)
        verify_block(block, metadata)
        proof = read_proof(consenter_metadata(block))
        other = 1 - proof.consenter
        for changed in (
            b"",
            b'{"consenter":7,"nonce":0,"signature":""}',
            b'{"consenter":%d,"nonce":%d,"signature":"AAAA"}' % (proof.consenter, proof.nonce),
            consenter_metadata(block).replace(
                b'"consenter":%d' % proof.consenter, b'"consenter":%d' % other
            ),
            consenter_metadata(block).replace(b'"nonce":', b'"nonce":1'),
        ):
            set_last_config(block, 0, changed)
            with pytest.raises(BlockError):
                verify_block(block, metadata)
