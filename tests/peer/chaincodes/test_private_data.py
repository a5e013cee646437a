"""Private data: membership, the hidden reads of a definition, and what INIT may not do."""

import os
from datetime import UTC, datetime
from functools import cache

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.policies.language import parse
from gridloom.common.proposals import new_proposal
from gridloom.deploy.configtx import channel_genesis_block
from gridloom.deploy.material import create_material
from gridloom.deploy.topology import Topology
from gridloom.peer.chaincodes.errors import ExecutionFailed
from gridloom.peer.chaincodes.invocation import Invocation
from gridloom.peer.ledger.rwset import TxRwSet
from gridloom.protos.peer import chaincode_shim_pb2 as shim
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInput
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from gridloom.protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    StaticCollectionConfig,
)
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from harness.chaincode_peer import HostBench, ask, completed

DEFINITION_KEYS = {
    "namespaces/metadata/cc",
    "namespaces/fields/cc/Sequence",
    "namespaces/fields/cc/EndorsementInfo",
    "namespaces/fields/cc/ValidationInfo",
    "namespaces/fields/cc/Collections",
}


@cache
def network():
    topology = Topology.default()
    material = create_material(topology)
    block = channel_genesis_block(
        topology,
        topology.channels[0],
        material.msp_config,
        lambda: datetime.now(UTC),
        os.urandom,
    )
    return material, ChannelBundle.from_config_block(block)


def collections(**rules):
    members = parse("OR('Org1MSP.member')")
    packages = []
    for name, flags in {"open": {}, **rules}.items():
        config = StaticCollectionConfig(name=name, **flags)
        config.member_orgs_policy.signature_policy.CopyFrom(members)
        packages.append(CollectionConfig(static_collection_config=config))
    return CollectionConfigPackage(config=packages).SerializeToString()


CLOSED = {
    "readers": {"member_only_read": True},
    "writers": {"member_only_write": True},
    "members": {"member_only_read": True, "member_only_write": True},
}


class Bench:
    def __init__(self):
        self.inner = HostBench.create()
        self.inner.peer.add_channel(bundle=network()[1])

    async def run(self, script, *, organization="Org1", signed=True, is_init=False, **fields):
        """Run one transaction that a user of the organisation signed; its read-write set."""

        def transaction(message, exchange):
            script(lambda kind, payload: ask(exchange, message, kind, payload))
            return completed(message)

        fields = {"collections": collections(**CLOSED), "init_required": is_init, **fields}
        self.inner.deploy("cc", transaction, **fields)
        signer = network()[0].user(organization, "User1").signing_identity
        proposal, tx_id = new_proposal(
            "test", "cc", [b"go"], signer.serialized, os.urandom(24), datetime.now(UTC)
        )
        proposal_bytes = proposal.SerializeToString()
        signature = signer.sign(proposal_bytes) if signed else b"forged"
        simulator = self.inner.simulator(tx_id=tx_id)
        try:
            call = Invocation(
                "test",
                "cc",
                ChaincodeInput(args=[b"go"], is_init=is_init),
                SignedProposal(proposal_bytes=proposal_bytes, signature=signature),
                tx_id,
                simulator,
            )
            await self.inner.host.invoke(call)
            results = simulator.results()
        finally:
            simulator.done()
        return {ns.namespace: ns for ns in TxRwSet.parse(results.public).namespaces}


@pytest.fixture
def bench():
    return Bench()


def write_to(collection):
    return ChaincodeMessage.PUT_STATE, shim.PutState(key="k", value=b"v", collection=collection)


def read_from(collection):
    return ChaincodeMessage.GET_STATE, shim.GetState(key="k", collection=collection)


def reason(answer):
    assert answer.type == ChaincodeMessage.ERROR
    return answer.payload.decode().split(": ", 3)[3]


async def test_the_first_private_access_reads_the_whole_definition(bench):
    rwset = await bench.run(lambda request: request(*write_to("open")))
    assert {read.key for read in rwset["_lifecycle"].kv.reads} == DEFINITION_KEYS
    (collection,) = rwset["cc"].collections
    assert collection.name == "open"
    assert len(collection.hashed.hashed_writes) == 1


async def test_public_access_does_not(bench):
    rwset = await bench.run(lambda request: request(*write_to("")))
    reads = [read.key for read in rwset["_lifecycle"].kv.reads]
    assert reads == ["namespaces/fields/cc/Sequence"]


@pytest.mark.parametrize("collection", ["open", "readers", "writers", "members"])
async def test_members_may_read_and_write(bench, collection):
    def script(request):
        assert request(*read_from(collection)).type == ChaincodeMessage.RESPONSE
        assert request(*write_to(collection)).type == ChaincodeMessage.RESPONSE

    await bench.run(script)


@pytest.mark.parametrize(
    ("collection", "reads", "writes"),
    [
        ("open", True, True),
        ("readers", False, True),
        ("writers", True, False),
        ("members", False, False),
    ],
)
@pytest.mark.parametrize(("organization", "signed"), [("Org2", True), ("Org1", False)])
async def test_others_may_what_the_collection_leaves_open(
    bench, collection, reads, writes, organization, signed
):
    where = f"in chaincodeName:cc collectionName: {collection}"

    def script(request):
        for kind, allowed, (message, payload) in (
            ("read", reads, read_from(collection)),
            ("write", writes, write_to(collection)),
        ):
            answer = request(message, payload)
            if allowed:
                assert answer.type == ChaincodeMessage.RESPONSE
            else:
                assert reason(answer) == (
                    f"tx creator does not have {kind} access permission on privatedata {where}"
                )

    await bench.run(script, organization=organization, signed=signed)


async def test_the_hash_is_for_everybody(bench):
    def script(request):
        query = shim.GetState(key="k", collection="members")
        answer = request(ChaincodeMessage.GET_PRIVATE_DATA_HASH, query)
        assert (answer.type, answer.payload) == (ChaincodeMessage.RESPONSE, b"")

    rwset = await bench.run(script, organization="Org2")
    assert len(rwset["cc"].collections[0].hashed.hashed_reads) == 1


@pytest.mark.parametrize(
    "request_",
    [
        read_from("nosuch"),
        write_to("nosuch"),
        (ChaincodeMessage.DEL_STATE, shim.DelState(key="k", collection="nosuch")),
        (ChaincodeMessage.GET_STATE_BY_RANGE, shim.GetStateByRange(collection="nosuch")),
        (ChaincodeMessage.GET_STATE_METADATA, shim.GetStateMetadata(key="k", collection="nosuch")),
        (ChaincodeMessage.GET_QUERY_RESULT, shim.GetQueryResult(query="{}", collection="nosuch")),
    ],
)
async def test_a_collection_nobody_defined_could_not_be_found(bench, request_):
    def script(request):
        found = reason(request(*request_))
        assert found == "collection mychannel/cc/nosuch could not be found"

    await bench.run(script)


async def test_every_chaincode_has_a_collection_for_each_organisation(bench):
    def script(request):
        for org in ("Org1MSP", "Org2MSP"):
            answer = request(*write_to(f"_implicit_org_{org}"))
            assert answer.type == ChaincodeMessage.RESPONSE
        unknown = reason(request(*write_to("_implicit_org_Org9MSP")))
        assert "collection [_implicit_org_Org9MSP] not defined" in unknown

    rwset = await bench.run(script, collections=b"")
    names = [collection.name for collection in rwset["cc"].collections]
    assert names == ["_implicit_org_Org1MSP", "_implicit_org_Org2MSP"]


@pytest.mark.parametrize(
    "request_",
    [
        read_from("open"),
        write_to("open"),
        (ChaincodeMessage.GET_PRIVATE_DATA_HASH, shim.GetState(key="k", collection="open")),
        (ChaincodeMessage.PURGE_PRIVATE_DATA, shim.PurgePrivateState(key="k", collection="open")),
    ],
)
async def test_there_is_no_private_data_in_init(bench, request_):
    def script(request):
        found = reason(request(*request_))
        assert found == "private data APIs are not allowed in chaincode Init()"

    await bench.run(script, is_init=True)


async def test_purging_is_for_private_data_only(bench):
    def script(request):
        purge = ChaincodeMessage.PURGE_PRIVATE_DATA
        answer = request(purge, shim.PurgePrivateState(key="k", collection="open"))
        assert answer.type == ChaincodeMessage.RESPONSE
        answer = request(purge, shim.PurgePrivateState(key="k"))
        assert reason(answer) == "only applicable for private data"

    rwset = await bench.run(script)
    (write,) = rwset["cc"].collections[0].hashed.hashed_writes
    assert write.is_purge


async def test_purging_needs_the_capability(bench):
    config = type(network()[1].config)()
    config.CopyFrom(network()[1].config)
    value = config.channel_group.groups["Application"].values["Capabilities"]
    value.value = value.value.replace(b"V2_5", b"V2_0")
    bench.inner.peer.channels["test"].bundle = ChannelBundle("mychannel", config)

    def script(request):
        purge = shim.PurgePrivateState(key="k", collection="open")
        found = reason(request(ChaincodeMessage.PURGE_PRIVATE_DATA, purge))
        assert found.startswith("purge private data is not enabled")

    await bench.run(script)


async def test_ranges_of_private_data_forbid_writes(bench):
    def script(request):
        query = shim.GetStateByRange(startKey="a", endKey="z", collection="open")
        answer = request(ChaincodeMessage.GET_STATE_BY_RANGE, query)
        assert shim.QueryResponse.FromString(answer.payload).results == []
        assert "Writes are not allowed" in reason(request(*write_to("open")))

    rwset = await bench.run(script)
    assert "cc" not in rwset


async def test_a_script_that_fails_its_own_checks_fails_the_test(bench):
    def script(request):
        raise AssertionError("seen")

    with pytest.raises(ExecutionFailed, match="AssertionError: seen"):
        await bench.run(script)
