"""protos.Snapshot: who may ask, and Fabric's words for every refusal."""

from datetime import timedelta

import pytest
from google.protobuf.empty_pb2 import Empty

from gridloom.client.admin import SnapshotAdmin, SnapshotRequestError
from gridloom.common.rpc import Code, RpcError
from gridloom.common.rpc.local import LocalChannel
from gridloom.peer.chaincodes.host import ChaincodeHost
from gridloom.peer.chaincodes.lifecycle.store import MemoryPackageStore
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.snapshots.export import snapshot_folder
from gridloom.peer.ledger.snapshots.stored_snapshot import StoredSnapshot
from gridloom.peer.node import Peer
from gridloom.protos.common.common_pb2 import SignatureHeader
from gridloom.protos.peer.snapshot_pb2 import SignedSnapshotRequest, SnapshotRequest
from harness.block_orderer import BlockOrderer
from harness.consortium import CHANNEL, NOW, Consortium, clock, consortium
from harness.golden_peer import NoPeers
from harness.ledger import commit
from harness.snapshots import wait_for_snapshots


class Bench:
    """A peer of Org1MSP with a channel; the time is noon until it is set."""

    def __init__(self, tmp_path):
        self.now = NOW
        self.root = tmp_path / "snapshots"
        storage = tmp_path / "ledgers"
        self.peer = Peer(
            consortium().peer(),
            consortium().material.msp_config("Org1MSP"),
            LedgerProvider(storage, self.root),
            ChaincodeHost(MemoryPackageStore(), {}),
            orderers=lambda endpoint: BlockOrderer(),
            peers=NoPeers(),
            now=lambda: self.now,
            random_bytes=Consortium(seed=5).random_bytes,
        )
        self.ledger = self.peer.join(consortium().genesis()).ledger
        self.channel = LocalChannel(self.peer.services())

    def admin(self, organization=1, name="Admin"):
        return SnapshotAdmin(consortium().user(organization, name), now=clock)

    async def generate(self, signed):
        """Call Generate with a message of the test's own; return the text it is refused with."""
        with pytest.raises(RpcError) as refused:
            await self.channel.unary("/protos.Snapshot/Generate", signed, Empty)
        assert refused.value.code == Code.UNKNOWN
        return refused.value.message


@pytest.fixture
async def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    await bench.peer.stop()


async def test_an_administrator_gets_a_snapshot_of_the_newest_block(bench):
    await bench.admin().request(bench.channel, CHANNEL)
    wait_for_snapshots(bench.ledger)
    snapshot = StoredSnapshot.open(snapshot_folder(bench.root, CHANNEL, 0))
    assert snapshot.last.block_hash == bench.ledger.last_hash
    assert await bench.admin().pending(bench.channel, CHANNEL) == []


async def test_snapshots_of_blocks_to_come_are_listed_and_withdrawn(bench):
    admin = bench.admin()
    for number in (3, 2):
        await admin.request(bench.channel, CHANNEL, number)
    assert await admin.pending(bench.channel, CHANNEL) == [2, 3]
    await admin.cancel(bench.channel, CHANNEL, 3)
    commit(bench.ledger, [])
    commit(bench.ledger, [])
    wait_for_snapshots(bench.ledger)
    assert await admin.pending(bench.channel, CHANNEL) == []
    assert [path.name for path in (bench.root / "completed" / CHANNEL).iterdir()] == ["2"]


async def test_the_command_prints_what_fabrics_does(bench):
    admin = bench.admin()
    commit(bench.ledger, [])
    commit(bench.ledger, [])
    with pytest.raises(SnapshotRequestError) as refused:
        await admin.request(bench.channel, CHANNEL, 1)
    assert str(refused.value) == (
        "failed to submit the request: rpc error: code = Unknown desc = requested snapshot for"
        " block number 1 cannot be less than the last committed block number 2"
    )
    with pytest.raises(SnapshotRequestError) as refused:
        await admin.cancel(bench.channel, CHANNEL, 9)
    assert str(refused.value) == (
        "failed to cancel the request: rpc error: code = Unknown desc = "
        "no snapshot request exists for block number 9"
    )
    with pytest.raises(SnapshotRequestError, match="failed to list pending requests: rpc error"):
        await admin.pending(bench.channel, "nosuch")


@pytest.mark.parametrize(
    ("channel_id", "words"),
    [("", "missing channel ID"), ("nosuch", "cannot find ledger for channel nosuch")],
)
async def test_the_channel_must_be_there(bench, channel_id, words):
    with pytest.raises(SnapshotRequestError) as refused:
        await bench.admin().request(bench.channel, channel_id)
    assert refused.value.status.message == words


@pytest.mark.parametrize(
    ("organization", "name", "words"),
    [
        (1, "User1", "failed verifying that the signed data identity satisfies local MSP principal"
         " during channelless check policy with policy [Admins]: ["),
        (2, "Admin", "failed deserializing signed data identity during channelless check policy"
         " with policy [Admins]: ["),
    ],
)  # fmt: skip
@pytest.mark.parametrize("call", ["request", "cancel", "pending"])
async def test_only_administrators_of_the_peers_own_organisation_may_ask(
    bench, organization, name, words, call
):
    admin = bench.admin(organization, name)
    number = () if call == "pending" else (5,)
    with pytest.raises(SnapshotRequestError) as refused:
        await getattr(admin, call)(bench.channel, CHANNEL, *number)
    assert refused.value.status.message.startswith(words)
    assert refused.value.status.code == Code.UNKNOWN
    assert bench.ledger.pending_snapshots() == []


async def test_an_expired_administrator_is_refused(bench):
    bench.now = NOW + timedelta(days=365 * 30)
    with pytest.raises(SnapshotRequestError, match=r"desc = client identity expired$"):
        await bench.admin().request(bench.channel, CHANNEL)


def signed_by(user, request, signature=None):
    data = request.SerializeToString()
    return SignedSnapshotRequest(request=data, signature=signature or user.sign(data))


async def test_a_request_is_what_was_signed(bench):
    user = consortium().user(1, "Admin")
    header = SignatureHeader(creator=user.serialized, nonce=b"n")
    request = SnapshotRequest(signature_header=header, channel_id=CHANNEL, block_number=7)
    other = SnapshotRequest(signature_header=header, channel_id=CHANNEL, block_number=8)
    signature = user.sign(other.SerializeToString())
    for wrong in (signature, b"", b"\x30\x00", signature[:-1]):
        text = await bench.generate(signed_by(user, request, wrong or b"\x00"))
        assert "signature" in text
    assert bench.ledger.pending_snapshots() == []


async def test_what_is_no_request_is_refused(bench):
    user = consortium().user(1, "Admin")
    assert (await bench.generate(SignedSnapshotRequest(request=b"\xff"))).startswith(
        "failed to unmarshal snapshot request: "
    )
    for empty in (SignedSnapshotRequest(), signed_by(user, SnapshotRequest(channel_id=CHANNEL))):
        assert await bench.generate(empty) == "missing signature header"
    for creator in (b"", b"\xff", b"somebody"):
        header = SignatureHeader(creator=creator)
        request = SnapshotRequest(signature_header=header, channel_id=CHANNEL)
        text = await bench.generate(signed_by(user, request))
        assert text.startswith("failed deserializing signed data identity")


async def test_a_number_no_chain_will_reach_is_kept_like_any_other(bench):
    for number in (2**64 - 1, 2**63, 10**9):
        await bench.admin().request(bench.channel, CHANNEL, number)
    pending = await bench.admin().pending(bench.channel, CHANNEL)
    assert pending == [10**9, 2**63, 2**64 - 1]
