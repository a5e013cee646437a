"""A channel's blocks made by a test: signed by the orderer, chained, with any content.

chain = CraftedChain()
chain.add(chain.defined("basic"))                # block 1, a chaincode definition
chain.add(chain.written("basic", a=b"1"))        # block 2
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gridloom.common import blocks
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.update import compute_update
from gridloom.common.envelopes import open_payload, signature_header, signed_envelope
from gridloom.common.identities import Signer
from gridloom.common.policies import language
from gridloom.peer.chaincodes.lifecycle.definitions import NAMESPACES, ChaincodeDefinition
from gridloom.peer.chaincodes.lifecycle.serializer import field_key, metadata_key
from gridloom.protos.common import common_pb2, configtx_pb2, policies_pb2
from gridloom.protos.common.configtx_pb2 import Config

from .consortium import CHANNEL, clock, consortium
from .stage_a import MAJORITY
from .transactions import Draft, namespace, rwset


def anybody_may_do_anything(config: Config) -> Config:
    """Replace every policy by one that always holds; the same configuration is returned."""
    always = language.parse("OutOf(0, 'Org1MSP.member')").SerializeToString()
    groups = [config.channel_group]
    while groups:
        group = groups.pop()
        groups.extend(group.groups.values())
        for policy in group.policies.values():
            policy.policy.type = policies_pb2.Policy.SIGNATURE
            policy.policy.value = always
    return config


Sign = Callable[[common_pb2.Block], None]


class CraftedChain:
    """blocks: so far; bundle: the configuration in force, config updates applied."""

    def __init__(self, change: Callable[[Config], object] | None = None) -> None:
        """Begin with the default consortium's genesis block, its configuration changed."""
        genesis = consortium().genesis()
        envelope = blocks.envelope_at(genesis, 0)
        payload = open_payload(envelope)
        first = configtx_pb2.ConfigEnvelope.FromString(payload.data)
        if change is not None:
            change(first.config)
            payload.data = first.SerializeToString()
            envelope.payload = payload.SerializeToString()
            genesis = blocks.new_block(0, b"", [envelope.SerializeToString()])
            blocks.set_last_config(genesis, 0)
        self.bundle = ChannelBundle(CHANNEL, first.config, allow_old_application=True)
        self.blocks = [genesis]
        self._nonce = 0

    def add(self, *entries: bytes, sign: Sign | None = None) -> common_pb2.Block:
        """The next block, with these entries; signed by the orderer unless told otherwise."""
        previous = self.blocks[-1].header
        block = blocks.new_block(previous.number + 1, blocks.header_hash(previous), entries)
        if sign is None:
            blocks.sign_block(block, consortium().orderer(), b"nonce", 0)
        else:
            sign(block)
        self.blocks.append(block)
        return block

    def draft(
        self, results: bytes, chaincode: str = "basic", *, organizations: Sequence[int] = (1, 2)
    ) -> Draft:
        """A transaction of its own id, endorsed by peers of these organisations."""
        self._nonce += 1
        return Draft(
            creator=consortium().user(),
            endorsers=[consortium().peer(organization) for organization in organizations],
            nonce=b"nonce %018d" % self._nonce,
            chaincode=chaincode,
            results=results,
        )

    def written(self, chaincode: str, /, **writes: bytes) -> bytes:
        """A transaction that writes these keys."""
        return self.draft(rwset(namespace(chaincode, writes)), chaincode).envelope()

    def defined(
        self, name: str, policy: bytes = MAJORITY, sequence: int = 1, collections: bytes = b""
    ) -> bytes:
        """A transaction that commits a chaincode definition."""
        definition = ChaincodeDefinition(
            sequence=sequence,
            version="1.0",
            endorsement_plugin="escc",
            validation_plugin="vscc",
            validation_parameter=policy,
            collections=collections,
        )
        record = definition.as_record()
        values = {field_key(NAMESPACES, name, key): value for key, value in record.fields.items()}
        values[metadata_key(NAMESPACES, name)] = record.metadata
        return self.draft(rwset(namespace("_lifecycle", values)), "_lifecycle").envelope()

    def configured(
        self, change: Callable[[Config], None], admins: Sequence[Signer] | None = None
    ) -> bytes:
        """A CONFIG transaction that changes the configuration, which is in force from then on.

        admins: who signs the update; all organisations' and the orderer's by default.
        """
        config = self.bundle.propose_update(self.updated(change, admins))
        self.bundle = self.bundle.accept(config)
        return self.ordered(config.SerializeToString())

    def updated(
        self, change: Callable[[Config], None], admins: Sequence[Signer] | None = None
    ) -> common_pb2.Envelope:
        """The signed CONFIG_UPDATE that would change the configuration so."""
        updated = Config()
        updated.CopyFrom(self.bundle.config)
        change(updated)
        update = compute_update(CHANNEL, self.bundle.config, updated).SerializeToString()
        signers = (
            admins
            if admins is not None
            else [
                *(consortium().user(organization, "Admin") for organization in (1, 2)),
                consortium().material.user("OrdererMSP", "Admin").signing_identity,
            ]
        )
        wrapped = configtx_pb2.ConfigUpdateEnvelope(config_update=update)
        for signer in signers:
            header = signature_header(signer.serialized, b"nonce")
            wrapped.signatures.add(signature_header=header, signature=signer.sign(header + update))
        admin = consortium().user(1, "Admin")
        return signed_envelope(
            common_pb2.CONFIG_UPDATE, CHANNEL, wrapped.SerializeToString(), admin, clock, b"nonce"
        )

    def ordered(self, config: bytes) -> bytes:
        """A CONFIG transaction as the orderer makes it, with any content."""
        return signed_envelope(
            common_pb2.CONFIG, CHANNEL, config, consortium().orderer(), clock, b"nonce"
        ).SerializeToString()
