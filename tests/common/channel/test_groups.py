"""The tree that configtxgen made of a configtx.yaml, built again, and the genesis block."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from gridloom.common.blocks import envelope_at, header_hash
from gridloom.common.channel import groups
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.durations import parse_duration
from gridloom.common.channel.errors import ConfigError
from gridloom.common.channel.genesis import genesis_block
from gridloom.common.channel.sections import BatchSize
from gridloom.common.envelopes import open_envelope
from gridloom.common.msp_directory import load_msp
from gridloom.protos.common import common_pb2
from gridloom.protos.common.configtx_pb2 import ConfigGroup
from gridloom.protos.msp.msp_config_pb2 import MSPConfig
from gridloom.protos.orderer.etcdraft.configuration_pb2 import ConfigMetadata
from harness import golden_config
from harness.shared import shared

NOW = datetime(2026, 11, 20, 12, 30, 15, 999_000, tzinfo=UTC)


def _profile() -> tuple[Path, dict]:
    path = shared("golden", "config", "configtx.yaml")
    return path.parent, yaml.safe_load(path.read_text())["Profiles"]["ChannelUsingRaft"]


def _rules(section) -> dict[str, str]:
    return {name: policy["Rule"] for name, policy in section["Policies"].items()}


def _bytes(text: str) -> int:
    number, unit = text.split()
    return int(number) * {"KB": 1024, "MB": 1024**2}[unit]


def _capabilities(section) -> list[str]:
    return [name for name, on in section["Capabilities"].items() if on]


def _raft_metadata(root: Path, consenters) -> bytes:
    metadata = ConfigMetadata()
    for consenter in consenters:
        metadata.consenters.add(
            host=consenter["Host"],
            port=consenter["Port"],
            client_tls_cert=(root / consenter["ClientTLSCert"]).read_bytes(),
            server_tls_cert=(root / consenter["ServerTLSCert"]).read_bytes(),
        )
    options = metadata.options
    options.tick_interval, options.election_tick, options.heartbeat_tick = "500ms", 10, 1
    options.max_inflight_blocks, options.snapshot_interval_size = 5, 16 * 1024**2
    return metadata.SerializeToString()


def _orderer_group(root: Path, section) -> ConfigGroup:
    size = section["BatchSize"]
    ordering = groups.Ordering(
        section["OrdererType"],
        BatchSize(
            size["MaxMessageCount"],
            _bytes(size["AbsoluteMaxBytes"]),
            _bytes(size["PreferredMaxBytes"]),
        ),
        parse_duration(section["BatchTimeout"]),
        _raft_metadata(root, section["EtcdRaft"]["Consenters"]),
    )
    orgs = {
        org["Name"]: groups.orderer_org_group(
            load_msp(root / org["MSPDir"], org["ID"]), _rules(org), org["OrdererEndpoints"]
        )
        for org in section["Organizations"]
    }
    return groups.orderer_group(orgs, ordering, _capabilities(section), _rules(section))


def _application_group(root: Path, section) -> ConfigGroup:
    orgs = {
        org["Name"]: groups.application_org_group(
            load_msp(root / org["MSPDir"], org["ID"]),
            _rules(org),
            [(anchor["Host"], anchor["Port"]) for anchor in org["AnchorPeers"]],
        )
        for org in section["Organizations"]
    }
    return groups.application_group(orgs, _capabilities(section), _rules(section))


@pytest.fixture(scope="module")
def built() -> ConfigGroup:
    root, profile = _profile()
    sections = {
        "Orderer": _orderer_group(root, profile["Orderer"]),
        "Application": _application_group(root, profile["Application"]),
    }
    return groups.channel_group(
        sections, _capabilities(profile), _rules(profile), profile["Orderer"]["Addresses"]
    )


def test_the_tree_equals_the_one_configtxgen_made(built):
    assert built == golden_config.genesis_config().channel_group


def test_the_defaults_are_the_policies_of_the_samples(built):
    _, profile = _profile()
    assert _rules(profile) == groups.CHANNEL_RULES
    assert _rules(profile["Orderer"]) == groups.ORDERER_RULES
    assert _rules(profile["Application"]) == groups.APPLICATION_RULES
    for org in profile["Application"]["Organizations"]:
        assert _rules(org) == groups.application_org_rules(org["ID"])
    for org in profile["Orderer"]["Organizations"]:
        assert _rules(org) == groups.orderer_org_rules(org["ID"])


def test_the_genesis_block_has_the_shape_of_the_real_one(built):
    nonce = bytes(range(24))
    block = genesis_block("golden1", built, lambda: NOW, lambda count: nonce[:count])
    real = golden_config.block(0)
    assert ChannelBundle.from_config_block(block).config == golden_config.genesis_config()
    assert block.metadata.metadata[0] == real.metadata.metadata[0] == bytes.fromhex("0a020a00")
    assert block.metadata.metadata[1] == real.metadata.metadata[1] == b""
    assert len(block.metadata.metadata) == len(real.metadata.metadata) == 5
    ours, theirs = (open_envelope(envelope_at(each, 0)) for each in (block, real))
    for one in (ours, theirs):
        assert one.channel_header.type == common_pb2.CONFIG
        assert (one.channel_header.version, one.channel_header.epoch) == (1, 0)
        assert one.channel_header.timestamp.nanos == 0
        assert one.signature_header.creator == b""
        assert len(one.signature_header.nonce) == 24
        assert re.fullmatch("[0-9a-f]{64}", one.channel_header.tx_id)
    assert ours.channel_header.timestamp.ToDatetime(UTC) == NOW.replace(microsecond=0)
    assert envelope_at(block, 0).signature == b""
    assert (block.header.number, block.header.previous_hash) == (0, b"")


def test_the_real_genesis_block_comes_out_byte_for_byte_from_its_nonce_and_time():
    real = golden_config.block(0)
    opened = open_envelope(envelope_at(real, 0))
    made = genesis_block(
        "golden1",
        golden_config.genesis_config().channel_group,
        lambda: opened.channel_header.timestamp.ToDatetime(UTC),
        lambda _: opened.signature_header.nonce,
    )
    again = open_envelope(envelope_at(made, 0))
    assert again.payload.header == opened.payload.header
    # Go writes maps in a random order, so the configuration is compared as a message.
    assert ChannelBundle.from_config_block(made).config == golden_config.genesis_config()
    same = genesis_block(
        "golden1",
        golden_config.genesis_config().channel_group,
        lambda: opened.channel_header.timestamp.ToDatetime(UTC),
        lambda _: opened.signature_header.nonce,
    )
    assert header_hash(same.header) == header_hash(made.header)


def test_missing_and_malformed_rules_are_refused():
    msp = MSPConfig()
    with pytest.raises(ConfigError, match="no Admins policy defined"):
        groups.application_org_group(msp, {"Readers": "ANY x", "Writers": "ANY x"})
    with pytest.raises(ConfigError, match="policy Readers: unexpected token EOF"):
        groups.application_org_group(msp, {**groups.CHANNEL_RULES, "Readers": ""})
    ordering = groups.Ordering("solo", BatchSize(1, 1, 1), parse_duration("1s"))
    with pytest.raises(ConfigError, match="no BlockValidation policy defined"):
        groups.orderer_group({}, ordering, [], groups.CHANNEL_RULES)
    with pytest.raises(ConfigError, match="'Bad' contains illegal"):
        genesis_block("Bad", ConfigGroup(), lambda: NOW, bytes)


def test_what_is_empty_is_not_written():
    group = groups.application_org_group(MSPConfig(), groups.CHANNEL_RULES)
    assert set(group.values) == {"MSP"}
    assert set(groups.orderer_org_group(MSPConfig(), groups.CHANNEL_RULES).values) == {"MSP"}
    assert set(groups.application_group({}, []).values) == set()
    root = groups.channel_group({}, [], consortium="Sample")
    assert set(root.values) == {"HashingAlgorithm", "BlockDataHashingStructure", "Consortium"}
