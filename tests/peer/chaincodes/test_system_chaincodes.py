"""cscc and qscc, over the golden channel where the real peer's answers are known."""

import pytest

from gridloom.common.blocks import header_hash, transactions_filter
from gridloom.common.envelopes import open_payload
from gridloom.peer.chaincodes.system.cscc import ConfigurationChaincode
from gridloom.peer.chaincodes.system.qscc import QueryChaincode
from gridloom.peer.ledger.errors import LedgerExists
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.snapshots.stored_snapshot import StoredSnapshot
from gridloom.peer.validation.message_validation import read_committed
from gridloom.protos.common.common_pb2 import Block, ChannelHeader, Envelope
from gridloom.protos.common.configtx_pb2 import Config, ConfigEnvelope
from gridloom.protos.common.ledger_pb2 import BlockchainInfo
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from gridloom.protos.peer.proposal_pb2 import (
    ChaincodeProposalPayload,
    Proposal,
    SignedProposal,
)
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponse
from gridloom.protos.peer.query_pb2 import ChannelQueryResponse, JoinBySnapshotStatus
from gridloom.protos.peer.transaction_pb2 import ProcessedTransaction
from harness.chaincode_peer import FakePeer, Refused, invocation
from harness.ledger import golden_block, replay_golden
from harness.shared import shared


@pytest.fixture(scope="module")
def peer():
    ledger = LedgerProvider("memory").create(golden_block(0))
    replay_golden(ledger, 64)
    peer = FakePeer()
    peer.add_channel("golden1", ledger)
    return peer


def qscc(peer, *args, original="qscc"):
    call = invocation("qscc", *args, channel_id="golden1", original=original)
    return QueryChaincode(peer).invoke(call)


def cscc(peer, *args, original="cscc"):
    call = invocation("cscc", *args, channel_id="", original=original)
    return ConfigurationChaincode(peer).invoke(call)


def golden_dialogue(number, label):
    """The arguments the real client sent and the response the real peer gave."""
    request = shared(
        "golden", "wire", f"{number:02}-{label}-Endorser_ProcessProposal.req.pb"
    ).read_bytes()
    answer = shared(
        "golden", "wire", f"{number + 1:02}-{label}-Endorser_ProcessProposal.resp.pb"
    ).read_bytes()
    return SignedProposal.FromString(request), ProposalResponse.FromString(answer).response


@pytest.mark.parametrize(
    ("number", "label"),
    [
        (25, "qscc-GetBlockByNumber"),
        (27, "qscc-GetTransactionByID"),
        (29, "qscc-GetBlockByTxID"),
        (34, "qscc-GetBlockByHash"),
    ],
)
def test_qscc_answers_what_the_real_peer_answered(peer, number, label):
    proposal, expected = golden_dialogue(number, label)
    args = proposal_args(proposal)
    call = invocation("qscc", *args, channel_id="golden1")
    response = QueryChaincode(peer).invoke(call)
    assert response.status == expected.status
    assert response.payload == expected.payload


def proposal_args(proposal):
    payload = ChaincodeProposalPayload.FromString(
        Proposal.FromString(proposal.proposal_bytes).payload
    )
    spec = ChaincodeInvocationSpec.FromString(payload.input).chaincode_spec
    return list(spec.input.args)


def test_chain_info_names_height_and_hashes(peer):
    response = qscc(peer, b"GetChainInfo", b"golden1")
    info = BlockchainInfo.FromString(response.payload)
    assert info.height == 64
    assert info.currentBlockHash == header_hash(golden_block(63).header)
    assert info.previousBlockHash == header_hash(golden_block(62).header)


def test_the_greatest_number_means_the_last_block(peer):
    response = qscc(peer, b"GetBlockByNumber", b"golden1", b"18446744073709551615")
    assert Block.FromString(response.payload).header.number == 63


def test_a_transaction_comes_with_its_verdict(peer):
    block = golden_block(3)
    payload = open_payload(Envelope.FromString(block.data.data[0]))
    tx_id = ChannelHeader.FromString(payload.header.channel_header).tx_id
    response = qscc(peer, b"GetTransactionByID", b"golden1", tx_id.encode())
    found = ProcessedTransaction.FromString(response.payload)
    assert found.transactionEnvelope.SerializeToString() == block.data.data[0]
    assert found.validationCode == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "Incorrect number of arguments, 0"),
        ((b"GetChainInfo",), "Incorrect number of arguments, 1"),
        ((b"GetChainInfo", b"nosuch"), "Invalid chain ID, nosuch"),
        ((b"GetBlockByNumber", b"golden1"), "missing 3rd argument for GetBlockByNumber"),
        ((b"Nothing", b"golden1", b""), "Requested function Nothing not found."),
        (
            (b"GetBlockByNumber", b"golden1", b"abc"),
            "Failed to parse block number with error strconv.ParseUint: "
            'parsing "abc": invalid syntax',
        ),
        (
            (b"GetBlockByNumber", b"golden1", b"-1"),
            "Failed to parse block number with error strconv.ParseUint: "
            'parsing "-1": invalid syntax',
        ),
        (
            (b"GetBlockByNumber", b"golden1", b"18446744073709551616"),
            "Failed to parse block number with error strconv.ParseUint: "
            'parsing "18446744073709551616": value out of range',
        ),
        (
            (b"GetTransactionByID", b"golden1", b"T"),
            "Failed to get transaction with id T, error no such transaction ID [T] in index",
        ),
        (
            (b"GetBlockByTxID", b"golden1", b"T"),
            "Failed to get block for txID T, error no such transaction ID [T] in index",
        ),
        (
            (b"GetBlockByNumber", b"golden1", b"999"),
            "Failed to get block number 999, error no such block number [999] in index",
        ),
    ],
)
def test_what_qscc_cannot_answer_is_status_500(peer, args, message):
    response = qscc(peer, *args)
    assert (response.status, response.message) == (500, message)


def test_an_unknown_hash_is_refused_whatever_its_bytes(peer):
    response = qscc(peer, b"GetBlockByHash", b"golden1", b"\xff\xfe")
    assert response.status == 500
    assert "no such block hash [fffe] in index" in response.message


def test_access_is_asked_for_each_function():
    peer = FakePeer()
    peer.add_channel("golden1", LedgerProvider("memory").create(golden_block(0)))
    peer.acl.denied |= {"qscc/GetChainInfo", "cscc/GetConfigBlock", "cscc/GetChannels"}
    peer.acl.denied |= {"cscc/JoinChain", "cscc/GetChannelConfig"}
    block = golden_block(0).SerializeToString()
    assert qscc(peer, b"GetChainInfo", b"golden1").message == (
        "access denied for [GetChainInfo][golden1]: [not you]"
    )
    assert cscc(peer, b"GetConfigBlock", b"golden1").message == (
        "access denied for [GetConfigBlock][golden1]: not you"
    )
    assert cscc(peer, b"GetChannelConfig", b"golden1").message == (
        "access denied for [GetChannelConfig][golden1]: not you"
    )
    assert cscc(peer, b"GetChannels").message == "access denied for [GetChannels]: not you"
    assert cscc(peer, b"JoinChain", block).message == (
        "access denied for [JoinChain][golden1]: [not you]"
    )
    assert peer.joined == []


def test_channels_are_listed(peer):
    channels = ChannelQueryResponse.FromString(cscc(peer, b"GetChannels").payload).channels
    assert [c.channel_id for c in channels] == ["golden1"]


def test_the_config_block_is_the_last_one_with_a_configuration(peer):
    block = Block.FromString(cscc(peer, b"GetConfigBlock", b"golden1").payload)
    assert block.header.number == 50


def test_the_configuration_is_the_one_in_force():
    expected = golden_dialogue(38, "cscc-GetChannelConfig")[1]
    peer = FakePeer()
    channel = peer.add_channel("golden1")
    payload = open_payload(Envelope.FromString(golden_block(50).data.data[0]))
    channel.bundle = type(channel.bundle)("golden1", ConfigEnvelope.FromString(payload.data).config)
    response = cscc(peer, b"GetChannelConfig", b"golden1")
    assert response.status == expected.status == 200
    assert Config.FromString(response.payload) == Config.FromString(expected.payload)


def test_joining_hands_the_block_to_the_peer_with_its_transaction_marked_valid():
    peer = FakePeer()
    block = golden_block(0, "orderer")
    assert cscc(peer, b"JoinChain", block.SerializeToString()).status == 200
    (joined,) = peer.joined
    assert joined.data == block.data
    assert transactions_filter(joined) == b"\x00"


def test_joining_twice_says_so_in_fabrics_words():
    peer = FakePeer(join_error=LedgerExists("golden1"))
    response = cscc(peer, b"JoinChain", golden_block(0).SerializeToString())
    assert response.status == 500
    assert response.message.endswith("ledger [golden1] already exists with state [ACTIVE]")


def test_what_the_peer_refuses_to_join_is_told():
    peer = FakePeer(join_error=Refused("disk full"))
    assert cscc(peer, b"JoinChain", golden_block(0).SerializeToString()).message == "disk full"


@pytest.fixture
def behind_a_snapshot(taken):
    """A peer that has joined behind block 48 and has committed block 49 since."""
    ledger = LedgerProvider("memory").create_from_snapshot(StoredSnapshot.open(taken[48]))
    replay_golden(ledger, 50)
    peer = FakePeer()
    peer.add_channel("golden1", ledger)
    return peer


def test_what_is_older_than_the_snapshot_is_refused_in_fabrics_words(behind_a_snapshot):
    tx_id = read_committed(golden_block(48))[0].tx_id
    behind = "The ledger is bootstrapped from a snapshot. First available block = [49]"
    no_block = f"cannot serve block [7]. {behind}"
    no_details = (
        f"error details for the TXID [{tx_id}] not available. "
        "Ledger bootstrapped from a snapshot. First available block = [49]"
    )
    for function, argument, message in [
        ("GetBlockByNumber", "7", f"Failed to get block number 7, error {no_block}"),
        ("GetBlockByTxID", tx_id, f"Failed to get block for txID {tx_id}, {no_details}"),
        ("GetTransactionByID", tx_id, f"Failed to get transaction with id {tx_id}, {no_details}"),
    ]:  # fmt: skip
        response = qscc(behind_a_snapshot, function.encode(), b"golden1", argument.encode())
        assert (response.status, response.message) == (500, message)
    response = cscc(behind_a_snapshot, b"GetConfigBlock", b"golden1")
    assert (response.status, response.message) == (500, f"cannot serve block [0]. {behind}")


def test_what_came_behind_the_snapshot_is_answered(behind_a_snapshot):
    for number in (b"49", str(2**64 - 1).encode()):
        response = qscc(behind_a_snapshot, b"GetBlockByNumber", b"golden1", number)
        assert Block.FromString(response.payload) == golden_block(49)
    info = BlockchainInfo.FromString(
        qscc(behind_a_snapshot, b"GetChainInfo", b"golden1", b"golden1").payload
    )
    assert (info.height, info.bootstrappingSnapshotInfo.lastBlockInSnapshot) == (50, 48)
    config = cscc(behind_a_snapshot, b"GetChannelConfig", b"golden1")
    assert Config.FromString(config.payload).channel_group.groups["Application"].groups


def test_a_peer_joins_by_snapshot_and_tells_while_it_does():
    peer = FakePeer()
    status = cscc(peer, b"JoinBySnapshotStatus")
    assert (status.status, status.payload) == (200, b"")
    assert cscc(peer, b"JoinChainBySnapshot", b"/snapshots/1").status == 200
    status = cscc(peer, b"JoinBySnapshotStatus")
    assert JoinBySnapshotStatus.FromString(status.payload) == JoinBySnapshotStatus(
        in_progress=True, bootstrapping_snapshot_dir="/snapshots/1"
    )
    assert cscc(peer, b"JoinChainBySnapshot", b"/snap\xff").status == 200
    assert "/snap\ufffd".encode() in cscc(peer, b"JoinBySnapshotStatus").payload


def without_application():
    block = Block.FromString(golden_block(0).SerializeToString())
    envelope = Envelope.FromString(block.data.data[0])
    payload = open_payload(envelope)
    config = ConfigEnvelope.FromString(payload.data)
    del config.config.channel_group.groups["Application"]
    payload.data = config.SerializeToString()
    envelope.payload = payload.SerializeToString()
    block.data.data[0] = envelope.SerializeToString()
    return block


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"\xff", "Failed to reconstruct the genesis block"),
        (b"", "failed to extract channel id from the block due to"),
        (golden_block(3).SerializeToString(), "Bad configuration envelope"),
        (without_application().SerializeToString(), "missing Application configuration group"),
    ],
)
def test_blocks_no_channel_starts_from_are_refused(block, reason):
    peer = FakePeer()
    response = cscc(peer, b"JoinChain", block)
    assert response.status == 500
    assert reason in response.message
    assert peer.joined == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "Incorrect number of arguments, 0"),
        ((b"JoinChain",), "Incorrect number of arguments, 1"),
        ((b"JoinChainBySnapshot",), "Incorrect number of arguments, 1"),
        ((b"JoinChainBySnapshot", b""), "Cannot join the channel, no snapshot directory provided"),
        ((b"Nothing", b""), "Requested function Nothing not found."),
        ((b"GetConfigBlock", b"nosuch"), "Unknown channel ID, nosuch"),
        ((b"GetChannelConfig", b""), "empty channel name provided"),
        ((b"GetChannelConfig", b"nosuch"), "unknown channel ID, nosuch"),
    ],
)
def test_what_cscc_cannot_answer_is_status_500(args, message):
    response = cscc(FakePeer(), *args)
    assert (response.status, response.message) == (500, message)


def test_both_refuse_to_be_called_by_another_chaincode(peer):
    response = qscc(peer, b"GetChainInfo", b"golden1", original="basic")
    assert response.message == (
        "Rejecting invoke of QSCC from another chaincode because of potential for deadlocks, "
        "original invocation for 'basic'"
    )
    response = cscc(peer, b"GetChannels", original="basic")
    assert response.message == (
        "Rejecting invoke of CSCC from another chaincode, original invocation for 'basic'"
    )
