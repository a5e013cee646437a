"""Events through the SDK (fabric-gateway: chaincodeevents, blockevents and offlinesign.feature)."""

import asyncio

import pytest

from gridloom.client import FileCheckpointer, Gateway, GatewayError, Identity, InMemoryCheckpointer
from gridloom.common.blocks import envelope_at
from gridloom.common.rpc import Code
from gridloom.deploy.network import Network
from gridloom.protos.common.common_pb2 import Block
from gridloom.protos.peer.events_pb2 import BlockAndPrivateData, FilteredBlock
from harness.client_networks import cut
from harness.network import settled_height

KINDS = ["block_events", "filtered_block_events", "block_and_private_data_events"]
SHORT = 0.05


def channel(network, organization="Org1", user="User1"):
    return network.access.gateway(organization, user).get_network("mychannel")


async def emit(network, name, payload):
    contract = channel(network).get_contract("probe")
    submitted = await contract.submit_async("emit", [name, payload])
    return await submitted.get_status()


async def next_event(events):
    return await asyncio.wait_for(anext(events), 60)


async def silence(events):
    """Nothing comes for a moment, and the stream survives the wait."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(events), SHORT)


class TestChaincodeEvents:
    async def test_an_event_tells_where_it_comes_from(self, network):
        async with channel(network).chaincode_events("probe") as events:
            status = await emit(network, "dawn", "06:12")
            event = await next_event(events)
        assert (event.event_name, event.payload, event.chaincode_name) == (
            "dawn",
            b"06:12",
            "probe",
        )
        assert (event.transaction_id, event.block_number) == (
            status.transaction_id,
            status.block_number,
        )

    async def test_former_events_are_replayed_from_a_block_on(self, network):
        first = await emit(network, "one", "1")
        await emit(network, "two", "2")
        for start, names in ((0, ["one", "two"]), (first.block_number + 1, ["two"])):
            async with channel(network).chaincode_events("probe", start_block=start) as events:
                assert [(await next_event(events)).event_name for _ in names] == names
                await silence(events)

    async def test_only_events_of_the_chaincode_come(self, network):
        async with channel(network).chaincode_events("other", start_block=0) as events:
            await emit(network, "one", "1")
            await silence(events)

    async def test_waiting_in_vain_does_not_end_a_stream(self, network):
        async with channel(network).chaincode_events("probe") as events:
            await silence(events)
            await silence(events)
            await emit(network, "late", "1")
            assert (await next_event(events)).event_name == "late"

    async def test_one_listener_that_closes_leaves_the_others(self, network):
        request = channel(network)
        async with request.chaincode_events("probe") as lasting:
            async with request.chaincode_events("probe") as brief:
                await emit(network, "before", "1")
                assert (await next_event(brief)).event_name == "before"
            with pytest.raises(StopAsyncIteration):
                await anext(brief)
            await emit(network, "after", "2")
            assert [(await next_event(lasting)).event_name for _ in range(2)] == ["before", "after"]

    async def test_a_request_can_be_iterated_without_entering_it(self, network):
        await emit(network, "one", "1")
        await emit(network, "two", "2")
        names = []
        async for event in channel(network).chaincode_events("probe", start_block=0):
            names.append(event.event_name)
            if len(names) == 2:
                break
        assert names == ["one", "two"]

    async def test_a_cancelled_listener_leaves_nothing_behind(self, network):
        async def listen():
            async for _ in channel(network).chaincode_events("probe"):
                pass

        many = 30  # far more than the tasks of the network that may come or go meanwhile
        before = len(asyncio.all_tasks())
        listening = [asyncio.create_task(listen()) for _ in range(many)]
        await asyncio.sleep(0.01)
        assert len(asyncio.all_tasks()) >= before + many
        for task in listening:
            task.cancel()
        ends = await asyncio.gather(*listening, return_exceptions=True)
        assert {type(end) for end in ends} == {asyncio.CancelledError}
        async with asyncio.timeout(60):
            while len(asyncio.all_tasks()) >= before + many:  # noqa: ASYNC110 - others' tasks
                await asyncio.sleep(0.01)

    async def test_several_events_of_a_block_come_in_its_order(self, patient_network):
        async with channel(patient_network).chaincode_events("probe") as events:
            contract = channel(patient_network).get_contract("probe")
            submitted = [
                await contract.submit_async("emit", [f"event{n}", str(n)]) for n in range(3)
            ]
            await cut(patient_network)
            received = [await next_event(events) for _ in range(3)]
        assert [event.transaction_id for event in received] == [
            each.transaction_id for each in submitted
        ]
        assert len({event.block_number for event in received}) == 1


class TestCheckpoints:
    async def listen(self, network, checkpoint, count):
        """Handle some events, recording each; return their names."""
        names = []
        request = channel(network).chaincode_events("probe", start_block=0, checkpoint=checkpoint)
        async with request as events:
            for _ in range(count):
                event = await next_event(events)
                names.append(event.event_name)
                checkpoint.checkpoint_chaincode_event(event)
            return names

    @pytest.mark.parametrize("kind", ["memory", "file"])
    async def test_listening_goes_on_behind_the_last_event(self, network, tmp_path, kind):
        path = tmp_path / "checkpoint.json"
        checkpointer = InMemoryCheckpointer() if kind == "memory" else FileCheckpointer(path)
        for name in ("one", "two", "three"):
            await emit(network, name, "payload")
        assert await self.listen(network, checkpointer, 1) == ["one"]
        resumed = checkpointer if kind == "memory" else FileCheckpointer(path)
        assert await self.listen(network, resumed, 2) == ["two", "three"]

    async def test_within_a_block_too(self, patient_network):
        contract = channel(patient_network).get_contract("probe")
        submitted = [await contract.submit_async("emit", [f"event{n}", "x"]) for n in range(3)]
        await cut(patient_network)
        assert len({(await each.get_status()).block_number for each in submitted}) == 1
        checkpointer = InMemoryCheckpointer()
        assert await self.listen(patient_network, checkpointer, 2) == ["event0", "event1"]
        assert await self.listen(patient_network, checkpointer, 1) == ["event2"]

    async def test_a_block_that_was_handled_is_not_repeated(self, network):
        first = await emit(network, "one", "1")
        await emit(network, "two", "2")
        checkpointer = InMemoryCheckpointer()
        checkpointer.checkpoint_block(first.block_number)
        assert await self.listen(network, checkpointer, 1) == ["two"]

    async def test_the_checkpoint_wins_over_the_block_once_it_holds_something(self, network):
        await emit(network, "one", "1")
        network_ = channel(network)
        checkpointer = InMemoryCheckpointer()
        height = await settled_height(network.access)
        request = network_.chaincode_events("probe", start_block=0, checkpoint=checkpointer)
        async with request as events:
            assert (await next_event(events)).event_name == "one"
        checkpointer.checkpoint_block(height)
        request = network_.chaincode_events("probe", start_block=0, checkpoint=checkpointer)
        async with request as events:
            await silence(events)


class TestBlocks:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_blocks_come_as_they_are_committed(self, network, kind):
        async with getattr(channel(network), kind)() as blocks:
            status = await emit(network, "dawn", "06:12")
            block = await next_event(blocks)
            assert number_of(block) == status.block_number
            await emit(network, "dusk", "20:40")
            assert number_of(await next_event(blocks)) == status.block_number + 1

    @pytest.mark.parametrize("kind", KINDS)
    async def test_former_blocks_are_replayed(self, network, kind):
        height = await settled_height(network.access)
        async with getattr(channel(network), kind)(start_block=0) as blocks:
            numbers = [number_of(await next_event(blocks)) for _ in range(height)]
            await silence(blocks)
        assert numbers == list(range(height))

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_checkpoint_is_where_they_begin(self, network, kind):
        checkpointer = InMemoryCheckpointer()
        checkpointer.checkpoint_block(1)
        async with getattr(channel(network), kind)(
            start_block=0, checkpoint=checkpointer
        ) as blocks:
            assert number_of(await next_event(blocks)) == 2

    async def test_a_filtered_block_names_transactions_and_events_without_payload(self, network):
        async with channel(network).filtered_block_events() as blocks:
            status = await emit(network, "dawn", "06:12")
            block = await next_event(blocks)
        (transaction,) = block.filtered_transactions
        assert (transaction.txid, transaction.tx_validation_code) == (status.transaction_id, 0)
        (action,) = transaction.transaction_actions.chaincode_actions
        assert (action.chaincode_event.event_name, action.chaincode_event.payload) == ("dawn", b"")

    async def test_private_data_comes_to_those_who_may_see_it(self, council):
        hidden = (
            await channel(council)
            .get_contract("council")
            .submit_async("hide", ["one", "key"], transient={"value": "treasure"})
        )
        number = (await hidden.get_status()).block_number
        await settled_height(council.access)
        seen = {}
        for organization in ("Org1", "Org2"):
            request = channel(council, organization).block_and_private_data_events(
                start_block=number
            )
            async with request as blocks:
                seen[organization] = await next_event(blocks)
        (private,) = seen["Org1"].private_data_map.values()
        (namespace,) = private.ns_pvt_rwset
        (collection,) = namespace.collection_pvt_rwset
        assert collection.collection_name == "one"
        assert b"treasure" in collection.rwset
        assert not seen["Org2"].private_data_map
        assert seen["Org2"].block.header.number == number
        assert b"treasure" not in seen["Org1"].block.SerializeToString()


class TestRefusals:
    async def test_a_stranger_hears_nothing(self, network):
        async with Network.in_memory(development=False) as other:
            stranger = other.access.signer("Org1", "User1")
        refused = Gateway(network.channel_to("peer0.org1.example.com"), stranger).get_network(
            "mychannel"
        )
        requests = [
            refused.chaincode_events("probe"),
            *(getattr(refused, kind)() for kind in KINDS),
        ]
        for request in requests:
            async with request as events:
                with pytest.raises(GatewayError) as caught:
                    await next_event(events)
            assert caught.value.code is Code.PERMISSION_DENIED

    async def test_an_unknown_channel_has_no_events(self, network):
        nosuch = network.access.gateway("Org1").get_network("nosuch")
        for request, code in (
            (nosuch.chaincode_events("probe"), Code.PERMISSION_DENIED),
            (nosuch.block_events(), Code.NOT_FOUND),
        ):
            async with request as events:
                with pytest.raises(GatewayError) as caught:
                    await next_event(events)
            assert caught.value.code is code

    async def test_a_block_beyond_the_next_is_not_found(self, network):
        async with channel(network).block_events(start_block=1000) as blocks:
            with pytest.raises(GatewayError) as caught:
                await next_event(blocks)
        assert (caught.value.code, caught.value.message) == (
            Code.NOT_FOUND,
            "the peer ended delivery with status NOT_FOUND",
        )


class TestOffline:
    @pytest.fixture
    def offline(self, network):
        signer = network.access.signer("Org1", "User1")
        identity = Identity(signer.msp_id, signer.certificate_pem)
        return Gateway(network.channel_to("peer0.org1.example.com"), identity), signer

    async def test_chaincode_events_are_signed_elsewhere(self, network, offline):
        gateway, signer = offline
        await emit(network, "dawn", "06:12")
        unsigned = gateway.get_network("mychannel").chaincode_events("probe", start_block=0)
        signature = signer.sign(unsigned._signed)
        assert len(unsigned.digest) == 32
        request = gateway.new_signed_chaincode_events(unsigned.serialized, signature)
        async with request as events:
            assert (await next_event(events)).event_name == "dawn"

    @pytest.mark.parametrize("kind", KINDS)
    async def test_block_events_are_signed_elsewhere(self, offline, kind):
        gateway, signer = offline
        unsigned = getattr(gateway.get_network("mychannel"), kind)(start_block=1)
        signed = getattr(gateway, f"new_signed_{kind}")
        request = signed(unsigned.serialized, signer.sign(unsigned._signed))
        async with request as blocks:
            assert number_of(await next_event(blocks)) == 1


def number_of(block):
    match block:
        case Block():
            assert envelope_at(block, 0).payload
            return block.header.number
        case FilteredBlock():
            return block.number
        case BlockAndPrivateData():
            return block.block.header.number
    raise AssertionError(f"no block: {block!r}")
