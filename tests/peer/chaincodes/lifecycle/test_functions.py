"""The rules of approving and committing, step by step on a channel."""

import pytest

from gridloom.peer.chaincodes.lifecycle.collections import implicit_collection
from gridloom.protos.peer.lifecycle import lifecycle_pb2 as pb
from harness.chaincode_peer import HostBench, invocation
from harness.ledger import commit, endorsed, keep


class Organization:
    """Org1MSP's administrator: endorses a step and commits what it wrote."""

    def __init__(self):
        self.bench = HostBench.create()
        self.ledger = self.bench.peer.channels["test"].ledger
        self.steps = 0

    async def call(self, function, request, *, channel_id="test"):
        self.steps += 1
        tx_id = f"step {self.steps}"
        simulator = self.bench.simulator(tx_id=tx_id) if channel_id else None
        call = invocation(
            "_lifecycle",
            function.encode(),
            request.SerializeToString(),
            channel_id=channel_id,
            simulator=simulator,
            tx_id=tx_id,
        )
        response, _ = await self.bench.host.invoke(call)
        if simulator is not None:
            results = simulator.results()
            simulator.done()
            if response.status == 200:
                if results.private is not None:
                    keep(self.ledger, tx_id, results.private)
                commit(self.ledger, [endorsed(results.public, tx_id)])
        return response

    async def approve(self, **fields):
        package_id = fields.pop("package_id", "")
        request = pb.ApproveChaincodeDefinitionForMyOrgArgs(
            **{"name": "cc", "version": "1.0", "sequence": 1, **fields}
        )
        if package_id:
            request.source.local_package.package_id = package_id
        return await self.call("ApproveChaincodeDefinitionForMyOrg", request)

    async def commit(self, **fields):
        request = pb.CommitChaincodeDefinitionArgs(
            **{"name": "cc", "version": "1.0", "sequence": 1, **fields}
        )
        return await self.call("CommitChaincodeDefinition", request)

    async def approved(self, sequence=0):
        request = pb.QueryApprovedChaincodeDefinitionArgs(name="cc", sequence=sequence)
        response = await self.call("QueryApprovedChaincodeDefinition", request)
        return response, pb.QueryApprovedChaincodeDefinitionResult.FromString(response.payload)


@pytest.fixture
def org():
    return Organization()


def refusal(function, reason):
    return f"failed to invoke backing implementation of '{function}': {reason}"


APPROVE, COMMIT = "ApproveChaincodeDefinitionForMyOrg", "CommitChaincodeDefinition"


async def test_approve_then_commit_defines_the_chaincode(org):
    assert (await org.approve()).status == 200
    assert (await org.commit()).status == 200
    response = await org.call(
        "QueryChaincodeDefinition", pb.QueryChaincodeDefinitionArgs(name="cc")
    )
    result = pb.QueryChaincodeDefinitionResult.FromString(response.payload)
    assert (result.sequence, result.version) == (1, "1.0")
    assert (result.endorsement_plugin, result.validation_plugin) == ("escc", "vscc")
    assert result.validation_parameter == b"\x12 /Channel/Application/Endorsement"
    assert dict(result.approvals) == {"Org1MSP": True, "Org2MSP": False}


@pytest.mark.parametrize(
    ("sequence", "reason"),
    [
        (0, "requested sequence is 0, but first definable sequence number is 1"),
        (2, "requested sequence 2 is larger than the next available sequence number 1"),
        (-1, "currently defined sequence 0 is larger than requested sequence -1"),
    ],
)
async def test_sequences_out_of_turn_are_refused(org, sequence, reason):
    response = await org.approve(sequence=sequence)
    assert (response.status, response.message) == (500, refusal(APPROVE, reason))


async def test_an_older_sequence_than_the_committed_one_is_refused(org):
    for sequence in (1, 2):
        await org.approve(sequence=sequence)
        assert (await org.commit(sequence=sequence)).status == 200
    response = await org.approve(sequence=1)
    reason = "currently defined sequence 2 is larger than requested sequence 1"
    assert response.message == refusal(APPROVE, reason)


async def test_approving_the_same_again_is_refused_until_something_changes(org):
    await org.approve(package_id="p:1")
    response = await org.approve(package_id="p:1")
    reason = (
        "attempted to redefine uncommitted sequence (1) for namespace cc with unchanged content"
    )
    assert (response.status, response.message) == (500, refusal(APPROVE, reason))
    assert (await org.approve(package_id="p:2")).status == 200
    assert (await org.approve(package_id="p:2", version="1.1")).status == 200


async def test_the_current_sequence_takes_only_the_committed_parameters(org):
    await org.approve()
    await org.commit()
    response = await org.approve(version="2.0")
    assert response.message == refusal(
        APPROVE,
        "attempted to redefine the current committed sequence (1) for namespace cc with "
        "different parameters: expected Version '1.0' does not match passed Version '2.0'",
    )
    response = await org.approve()
    reason = "attempted to redefine the current committed sequence (1) for namespace cc"
    assert response.message == refusal(APPROVE, reason)
    assert (await org.approve(package_id="p:2")).status == 200


async def test_a_package_can_be_taken_back_after_the_commit(org):
    await org.approve(package_id="p:1")
    await org.commit()
    assert (await org.approve()).status == 200
    _, result = await org.approved()
    assert result.source.HasField("unavailable")


@pytest.mark.parametrize("sequence", [0, 2, 3])
async def test_a_commit_takes_only_the_next_sequence(org, sequence):
    response = await org.commit(sequence=sequence)
    reason = f"requested sequence is {sequence}, but new definition must be sequence 1"
    assert response.message == refusal(COMMIT, reason)


async def test_a_commit_of_something_else_than_approved_is_refused(org):
    await org.approve()
    response = await org.commit(init_required=True)
    reason = "chaincode definition not agreed to by this org (Org1MSP)"
    assert response.message == refusal(COMMIT, reason)


async def test_the_latest_approval_is_the_next_one_if_there_is_one(org):
    await org.approve(package_id="p:1")
    await org.commit()
    assert (await org.approved())[1].sequence == 1
    await org.approve(sequence=2, version="2.0")
    _, result = await org.approved()
    assert (result.sequence, result.version) == (2, "2.0")
    _, result = await org.approved(sequence=1)
    assert result.source.local_package.package_id == "p:1"
    response, _ = await org.approved(sequence=7)
    assert response.message == refusal(
        "QueryApprovedChaincodeDefinition",
        "could not fetch approved chaincode definition (name: 'cc', sequence: '7') "
        "on channel 'test'",
    )


async def test_all_approvals_of_the_organisation_are_listed(org):
    await org.approve()
    await org.approve(name="other", init_required=True)
    response = await org.call(
        "QueryApprovedChaincodeDefinitions", pb.QueryApprovedChaincodeDefinitionsArgs()
    )
    assert response.status == 200, response.message
    result = pb.QueryApprovedChaincodeDefinitionsResult.FromString(response.payload)
    found = [(d.name, d.sequence, d.init_required) for d in result.approved_chaincode_definitions]
    assert found == [("cc", 1, False), ("other", 1, True)]


async def test_an_approval_writes_only_the_own_implicit_collection(org):
    response = await org.approve()
    assert response.status == 200
    private = org.ledger.private_data(org.ledger.height - 1)[0]
    names = [c.collection_name for ns in private.ns_pvt_rwset for c in ns.collection_pvt_rwset]
    assert names == [implicit_collection("Org1MSP")]


async def test_without_a_default_policy_an_empty_one_is_refused(org):
    channel = org.bench.peer.channels["test"]
    config = type(channel.bundle.config)()
    config.CopyFrom(channel.bundle.config)
    del config.channel_group.groups["Application"].policies["Endorsement"]
    channel.bundle = type(channel.bundle)("test", config)
    response = await org.approve()
    assert response.message == refusal(
        APPROVE,
        "could not set defaults for chaincode definition in channel test: policy "
        "'/Channel/Application/Endorsement' must be defined for channel 'test' before "
        "chaincode operations can be attempted",
    )
    assert (await org.approve(validation_parameter=b"\x12\x01x")).status == 200


@pytest.mark.parametrize(
    "function", ["QueryChaincodeDefinition", "QueryApprovedChaincodeDefinition", APPROVE, COMMIT]
)
async def test_channel_functions_outside_a_channel_are_refused(org, function):
    request = pb.QueryChaincodeDefinitionArgs(name="cc")
    if function in (APPROVE, COMMIT):
        request = pb.CommitChaincodeDefinitionArgs(name="cc", version="1", sequence=1)
    response = await org.call(function, request, channel_id="")
    assert response.status == 500
    assert response.message.startswith(f"failed to invoke backing implementation of '{function}'")
