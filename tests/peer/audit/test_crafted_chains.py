"""Channels no golden network shows: upgraded, BFT, and such as stop a peer."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from gridloom.common import blocks
from gridloom.common.policies import language
from gridloom.peer.audit import BlockSources, audit
from gridloom.peer.ledger.state_database import StateDatabase
from gridloom.protos.common import common_pb2, configuration_pb2, policies_pb2
from gridloom.protos.common.configtx_pb2 import Config, ConfigEnvelope
from gridloom.protos.ledger.rwset import rwset_pb2
from gridloom.protos.ledger.rwset.kvrwset import kv_rwset_pb2
from gridloom.protos.msp import identities_pb2, msp_principal_pb2
from gridloom.protos.peer import collection_pb2, transaction_pb2
from harness.auditing import audited, codes, places, said
from harness.consortium import CHANNEL, consortium
from harness.crafted_chain import CraftedChain
from harness.stage_a import collections
from harness.transactions import VALIDATION_PARAMETER, collection, namespace, rwset

ORG1 = language.parse("OR('Org1MSP.peer')").SerializeToString()


def application_capability(name: str) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        value = config.channel_group.groups["Application"].values["Capabilities"]
        capabilities = configuration_pb2.Capabilities()
        capabilities.capabilities[name].SetInParent()
        value.value = capabilities.SerializeToString()

    return change


def batch_count(count: int) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        value = config.channel_group.groups["Orderer"].values["BatchTimeout"]
        value.value = b"\x0a\x02%ds" % count

    return change


def record(chain: CraftedChain, *numbers_and_codes: tuple[int, list[int]]) -> None:
    for number, recorded in numbers_and_codes:
        blocks.set_metadata(chain.blocks[number], common_pb2.TRANSACTIONS_FILTER, bytes(recorded))


def test_definitions_invocations_and_config_updates_are_valid():
    chain = CraftedChain()
    chain.add(chain.defined("basic"))
    chain.add(chain.written("basic", a=b"1"), chain.written("undefined", a=b"1"))
    chain.add(chain.configured(batch_count(3)))
    chain.add(chain.written("basic", a=b"2"))
    report = audited(chain.blocks, CHANNEL)
    assert said(report) == []
    assert codes(report) == [
        ["VALID"],
        ["VALID"],
        ["VALID", "INVALID_CHAINCODE"],
        ["VALID"],
        ["VALID"],
    ]


def test_a_key_policy_that_does_not_parse_stops_a_peer_but_not_the_auditor():
    chain = CraftedChain()
    chain.add(chain.defined("basic"))
    guard = rwset(namespace("basic", {"k": b"v"}, metadata={"k": {VALIDATION_PARAMETER: b"\xff"}}))
    chain.add(chain.draft(guard).envelope())
    chain.add(chain.written("basic", k=b"w"), chain.written("basic", free=b"x"))
    chain.add(chain.written("basic", other=b"y"))
    record(chain, (1, [0]), (2, [0]), (3, [0, 0]), (4, [0]))
    report = audited(chain.blocks, CHANNEL)
    assert places(report) == [(3, 0, "code")]
    assert "a peer would stop the channel here" in report.differences[0].reason
    assert codes(report)[2:] == [["VALID"], [None, "VALID"], ["VALID"]]
    assert [block.commit_hash is None for block in report.blocks] == [
        True,
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("fault", ["garbage", "unsigned update", "same again"])
def test_a_config_transaction_that_stops_a_peer_leaves_the_configuration_as_it_was(fault):
    chain = CraftedChain()
    chain.add(chain.defined("basic"))
    good = chain.configured(batch_count(3))
    chain.add(good)
    if fault == "garbage":
        bad = chain.ordered(b"\xff\xff")
    elif fault == "same again":
        bad = good
    else:
        config = ConfigEnvelope(config=chain.bundle.config)
        config.config.sequence += 1
        bad = chain.ordered(config.SerializeToString())
    chain.add(bad)
    chain.add(chain.written("basic", a=b"1"))
    chain.add(chain.configured(batch_count(4)))
    report = audited(chain.blocks, CHANNEL)
    assert places(report) == [(3, 0, "code")]
    assert codes(report)[3:] == [[None], ["VALID"], ["VALID"]]


def test_an_empty_config_transaction_has_a_code():
    chain = CraftedChain()
    chain.add(chain.ordered(b""))
    report = audited(chain.blocks, CHANNEL)
    assert codes(report)[1] == ["INVALID_CONFIG_TRANSACTION"]


def test_a_channel_upgraded_from_fabric_1_is_judged_from_its_upgrade_on():
    chain = CraftedChain(application_capability("V1_4_2"))
    bad = chain.draft(b"").envelope()[:-1] + b"\x00"
    chain.add(chain.written("old", a=b"1"), bad)
    record(chain, (1, [0, 4]))
    chain.add(chain.configured(application_capability("V2_0")))
    chain.add(chain.defined("basic"))
    chain.add(chain.written("basic", a=b"1"), chain.written("old", a=b"1"))
    report = audited(chain.blocks, CHANNEL)
    assert said(report) == []
    assert codes(report)[1:] == [
        [None, "BAD_CREATOR_SIGNATURE"],
        ["VALID"],
        ["VALID"],
        ["VALID", "INVALID_CHAINCODE"],
    ]
    assert "below V2_0" in report.remarks[0]


def test_without_recorded_codes_an_old_channels_state_is_not_known():
    chain = CraftedChain(application_capability("V1_4_2"))
    chain.add(chain.written("old", a=b"1"))
    chain.add(chain.configured(application_capability("V2_0")))
    chain.add(chain.defined("basic"))
    report = audited(chain.blocks, CHANNEL)
    assert said(report) == []
    assert codes(report)[1:] == [[None], ["VALID"], [None]]
    assert any("not the state" in remark for remark in report.remarks)


def test_a_first_block_that_is_no_genesis_block_is_a_difference():
    chain = CraftedChain()
    chain.blocks[0] = blocks.new_block(0, b"", [chain.written("basic", a=b"1")])
    chain.add(chain.written("basic", a=b"1"))
    report = audited(chain.blocks, CHANNEL)
    assert places(report)[0] == (0, None, "block")
    assert codes(report) == [[None], [None]]
    assert report.blocks[1].orderer_signatures_ok is None


class Bft:
    """Four consenters, of which three have to sign."""

    def __init__(self) -> None:
        self.consenters = {
            7: consortium().orderer(),
            8: consortium().peer(1),
            9: consortium().peer(2),
            10: consortium().user(1),
        }

    def configure(self, config: Config) -> None:
        root = config.channel_group
        capabilities = configuration_pb2.Capabilities()
        capabilities.capabilities["V3_0"].SetInParent()
        root.values["Capabilities"].value = capabilities.SerializeToString()
        if "OrdererAddresses" in root.values:
            del root.values["OrdererAddresses"]
        orderer = root.groups["Orderer"]
        orderer.values["Orderers"].value = configuration_pb2.Orderers(
            consenter_mapping=[
                configuration_pb2.Consenter(
                    id=number,
                    msp_id=signer.msp_id,
                    identity=identities_pb2.SerializedIdentity.FromString(
                        signer.serialized
                    ).id_bytes,
                )
                for number, signer in self.consenters.items()
            ]
        ).SerializeToString()
        orderer.values["Orderers"].mod_policy = "Admins"
        policy = orderer.policies["BlockValidation"].policy
        policy.type = policies_pb2.Policy.SIGNATURE
        policy.value = self._three_of_four().SerializeToString()

    def _three_of_four(self) -> policies_pb2.SignaturePolicyEnvelope:
        identities = [
            msp_principal_pb2.MSPPrincipal(
                principal_classification=msp_principal_pb2.MSPPrincipal.IDENTITY,
                principal=signer.serialized,
            )
            for signer in self.consenters.values()
        ]
        leaves = [policies_pb2.SignaturePolicy(signed_by=index) for index in range(4)]
        rule = policies_pb2.SignaturePolicy(
            n_out_of=policies_pb2.SignaturePolicy.NOutOf(n=3, rules=leaves)
        )
        return policies_pb2.SignaturePolicyEnvelope(rule=rule, identities=identities)

    def sign(self, *numbers: int) -> Callable[[common_pb2.Block], None]:
        """Signatures that name their signers by number; odd ones are nobody's."""

        def sign(block: common_pb2.Block) -> None:
            metadata = blocks.set_last_config(block, 0, b"view metadata")
            for number in numbers:
                header = common_pb2.IdentifierHeader(identifier=number).SerializeToString()
                signed = metadata.value + header + blocks.header_bytes(block.header)
                signer = self.consenters.get(number, consortium().orderer())
                metadata.signatures.add(identifier_header=header, signature=signer.sign(signed))
            blocks.set_metadata(block, common_pb2.SIGNATURES, metadata.SerializeToString())

        return sign


def test_bft_blocks_need_a_quorum_of_consenters():
    bft = Bft()
    chain = CraftedChain(bft.configure)
    entry = chain.defined("basic")
    chain.add(entry, sign=bft.sign(7, 8, 9))
    chain.add(entry, sign=bft.sign(7, 99, 10, 9))  # one that is nobody's does no harm
    chain.add(entry, sign=bft.sign(7, 8))
    chain.add(entry, sign=bft.sign(7, 7, 7, 8))
    chain.add(entry, sign=bft.sign(7, 8, 99))
    report = audited(chain.blocks, CHANNEL)
    signed = [block.orderer_signatures_ok for block in report.blocks]
    assert signed == [True, True, True, False, False, False]
    assert [what for _, _, what in places(report)] == ["signatures"] * 3


def test_signatures_by_number_mean_nothing_on_other_channels():
    chain = CraftedChain()
    chain.add(chain.defined("basic"), sign=Bft().sign(7, 8, 9))
    report = audited(chain.blocks, CHANNEL)
    assert report.blocks[1].orderer_signatures_ok is False


def test_codes_of_one_block_are_held_against_a_state_without_it():
    chain = CraftedChain()
    chain.add(chain.defined("basic"))
    entry = chain.written("basic", a=b"1")
    chain.add(entry, entry)
    chain.add(entry)
    report = audited(chain.blocks, CHANNEL)
    duplicate = transaction_pb2.TxValidationCode.Name(transaction_pb2.DUPLICATE_TXID)
    assert codes(report)[2:] == [["VALID", duplicate], [duplicate]]


def test_hashes_of_private_data_go_when_their_time_is_over():
    config = collection_pb2.StaticCollectionConfig(name="short", block_to_live=1)
    chain = CraftedChain()
    chain.add(chain.defined("basic", collections=collections(config)))
    key = sha256(b"k").digest()

    def reads(version: kv_rwset_pb2.Version | None) -> bytes:
        read = kv_rwset_pb2.KVReadHash(key_hash=key, version=version)
        hashed = kv_rwset_pb2.HashedRWSet(hashed_reads=[read]).SerializeToString()
        read_set = rwset_pb2.CollectionHashedReadWriteSet(
            collection_name="short", hashed_rwset=hashed
        )
        return chain.draft(rwset(namespace("basic", collections=[read_set]))).envelope()

    writes = rwset(namespace("basic", collections=[collection("short", {"k": b"v"})]))
    chain.add(chain.draft(writes).envelope())
    written = kv_rwset_pb2.Version(block_num=2, tx_num=0)
    chain.add(reads(written), reads(None))
    chain.add(reads(written), reads(None))  # it goes with this block, after its transactions
    chain.add(reads(written), reads(None))
    report = audited(chain.blocks, CHANNEL)
    conflict = "MVCC_READ_CONFLICT"
    assert codes(report)[3:] == [["VALID", conflict], ["VALID", conflict], [conflict, "VALID"]]


def test_writes_that_couchdb_refuses_are_invalid_only_where_it_keeps_the_state(tmp_path):
    chain = CraftedChain()
    chain.add(chain.defined("basic"))
    chain.add(chain.written("basic", _secret=b"1"), chain.written("basic", plain=b"1"))
    for block in chain.blocks:
        (tmp_path / f"{block.header.number}").write_bytes(block.SerializeToString())
    sources = BlockSources([tmp_path])
    assert codes(audit(sources))[2] == ["VALID", "VALID"]
    report = audit(sources, state_database=StateDatabase.COUCHDB)
    assert codes(report)[2] == ["INVALID_WRITESET", "VALID"]
