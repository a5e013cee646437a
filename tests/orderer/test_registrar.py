"""Joining, finding and giving up channels."""

import asyncio

import pytest

from gridloom.common.blocks import data_hash, new_block, set_last_config
from gridloom.common.wire import parse
from gridloom.orderer.chain import CuttingMode
from gridloom.orderer.chain_support import UnknownConsensusType
from gridloom.orderer.node import Orderer
from gridloom.orderer.participation_checks import InvalidJoinBlock
from gridloom.orderer.registrar import (
    ChannelExists,
    ChannelInfo,
    ChannelMissing,
    ChannelPendingRemoval,
    OnboardingUnserved,
)
from gridloom.orderer.storage import FileStorage, MemoryStorage
from gridloom.protos.common.common_pb2 import Block, Envelope
from harness.ordering import CHANNEL, genesis, message, orderer_signer
from harness.shared import shared


@pytest.fixture(params=["memory", "files"])
def storage(request, tmp_path):
    return MemoryStorage() if request.param == "memory" else FileStorage(tmp_path, sync=False)


def orderer_on(storage) -> Orderer:
    return Orderer(orderer_signer(), "OrdererMSP", storage, cutting=CuttingMode.IDLE)


async def test_joining_tells_name_height_relation_and_status(storage) -> None:
    orderer = orderer_on(storage)
    info = orderer.join(genesis())
    assert info == ChannelInfo(CHANNEL, 1, "other", "active")
    assert orderer.channels() == (info,)
    assert storage.channels() == [CHANNEL]
    await orderer.stop()


async def test_a_channel_joined_while_running_works_at_once(storage) -> None:
    orderer = orderer_on(storage)
    await orderer.start()
    orderer.join(genesis())
    support = orderer.registrar.get(CHANNEL)
    await support.chain.order(message(), 0)
    await asyncio.wait_for(support.wait_for(2), 60)
    assert orderer.registrar.info(CHANNEL).height == 2
    await orderer.stop()


async def test_a_channel_is_joined_once(storage) -> None:
    orderer = orderer_on(storage)
    orderer.join(genesis())
    with pytest.raises(ChannelExists) as caught:
        orderer.join(genesis())
    assert caught.value.channel_id == CHANNEL
    await orderer.stop()


def changed(block: Block, **header: object) -> Block:
    copy = Block()
    copy.CopyFrom(block)
    for name, value in header.items():
        setattr(copy.header, name, value)
    return copy


def without_metadata() -> Block:
    block = changed(genesis())
    block.ClearField("metadata")
    return block


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (Block(), "block is not a config block"),
        (new_block(0, b"", [message().SerializeToString()]), "block is not a config block"),
        (new_block(0, b"", [b"\xff"]), "block is not a config block"),
        (without_metadata(), "does not have metadata"),
        (changed(genesis(), data_hash=data_hash([b"x"])), "DataHash is different"),
        (changed(genesis(), previous_hash=b"h"), "can only begin with its genesis block"),
    ],
)
async def test_a_block_that_will_not_do_leaves_nothing_behind(storage, block, reason) -> None:
    orderer = orderer_on(storage)
    with pytest.raises(InvalidJoinBlock, match=reason):
        orderer.join(block)
    assert orderer.channels() == ()
    assert storage.channels() == []
    await orderer.stop()


async def test_a_broken_configuration_is_reported_as_such(storage) -> None:
    block = genesis()
    envelope = parse(Envelope, block.data.data[0], "envelope")
    envelope.payload = envelope.payload[:-3] + b"\xff\xff\xff"
    broken = new_block(0, b"", [envelope.SerializeToString()])
    set_last_config(broken, 0)
    orderer = orderer_on(storage)
    with pytest.raises(InvalidJoinBlock):
        orderer.join(broken)
    assert storage.channels() == []
    await orderer.stop()


async def test_a_consensus_type_nobody_serves_is_an_error(storage) -> None:
    raft = parse(Block, shared("golden", "config", "genesis.block").read_bytes(), "block")
    orderer = orderer_on(storage)
    with pytest.raises(UnknownConsensusType) as caught:
        orderer.join(raft)
    assert (caught.value.channel_id, caught.value.consensus_type) == ("golden1", "etcdraft")
    assert storage.channels() == []
    await orderer.stop()


async def test_a_removed_channel_is_gone_and_can_be_joined_again(storage) -> None:
    orderer = orderer_on(storage)
    await orderer.start()
    orderer.join(genesis())
    await orderer.registrar.remove(CHANNEL)
    assert storage.channels() == []
    with pytest.raises(ChannelMissing):
        await orderer.registrar.remove(CHANNEL)
    assert orderer.join(genesis()).height == 1
    await orderer.stop()


async def test_a_channel_given_up_stays_so_until_it_is_joined_again(storage) -> None:
    orderer = orderer_on(storage)
    await orderer.start()
    orderer.join(genesis())
    assert not orderer.registrar.given_up(CHANNEL)
    await orderer.registrar.remove(CHANNEL)
    assert orderer.registrar.given_up(CHANNEL)
    await orderer.stop()
    again = orderer_on(storage)
    assert again.channels() == ()
    assert again.registrar.given_up(CHANNEL)
    again.join(genesis())
    assert not again.registrar.given_up(CHANNEL)
    await again.stop()


async def test_a_channel_being_removed_is_in_nobodys_hands(storage) -> None:
    orderer = orderer_on(storage)
    await orderer.start()
    orderer.join(genesis())
    removing = asyncio.create_task(orderer.registrar.remove(CHANNEL))
    await asyncio.sleep(0)
    assert orderer.registrar.info(CHANNEL) == ChannelInfo(CHANNEL, 0, "other", "active")
    assert [info.name for info in orderer.channels()] == [CHANNEL]
    assert orderer.registrar.find(CHANNEL) is None
    with pytest.raises(ChannelPendingRemoval) as caught:
        orderer.join(genesis())
    assert not caught.value.failed
    with pytest.raises(ChannelPendingRemoval):
        await orderer.registrar.remove(CHANNEL)
    await removing
    assert orderer.join(genesis()).height == 1
    await orderer.stop()


async def test_a_removal_that_failed_can_be_tried_again(storage, monkeypatch) -> None:
    def refuse(channel_id: str) -> None:
        raise PermissionError(channel_id)

    orderer = orderer_on(storage)
    await orderer.start()
    orderer.join(genesis())
    with monkeypatch.context() as patched:
        patched.setattr(storage, "give_up", refuse)
        with pytest.raises(PermissionError):
            await orderer.registrar.remove(CHANNEL)
    assert orderer.registrar.info(CHANNEL).status == "failed"
    with pytest.raises(ChannelPendingRemoval) as caught:
        orderer.join(genesis())
    assert caught.value.failed
    await orderer.registrar.remove(CHANNEL)
    assert orderer.channels() == ()
    await orderer.stop()


async def test_a_removal_that_a_crash_cut_short_is_finished(tmp_path) -> None:
    storage = FileStorage(tmp_path, sync=False)
    orderer = orderer_on(storage)
    orderer.join(genesis())
    await orderer.stop()
    (tmp_path / "removed").mkdir()
    (tmp_path / "removed" / CHANNEL).touch()
    again = orderer_on(FileStorage(tmp_path, sync=False))
    assert again.channels() == ()
    assert not (tmp_path / "chains" / CHANNEL).exists()
    await again.stop()


async def test_a_later_block_is_for_orderers_that_follow_others(storage) -> None:
    orderer = orderer_on(storage)
    with pytest.raises(OnboardingUnserved) as caught:
        orderer.join(changed(genesis(), number=3))
    assert (caught.value.channel_id, caught.value.number) == (CHANNEL, 3)
    assert storage.channels() == []
    await orderer.stop()


async def test_a_join_that_a_crash_cut_short_is_forgotten(tmp_path) -> None:
    storage = FileStorage(tmp_path)
    storage.open(CHANNEL).close()
    orderer = orderer_on(storage)
    assert orderer.channels() == ()
    assert storage.channels() == []
    assert orderer.join(genesis()).height == 1
    await orderer.stop()
