"""Reading the channels of a network description.

A member is an organization's name, MSP id or group; everything else of a channel may be left
out.  `deploy/examples/consortium.yaml` shows every key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gridloom.common.channel.durations import parse_duration
from gridloom.orderer.etcdraft.metadata import Options

from .document import DocumentError, Section, checked_text, nearest, section_of
from .topology import (
    DEFAULT_RAFT,
    Batch,
    Capabilities,
    ChannelPolicies,
    ChannelSpec,
    OrdererNode,
    Organization,
)
from .topology_rules import checked_rule, read_rules, texts, unique

_CHANNEL = re.compile(r"[a-z][a-z0-9.-]{0,248}")

CHANNEL_CAPABILITIES = ("V1_4_3", "V2_0", "V3_0")
ORDERER_CAPABILITIES = ("V1_4_2", "V2_0")
APPLICATION_CAPABILITIES = ("V2_0", "V2_5")


def read_raft(section: Section) -> Options:
    """Read how Raft runs; DocumentError names the path of the first fault."""
    default = DEFAULT_RAFT
    options = Options(
        section.parsed("tick_interval", default.tick_interval, parse_duration),
        section.integer("election_tick", default.election_tick, 2, 1000),
        section.integer("heartbeat_tick", default.heartbeat_tick, 1, 1000),
        section.integer("max_inflight_blocks", default.max_inflight_blocks, 1, 1000),
        section.size("snapshot_interval_size", default.snapshot_interval_size),
    )
    if options.election_tick <= options.heartbeat_tick:
        raise DocumentError(section.at("election_tick"), "must be greater than heartbeat_tick")
    if options.tick_interval.total_seconds() <= 0:
        raise DocumentError(section.at("tick_interval"), "must be positive")
    section.close()
    return options


def read_channels(
    top: Section, orgs: Sequence[Organization], orderers: Sequence[OrdererNode], consensus: str
) -> tuple[ChannelSpec, ...]:
    """Read the channels of a document, mychannel if it names none; DocumentError."""
    items = top.items("channels")
    if items is None:
        items = [("channels[0]", {"name": "mychannel"})]
    sections = [section_of(value, path) for path, value in items]
    channels = tuple(read_channel(section, orgs, orderers, consensus) for section in sections)
    unique(
        [(channel.name, section.path) for channel, section in zip(channels, sections, strict=True)],
        "channel",
    )
    return channels


def read_channel(
    section: Section, orgs: Sequence[Organization], orderers: Sequence[OrdererNode], consensus: str
) -> ChannelSpec:
    """Read one channel; DocumentError names the path of the first fault."""
    name = section.text("name", None, _CHANNEL)
    members = _references(
        section,
        "members",
        {alias: org.name for org in orgs for alias in (org.msp_id, org.group, org.name)},
        tuple(org.name for org in orgs),
    )
    names = tuple(node.name for node in orderers)
    alone = consensus == "solo"
    serving = _references(
        section, "orderers", {name: name for name in names}, names[:1] if alone else names
    )
    if alone and len(serving) != 1:
        raise DocumentError(section.at("orderers"), "solo orders a channel at exactly one node")
    policies = section.section("policies")
    channel = ChannelSpec(
        name,
        members,
        serving,
        _batch(section.section("batch")),
        _capabilities(section.section("capabilities")),
        section.parsed("endorsement", "MAJORITY Endorsement", checked_rule),
        ChannelPolicies(
            *(read_rules(policies, key) for key in ("channel", "application", "orderer"))
        ),
        texts(section.section("acls")),
    )
    policies.close()
    section.close()
    return channel


def _references(
    section: Section, key: str, valid: Mapping[str, str], default: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the full names for a list of names of things described elsewhere."""
    items = section.items(key)
    if items is None:
        return default
    if not items:
        raise DocumentError(section.at(key), "at least one is needed")
    found = []
    for path, item in items:
        name = checked_text(item, path)
        if name not in valid:
            hint = nearest(name, tuple(valid))
            raise DocumentError(path, f"nothing is called {name!r} here{hint}")
        found.append((valid[name], path))
    unique(found, "entry")
    return tuple(name for name, _ in found)


def _batch(section: Section) -> Batch:
    default = Batch()
    batch = Batch(
        section.integer("max_message_count", default.max_message_count, 1, 2**32 - 1),
        section.size("absolute_max_bytes", default.absolute_max_bytes),
        section.size("preferred_max_bytes", default.preferred_max_bytes),
        section.parsed("timeout", default.timeout, parse_duration),
    )
    if batch.preferred_max_bytes > batch.absolute_max_bytes:
        raise DocumentError(section.at("preferred_max_bytes"), "is larger than absolute_max_bytes")
    if batch.timeout.total_seconds() <= 0:
        raise DocumentError(section.at("timeout"), "must be positive")
    section.close()
    return batch


def _capabilities(section: Section) -> Capabilities:
    default = Capabilities()
    capabilities = Capabilities(
        section.choice("channel", default.channel, CHANNEL_CAPABILITIES),
        section.choice("orderer", default.orderer, ORDERER_CAPABILITIES),
        section.choice("application", default.application, APPLICATION_CAPABILITIES),
    )
    section.close()
    return capabilities
