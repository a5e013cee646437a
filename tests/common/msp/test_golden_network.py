"""A real network's MSPs, certificates, identities and signatures, judged by ours."""

import base64
import json

import pytest

from gridloom.common.blocks import header_bytes
from gridloom.common.identities import InvalidIdentity, InvalidSignature, PrincipalNotSatisfied
from gridloom.common.msp import Msp, MspManager, MspVersion
from gridloom.common.msp_directory import load_msp
from gridloom.protos.common.common_pb2 import (
    ENDORSER_TRANSACTION,
    Block,
    BlockMetadataIndex,
    ChannelHeader,
    Envelope,
    Metadata,
    Payload,
    SignatureHeader,
)
from gridloom.protos.common.configtx_pb2 import ConfigEnvelope
from gridloom.protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from gridloom.protos.msp.msp_principal_pb2 import MSPRole
from gridloom.protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction
from harness.authorities import role
from harness.shared import shared

CRYPTO = shared("golden", "msp", "crypto")
ORG1 = CRYPTO / "peerOrganizations" / "org1.example.com"
FOLDERS = sorted(path for path in CRYPTO.rglob("msp") if path.is_dir())
BLOCKS = sorted(shared("golden", "blocks", "peer").glob("*.pb"))
MSP_IDS = {
    "org1.example.com": "Org1MSP",
    "org2.example.com": "Org2MSP",
    "example.com": "OrdererMSP",
}
ROLES = {"users/User": MSPRole.CLIENT, "users/Admin": MSPRole.ADMIN, "peers/": MSPRole.PEER}


def name_of(path) -> str:
    return str(path.relative_to(CRYPTO))


def msp_id_of(folder) -> str:
    return MSP_IDS[folder.relative_to(CRYPTO).parts[1]]


@pytest.fixture(scope="module")
def channel() -> MspManager:
    """The MSPs of channel golden1, as its configuration block states them."""
    block = Block.FromString(shared("golden", "config", "config_block.pb").read_bytes())
    payload = Payload.FromString(Envelope.FromString(block.data.data[0]).payload)
    group = ConfigEnvelope.FromString(payload.data).config.channel_group
    return MspManager(
        Msp.from_config(MSPConfig.FromString(org.values["MSP"].value), MspVersion.V1_4_3)
        for section in ("Application", "Orderer")
        for org in group.groups[section].groups.values()
    )


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_every_msp_folder_sets_up_and_accepts_its_own_certificate(folder):
    msp = Msp.from_config(load_msp(folder, msp_id_of(folder)))
    for path in folder.glob("signcerts/*.pem"):
        identity = msp.identity(path.read_bytes())
        msp.validate(identity)
        wanted = next(
            (kind for part, kind in ROLES.items() if part in str(folder)), MSPRole.ORDERER
        )
        for kind in (MSPRole.CLIENT, MSPRole.PEER, MSPRole.ADMIN, MSPRole.ORDERER):
            if kind == wanted:
                msp.satisfies(identity, role(kind, msp.msp_id))
            else:
                with pytest.raises(PrincipalNotSatisfied):
                    msp.satisfies(identity, role(kind, msp.msp_id))


def test_the_folders_give_the_msps_of_the_channel_configuration(channel):
    """configtxgen read these folders; the bytes that follow from them are the channel's."""
    block = Block.FromString(shared("golden", "config", "config_block.pb").read_bytes())
    payload = Payload.FromString(Envelope.FromString(block.data.data[0]).payload)
    group = ConfigEnvelope.FromString(payload.data).config.channel_group
    compared = 0
    for section in ("Application", "Orderer"):
        for org in group.groups[section].groups.values():
            config = MSPConfig.FromString(org.values["MSP"].value)
            msp_id = Msp.from_config(config).msp_id
            domain = next(domain for domain, known in MSP_IDS.items() if known == msp_id)
            (folder,) = CRYPTO.glob(f"*/{domain}/msp")
            assert load_msp(folder, msp_id) == config
            compared += 1
    assert compared == 3


def test_users_that_fabric_ca_enrolled_are_members(channel):
    msp = channel.msp("Org1MSP")
    alice = msp.identity(shared("golden", "ca", "alice-cert.pem").read_bytes())
    msp.satisfies(alice, role(MSPRole.CLIENT))
    assert alice.serialized.endswith(shared("golden", "ca", "alice-cert.pem").read_bytes())


def test_a_user_whom_fabric_ca_revoked_is_a_member_no_more():
    """The answer to gencrl names alice's serial number."""
    answer = json.loads(shared("golden", "ca", "44-gencrl.json").read_text())
    crl = base64.b64decode(answer["response"]["body"]["result"]["CRL"])
    config = FabricMSPConfig.FromString(load_msp(ORG1 / "msp", "Org1MSP").config)
    config.revocation_list.append(crl)
    msp = Msp.from_config(MSPConfig(config=config.SerializeToString()))
    alice = msp.identity(shared("golden", "ca", "alice-cert.pem").read_bytes())
    with pytest.raises(InvalidIdentity, match="revoked"):
        msp.validate(alice)


def test_a_high_s_root_is_sanitised_in_the_certifiers_identifier(channel):
    """cryptogen's org1 root is high-S: were it not repaired, no node OU would match."""
    msp = channel.msp("Org1MSP")
    root = ORG1 / "ca" / "ca.org1.example.com-cert.pem"
    assert msp._authorities.roots[0].pem() != root.read_bytes()


@pytest.mark.parametrize("path", BLOCKS, ids=lambda path: path.stem)
def test_every_signature_in_a_block_verifies(path, channel):
    block = Block.FromString(path.read_bytes())
    assert block.data.data
    for data in block.data.data:
        envelope = Envelope.FromString(data)
        payload = Payload.FromString(envelope.payload)
        creator = SignatureHeader.FromString(payload.header.signature_header).creator
        if creator:  # the genesis block's envelope has none
            check(channel, creator, envelope.payload, envelope.signature)
        for endorser, message, signature in endorsements(payload):
            check(channel, endorser, message, signature)
    metadata = Metadata.FromString(block.metadata.metadata[BlockMetadataIndex.SIGNATURES])
    for signature in metadata.signatures:
        creator = SignatureHeader.FromString(signature.signature_header).creator
        signed = metadata.value + signature.signature_header + header_bytes(block.header)
        check(channel, creator, signed, signature.signature)
        channel.satisfies(channel.deserialize(creator), role(MSPRole.ORDERER, "OrdererMSP"))
    assert len(metadata.signatures) == (1 if block.header.number else 0)


def endorsements(payload):
    """Yield (endorser, signed bytes, signature) of a transaction; nothing for others."""
    if ChannelHeader.FromString(payload.header.channel_header).type != ENDORSER_TRANSACTION:
        return
    for action in Transaction.FromString(payload.data).actions:
        endorsed = ChaincodeActionPayload.FromString(action.payload).action
        for item in endorsed.endorsements:
            message = endorsed.proposal_response_payload + item.endorser
            yield item.endorser, message, item.signature


def check(channel, serialized, message, signature):
    """Verify one signature, and that it is not one over other bytes."""
    identity = channel.deserialize(serialized)
    channel.validate(identity)
    channel.check_well_formed(serialized)
    identity.verify(message, signature)
    assert identity.serialized == serialized
    with pytest.raises(InvalidSignature):
        identity.verify(message + b"x", signature)
