"""From registration to revocation: an identity of the CA on a network that runs.

The CA is asked over HTTP, and its list of revoked certificates reaches the channel as a
configuration update, as with Fabric.
"""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from gridloom.client import Gateway, GatewayError
from gridloom.client.enrollment import (
    AuthorityRefused,
    CertificateAuthority,
    EnrollmentRequest,
    Registration,
)
from gridloom.common.channel import changes
from gridloom.common.envelopes import NEVER, NEWEST, seek_envelope
from gridloom.common.rpc.tls import ClientTls
from gridloom.deploy.authorities import REGISTRAR, REGISTRAR_SECRET
from gridloom.deploy.channels import ChannelOperations
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from gridloom.protos.common.common_pb2 import Status
from gridloom.protos.gateway.gateway_pb2 import PreparedTransaction
from gridloom.protos.orderer.ab_pb2 import DeliverResponse, SeekInfo
from gridloom.protos.peer.transaction_pb2 import BAD_CREATOR_SIGNATURE, VALID
from harness.network import PROBE, deploy

PATIENCE = 120
"""Seconds until something that must come is missed."""

PEER, ORDERER = "peer0.org1.example.com", "orderer.example.com"


class Clock:
    """The real time, and what was added to it."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead


class Life:
    """A network whose Org1 certifies over HTTP, and what its people do there."""

    def __init__(self, network, clock):
        self.network, self.clock = network, clock
        org = network.topology.organization("Org1")
        root = network.builder.material.organization("Org1").ca.certificate.pem()
        name, endpoint = org.authority.name, f"localhost:{org.authority.port}"
        self.authority = CertificateAuthority(f"https://{endpoint}", name, ClientTls(root))
        self.channel = network.topology.channels[0]

    async def registrar(self):
        return await self.authority.enroll(REGISTRAR, REGISTRAR_SECRET)

    async def enroll(self, name, **request):
        """Register somebody and have him certified."""
        registrar = await self.registrar()
        secret = await registrar.register(Registration(name, affiliation="org1.department1"))
        return await self.authority.enroll(name, secret, EnrollmentRequest(**request))

    def contract(self, identity):
        gateway = Gateway(
            self.network.access.peer(PEER), identity.signer("Org1MSP"), now=self.clock
        )
        return gateway.get_network(self.channel.name).get_contract("probe")

    async def put(self, identity, value):
        return await self.contract(identity).submit_transaction("put", "lamp", value)

    async def endorsed(self, identity):
        """A transaction, endorsed and not yet sent; and the same, signed, as an envelope."""
        proposal = self.contract(identity).new_proposal("put", ["lamp", "iron"])
        transaction = await proposal.endorse()
        envelope = PreparedTransaction.FromString(transaction.serialized).envelope
        envelope.signature = identity.signer("Org1MSP").sign(envelope.payload)
        return transaction, envelope

    async def order(self, envelope):
        """Hand an envelope to the orderer's chain, past its filters."""
        support = self.network.orderers[ORDERER].registrar.get(self.channel.name)
        await support.chain.order(envelope, support.sequence)

    async def code(self, transaction):
        """What every peer has found of a transaction."""
        found = set()
        for peer in self.network.peers.values():
            channel = peer.channel(self.channel.name)
            waiting = channel.wait_for_transaction(transaction.transaction_id)
            code, _ = await asyncio.wait_for(waiting, PATIENCE)
            found.add(code)
        (code,) = found
        return code

    async def publish(self, crl):
        """Bring a revocation list into the channel's configuration."""
        operations = ChannelOperations(self.network.access)

        def change(config):
            return changes.add_revocations(config, "Org1MSP", [crl])

        envelope = await operations.propose(self.channel, change)
        signers = operations.organizations(self.channel)
        await operations.submit(self.channel, operations.sign(envelope, signers), "")

    async def revoke(self, name):
        """Revoke somebody at the CA, and tell the channel."""
        registrar = await self.registrar()
        revoked = await registrar.revoke(name, reason="keycompromise")
        await self.publish(await registrar.revocation_list())
        return revoked

    def ordered_blocks(self, identity):
        """Blocks from the orderer, as they come."""
        seek = seek_envelope(
            self.channel.name,
            NEWEST,
            NEVER,
            SeekInfo.BLOCK_UNTIL_READY,
            identity.signer("Org1MSP"),
            self.clock,
            b"n" * 24,
        )

        async def requests():
            yield seek
            await asyncio.Event().wait()

        orderer = self.network.access.orderer(self.channel)
        return orderer.stream("/orderer.AtomicBroadcast/Deliver", requests(), DeliverResponse)

    def peer_blocks(self, identity):
        gateway = Gateway(
            self.network.access.peer(PEER), identity.signer("Org1MSP"), now=self.clock
        )
        return gateway.get_network(self.channel.name).block_events(start_block=0)


async def exhaust(blocks):
    """Read a stream to its end."""
    while True:
        await asyncio.wait_for(anext(blocks), PATIENCE)


@pytest.fixture
async def life():
    clock = Clock()
    network = Network.in_memory(Topology.default().with_ports(lambda _: 0), now=clock)
    async with network:
        await network.serve()
        await deploy(network.access, PROBE, "probe")
        yield Life(network, clock)


# --- registered, enrolled, trading ----------------------------------------------------


async def test_whom_the_ca_certifies_trades_at_once(life):
    alice = await life.enroll("alice")
    assert await life.put(alice, "brass") == b"brass"
    renewed = await alice.reenroll()
    assert await life.put(renewed, "iron") == b"iron"
    assert await life.contract(alice).evaluate_transaction("get", "lamp") == b"iron"


# --- revoked --------------------------------------------------------------------------


async def test_revoking_alone_changes_nothing_until_the_channel_hears_of_it(life):
    alice = await life.enroll("alice")
    registrar = await life.registrar()
    await registrar.revoke("alice")
    assert await life.put(alice, "brass") == b"brass"
    with pytest.raises(AuthorityRefused, match="Authentication failure"):
        await alice.reenroll()
    await life.publish(await registrar.revocation_list())
    with pytest.raises(GatewayError, match="access denied"):
        await life.put(alice, "iron")


async def test_the_endorser_refuses_who_is_revoked_and_nobody_else(life):
    alice, bob = await life.enroll("alice"), await life.enroll("bob")
    assert len((await life.revoke("alice")).certificates) == 1
    for call in (life.put(alice, "iron"), life.contract(alice).evaluate("get", ["lamp"])):
        with pytest.raises(GatewayError, match=r"creator org \[Org1MSP\]"):
            await call
    assert await life.put(bob, "iron") == b"iron"


async def test_the_orderer_refuses_what_was_endorsed_before(life):
    alice = await life.enroll("alice")
    transaction, _ = await life.endorsed(alice)
    await life.revoke("alice")
    with pytest.raises(GatewayError) as caught:
        await transaction.submit()
    assert "FORBIDDEN" in str(caught.value) + str(caught.value.details)


async def test_the_validator_rejects_what_an_orderer_lets_pass(life):
    alice = await life.enroll("alice")
    transaction, envelope = await life.endorsed(alice)
    await life.revoke("alice")
    await life.order(envelope)
    assert await life.code(transaction) == BAD_CREATOR_SIGNATURE


async def test_the_streams_of_peer_and_orderer_end(life):
    alice = await life.enroll("alice")
    async with aclosing(life.ordered_blocks(alice)) as ordered, life.peer_blocks(alice) as blocks:
        await anext(ordered)
        await anext(blocks)
        await life.revoke("alice")
        with pytest.raises(GatewayError, match=r"FORBIDDEN|PERMISSION_DENIED"):
            await exhaust(blocks)
        assert (await asyncio.wait_for(anext(ordered), PATIENCE)).status == Status.FORBIDDEN


async def test_a_lost_key_is_revoked_and_its_owner_goes_on_with_another(life):
    alice = await life.enroll("alice")
    renewed = await alice.reenroll()
    registrar = await life.registrar()
    details = alice.signer("Org1MSP").details
    root = life.network.builder.material.organization("Org1").ca.certificate
    revoked = await registrar.revoke(
        serial=f"{details.serial_number:x}",
        authority_key_id=root.subject_key_id.hex(),
        reason="keycompromise",
        crl=True,
    )
    await life.publish(revoked.crl)
    with pytest.raises(GatewayError, match="access denied"):
        await life.put(alice, "brass")
    assert await life.put(renewed, "brass") == b"brass"


async def test_later_lists_still_name_those_revoked_before(life):
    alice, bob = await life.enroll("alice"), await life.enroll("bob")
    await life.revoke("alice")
    await life.revoke("bob")
    for each in (alice, bob):
        with pytest.raises(GatewayError, match="access denied"):
            await life.put(each, "iron")


# --- expired, and not yet valid -------------------------------------------------------

YEAR = timedelta(days=366)


async def test_the_endorser_and_the_orderer_refuse_who_has_expired(life):
    alice = await life.enroll("alice")
    before, _ = await life.endorsed(alice)
    life.clock.ahead += YEAR
    with pytest.raises(GatewayError, match="proposal client identity expired"):
        await life.put(alice, "iron")
    with pytest.raises(GatewayError) as caught:
        await before.submit()
    assert "broadcast client identity expired" in str(caught.value) + str(caught.value.details)
    with pytest.raises(AuthorityRefused, match="Authentication failure"):
        await alice.reenroll()
    assert await life.put(await life.enroll("bob"), "iron") == b"iron"


async def test_the_validator_looks_at_no_clock(life):
    """Blocks must be judged alike at any time, so what was ordered counts."""
    alice = await life.enroll("alice")
    transaction, envelope = await life.endorsed(alice)
    life.clock.ahead += YEAR
    await life.order(envelope)
    assert await life.code(transaction) == VALID


async def test_streams_end_with_the_certificate(life):
    alice, bob = await life.enroll("alice"), await life.enroll("bob")
    async with aclosing(life.ordered_blocks(alice)) as ordered, life.peer_blocks(alice) as blocks:
        await anext(ordered)
        await anext(blocks)
        transaction, envelope = await life.endorsed(bob)
        life.clock.ahead += YEAR
        await life.order(envelope)
        assert await life.code(transaction) == VALID
        with pytest.raises(GatewayError, match=r"FORBIDDEN|PERMISSION_DENIED|expired"):
            await exhaust(blocks)
        assert (await asyncio.wait_for(anext(ordered), PATIENCE)).status == Status.FORBIDDEN


async def test_a_certificate_that_is_not_valid_yet_counts_on_the_channel_but_not_at_the_ca(life):
    """Fabric's MSP takes the beginning of a certificate for the time (getValidityOptsForCert)."""
    tomorrow = life.clock() + timedelta(days=1)
    alice = await life.enroll("alice", not_before=tomorrow)
    details = alice.signer("Org1MSP").details
    assert details.not_before > life.clock()
    with pytest.raises(AuthorityRefused, match="Authentication failure"):
        await alice.reenroll()
    assert await life.put(alice, "brass") == b"brass"
    life.clock.ahead += timedelta(days=2)
    assert await life.put(alice, "iron") == b"iron"
    assert (await alice.reenroll()).name == "alice"
