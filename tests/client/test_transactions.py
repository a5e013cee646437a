"""Transactions through the SDK (fabric-gateway: transactions, endorsement, errors, offlinesign,
sbe and privatedata.feature)."""

import asyncio
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from gridloom.client import (
    CommitError,
    CommitStatusError,
    EndorseError,
    Gateway,
    GatewayError,
    Identity,
    OfflineError,
    SubmitError,
    Timeouts,
)
from gridloom.common.rpc import Code
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from gridloom.protos.gateway.gateway_pb2 import CommitStatusRequest, SignedCommitStatusRequest
from harness.client_networks import COUNCIL, THREE_ORGANIZATIONS, cut, deploy
from harness.network import settled_height


def contract(network, name="probe", organization="Org1", user="User1", **options):
    gateway = network.access.gateway(organization, user, **options)
    return gateway.get_network("mychannel").get_contract(name)


def ordered_by(network, monkeypatch):
    """A queue that gets something for each transaction the orderer has taken."""
    (orderer,) = network.orderers.values()
    chain, taken = orderer.registrar.get("mychannel").chain, asyncio.Queue()
    order = chain.order

    async def told(envelope, sequence):
        answer = await order(envelope, sequence)
        taken.put_nowait(envelope)
        return answer

    monkeypatch.setattr(chain, "order", told)
    return taken


def endpoints(network, *names):
    by_name = {node.name.removesuffix(".example.com"): node for node in network.topology.peers()}
    return {by_name[name].endpoint for name in names}


class TestResults:
    async def test_a_submitted_transaction_returns_its_result_and_is_in_the_ledger(self, network):
        probe = contract(network)
        assert await probe.submit_transaction("put", "key", "value") == b"value"
        assert await probe.evaluate_transaction("get", "key") == b"value"

    async def test_arguments_are_text_or_bytes(self, network):
        probe = contract(network)
        await probe.submit_transaction("put", "schlüssel".encode(), "größe")
        assert (await probe.evaluate_transaction("get", "schlüssel")).decode() == "größe"

    async def test_transient_data_reaches_the_function(self, network):
        data = {"text": "value", "bytes": b"more"}
        result = await contract(network).evaluate("transient", transient=data)
        assert json.loads(result) == {"text": "value", "bytes": "more"}

    async def test_the_contracts_name_goes_before_the_functions(self, network):
        gateway = network.access.gateway("Org1")
        named = gateway.get_network("mychannel").get_contract("probe", "Probe")
        await named.submit_transaction("put", "key", "value")
        assert await named.evaluate_transaction("get", "key") == b"value"
        other = gateway.get_network("mychannel").get_contract("probe", "Nothing")
        with pytest.raises(GatewayError, match="Nothing"):
            await other.evaluate_transaction("get", "key")

    async def test_the_steps_of_a_submission_can_be_gone_one_by_one(self, network):
        proposal = contract(network).new_proposal("put", ["key", "value"])
        transaction = await proposal.endorse()
        assert transaction.result == b"value"
        submitted = await transaction.submit()
        assert submitted.result == b"value"
        status = await submitted.get_status()
        assert (status.successful, status.name, status.code) == (True, "VALID", 0)
        ids = {proposal.transaction_id, transaction.transaction_id, submitted.transaction_id}
        assert ids == {status.transaction_id}
        assert status.block_number == network.peers["peer0.org1.example.com"].channel(
            "mychannel"
        ).block_number_of(status.transaction_id)

    async def test_a_proposal_is_evaluated_without_a_trace(self, network):
        probe = contract(network)
        before = await settled_height(network.access)
        assert await probe.evaluate_transaction("put", "key", "value") == b"value"
        assert await probe.evaluate_transaction("get", "key") == b""
        assert await settled_height(network.access) == before


class TestErrors:
    async def test_evaluate_fails_with_the_chaincodes_message(self, network):
        with pytest.raises(GatewayError) as caught:
            await contract(network).evaluate_transaction("fail", "no sun today")
        error = caught.value
        told = "chaincode response 500, no sun today"
        assert type(error) is GatewayError
        assert (error.code, error.message) == (
            Code.UNKNOWN,
            f"evaluate call to endorser returned error: {told}",
        )
        (detail,) = error.details
        assert {detail.address} == endpoints(network, "peer0.org1")
        assert (detail.msp_id, detail.message) == ("Org1MSP", told)
        assert told in str(error)

    async def test_endorse_fails_with_what_each_own_peer_said(self, council):
        proposal = contract(council, "strict").new_proposal("refuse", ['["Org1MSP"]'])
        with pytest.raises(EndorseError) as caught:
            await proposal.endorse()
        error = caught.value
        assert (error.code, error.transaction_id) == (Code.ABORTED, proposal.transaction_id)
        assert error.message.startswith("failed to endorse transaction")
        assert {d.address for d in error.details} == endpoints(council, "peer0.org1", "peer1.org1")
        assert {d.message for d in error.details} == {
            "chaincode response 500, Org1MSP refuses to endorse this"
        }

    async def test_endorse_fails_with_what_the_others_said(self, council):
        with pytest.raises(EndorseError) as caught:
            await contract(council, "strict").submit_transaction("refuse", '["Org2MSP","Org3MSP"]')
        error = caught.value
        assert (error.code, error.message) == (
            Code.ABORTED,
            "failed to collect enough transaction endorsements, see attached details for more info",
        )
        assert {d.address for d in error.details} == endpoints(
            council, "peer0.org2", "peer1.org2", "peer0.org3"
        )

    async def test_results_that_differ_are_told_of_each_peer(self, council):
        with pytest.raises(EndorseError) as caught:
            await contract(council, "strict").submit_transaction("differ")
        assert {d.address for d in caught.value.details} == endpoints(
            council, "peer0.org2", "peer1.org2", "peer0.org3"
        )
        assert {d.message for d in caught.value.details} == {
            "ProposalResponsePayloads do not match"
        }

    async def test_an_unknown_chaincode_or_channel_has_its_own_code(self, network):
        nosuch = contract(network, "nosuch")
        with pytest.raises(GatewayError) as caught:
            await nosuch.evaluate_transaction("get", "key")
        assert caught.value.code is Code.FAILED_PRECONDITION
        with pytest.raises(EndorseError, match="No metadata was found for chaincode nosuch"):
            await nosuch.submit_transaction("get", "key")
        elsewhere = network.access.gateway("Org1").get_network("nosuch").get_contract("probe")
        with pytest.raises(GatewayError) as caught:
            await elsewhere.evaluate_transaction("get", "key")
        assert (caught.value.code, caught.value.details) == (Code.UNAVAILABLE, ())

    async def test_a_stranger_is_refused_at_every_step(self, network):
        async with Network.in_memory(development=False) as other:
            stranger = other.access.signer("Org1", "User1")
        channel = network.channel_to("peer0.org1.example.com")
        refused = Gateway(channel, stranger).get_network("mychannel").get_contract("probe")
        with pytest.raises(GatewayError) as caught:
            await refused.evaluate_transaction("get", "key")
        assert caught.value.code is Code.FAILED_PRECONDITION
        assert caught.value.message == (
            "evaluate call to endorser returned error: error validating proposal: access denied: "
            "channel [mychannel] creator org unknown, creator is malformed"
        )
        with pytest.raises(EndorseError, match="access denied"):
            await refused.submit_transaction("put", "key", "value")

    async def test_an_envelope_of_somebody_else_is_refused_by_the_orderer(self, network):
        transaction = await contract(network).new_proposal("put", ["key", "value"]).endorse()
        transaction.set_signature(b"forged")
        with pytest.raises(SubmitError) as caught:
            await transaction.submit()
        assert caught.value.code is Code.ABORTED
        assert caught.value.transaction_id == transaction.transaction_id
        assert caught.value.message.startswith(
            "received unsuccessful response from orderer: status=FORBIDDEN, info="
        )

    async def test_of_two_changes_of_a_key_in_one_block_the_second_conflicts(
        self, patient_network, monkeypatch
    ):
        probe = contract(patient_network)
        first = await probe.submit_async("increment", ["counter"])
        second = await probe.submit_async("increment", ["counter"])
        await cut(patient_network)
        statuses = [await first.get_status(), await second.get_status()]
        assert [status.name for status in statuses] == ["VALID", "MVCC_READ_CONFLICT"]
        assert statuses[0].block_number == statuses[1].block_number
        assert not statuses[1].successful
        # Both organisations must have the block, or they would endorse different reads.
        for peer in patient_network.peers.values():
            await peer.channel("mychannel").wait_for(statuses[0].block_number + 1)
        ordered = ordered_by(patient_network, monkeypatch)
        submitting = asyncio.gather(
            *(probe.submit_transaction("increment", "counter") for _ in range(2)),
            return_exceptions=True,
        )
        for _ in range(2):
            await ordered.get()
        await cut(patient_network)
        results = await submitting
        (error,) = [result for result in results if isinstance(result, Exception)]
        assert isinstance(error, CommitError)
        assert (error.code, error.status_name) == (11, "MVCC_READ_CONFLICT")
        assert len(error.transaction_id) == 64


class TestOrganizations:
    @pytest.mark.parametrize("msp_id", ["Org1MSP", "Org2MSP", "Org3MSP"])
    async def test_those_that_are_named_evaluate_and_endorse(self, council, msp_id):
        chaincode = contract(council, "council")
        options = {"endorsing_organizations": [msp_id]}
        assert (await chaincode.evaluate("organization", **options)).decode() == msp_id
        assert (await chaincode.submit("organization", **options)).decode() == msp_id

    async def test_one_that_is_not_there_is_named(self, council):
        chaincode = contract(council, "council")
        with pytest.raises(EndorseError) as caught:
            await chaincode.submit("organization", endorsing_organizations=["Org7MSP"])
        assert (caught.value.code, caught.value.message) == (
            Code.UNAVAILABLE,
            "failed to find any endorsing peers for org(s): Org7MSP",
        )

    async def test_too_few_of_them_fail_at_commit(self, council):
        chaincode = contract(council, "strict")
        with pytest.raises(CommitError) as caught:
            await chaincode.submit("put", ["key", "value"], endorsing_organizations=["Org1MSP"])
        assert caught.value.status_name == "ENDORSEMENT_POLICY_FAILURE"

    @pytest.mark.parametrize("guards", [["Org1MSP", "Org3MSP"], ["Org2MSP", "Org3MSP"]])
    async def test_the_guards_of_a_key_are_found(self, council, guards):
        chaincode = contract(council, "council")
        await chaincode.submit_transaction("guard", "key", json.dumps(guards))
        await settled_height(council.access)
        await chaincode.submit_transaction("put", "key", "moved")
        await settled_height(council.access)
        with pytest.raises(CommitError) as caught:
            await chaincode.submit(
                "put", ["key", "stolen"], endorsing_organizations=["Org1MSP", "Org2MSP"]
            )
        assert caught.value.status_name == "ENDORSEMENT_POLICY_FAILURE"


class TestPrivateData:
    async def hide(self, network, collection, **options):
        await contract(network, "council").submit(
            "hide", [collection, "key"], transient={"value": "treasure"}, **options
        )
        await settled_height(network.access)

    async def reveal(self, network, collection, organization, **options):
        chaincode = contract(network, "council", organization)
        return await chaincode.evaluate("reveal", [collection, "key"], **options)

    async def test_members_read_what_one_of_them_wrote(self, council):
        await self.hide(council, "one")
        assert await self.reveal(council, "one", "Org1") == b"treasure"

    async def test_others_may_not(self, council):
        await self.hide(council, "one")
        with pytest.raises(GatewayError, match="does not have read access permission"):
            await self.reveal(council, "one", "Org2", endorsing_organizations=["Org1MSP"])

    async def test_transient_data_goes_to_members_only(self, council):
        strict = contract(council, "strict")
        with pytest.raises(EndorseError) as caught:
            await strict.submit("hide", ["two", "key"], transient={"value": "treasure"})
        assert caught.value.code is Code.FAILED_PRECONDITION
        assert "[two]; retry specifying trusted" in caught.value.message


class TestMissingPeers:
    async def test_a_chaincode_that_is_not_installed_everywhere_is_planned_around(self):
        async with Network.in_memory(Topology.parse(THREE_ORGANIZATIONS)) as network:
            await deploy(network, COUNCIL, "council", "AND('Org1MSP.peer', 'Org2MSP.peer')")
            lacking = {"peer0.org1.example.com", "peer1.org2.example.com"}
            for name in lacking:
                packages = network.peers[name].host.approved.packages
                packages._by_hash.clear()
                packages.changes += 1
            chaincode = contract(network, "council")
            for _ in range(4):
                await chaincode.submit_transaction("put", "key", "value")
            packages = network.peers["peer0.org2.example.com"].host.approved.packages
            packages._by_hash.clear()
            packages.changes += 1
            with pytest.raises(EndorseError) as caught:
                await chaincode.submit_transaction("put", "key", "value")
            assert caught.value.message.endswith(
                "required chaincodes are not installed on sufficient peers"
            )
            assert await chaincode.evaluate_transaction("organization") == b"Org1MSP"


class TestTime:
    async def test_the_status_of_an_unknown_transaction_is_waited_for(self, network):
        probe = contract(network)
        transaction = await probe.new_proposal("put", ["key", "value"]).endorse()
        gateway = network.access.gateway("Org1")
        commit = gateway.new_commit(await _unsubmitted_commit(gateway, transaction))
        with pytest.raises(CommitStatusError) as caught:
            await commit.get_status(timeout=0.05)
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        assert caught.value.transaction_id == transaction.transaction_id
        waiting = asyncio.create_task(commit.get_status())
        await asyncio.sleep(0.02)
        assert not waiting.done()
        await transaction.submit()
        assert (await waiting).successful

    async def test_the_gateways_own_timeouts_hold_for_every_call(self, network):
        probe = contract(network, timeouts=Timeouts(evaluate=1e-9, endorse=1e-9))
        with pytest.raises(GatewayError) as caught:
            await probe.evaluate_transaction("get", "key")
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        with pytest.raises(EndorseError) as caught:
            await probe.submit_transaction("put", "key", "value")
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        proposal = probe.new_proposal("put", ["key", "value"])
        assert (await proposal.endorse(timeout=60)).result == b"value"


async def _unsubmitted_commit(gateway, transaction):
    """The commit of a transaction as another process would hand it on."""
    request = CommitStatusRequest(
        transaction_id=transaction.transaction_id,
        channel_id="mychannel",
        identity=gateway.identity,
    )
    return SignedCommitStatusRequest(request=request.SerializeToString()).SerializeToString()


class TestOfflineSigning:
    @pytest.fixture
    def offline(self, network):
        """A gateway without a key."""
        signer = network.access.signer("Org1", "User1")
        identity = Identity(signer.msp_id, signer.certificate_pem)
        channel = network.channel_to("peer0.org1.example.com")
        return Gateway(channel, identity)

    async def test_nothing_is_done_without_a_signature(self, offline):
        gateway = offline
        probe = gateway.get_network("mychannel").get_contract("probe")
        for call in (
            probe.evaluate_transaction("get", "key"),
            probe.submit_transaction("put", "key", "value"),
        ):
            with pytest.raises(OfflineError):
                await call

    async def test_every_step_is_signed_elsewhere(self, network, offline):
        gateway = offline
        sign = _DigestKey(network)
        probe = gateway.get_network("mychannel").get_contract("probe")
        unsigned = probe.new_proposal("put", ["key", "value"])
        proposal = gateway.new_signed_proposal(unsigned.serialized, sign(unsigned.digest))
        assert proposal.transaction_id == unsigned.transaction_id
        unsigned_transaction = await proposal.endorse()
        transaction = gateway.new_signed_transaction(
            unsigned_transaction.serialized, sign(unsigned_transaction.digest)
        )
        assert transaction.result == b"value"
        unsigned_commit = await transaction.submit()
        commit = gateway.new_signed_commit(unsigned_commit.serialized, sign(unsigned_commit.digest))
        assert (await commit.get_status()).successful
        query = probe.new_proposal("get", ["key"])
        query.set_signature(sign(query.digest))
        assert await query.evaluate() == b"value"

    async def test_a_signature_of_another_key_is_refused(self, network, offline):
        gateway = offline
        probe = gateway.get_network("mychannel").get_contract("probe")
        proposal = probe.new_proposal("get", ["key"])
        proposal.set_signature(_DigestKey(network, "Org2")(proposal.digest))
        with pytest.raises(GatewayError) as caught:
            await proposal.evaluate()
        assert caught.value.code is Code.FAILED_PRECONDITION
        assert "access denied: channel [mychannel] creator org [Org1MSP]" in caught.value.message


class _DigestKey:
    """Signs digests, as a hardware module would."""

    def __init__(self, network, organization="Org1"):
        self._key = network.access.material.user(organization, "User1").private_key

    def __call__(self, digest):
        r, s = utils.decode_dss_signature(
            self._key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))
        )
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        return utils.encode_dss_signature(r, min(s, order - s))
