"""The usual changes of a channel's configuration: each from one configuration to the next.

A configuration given is never changed; `compute_update` makes the update from both.  Whether
the result obeys the rules is for `ChannelBundle` to say.
(Fabric: what fabric-samples do with configtxlator and jq.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from google.protobuf.message import Message

from gridloom.protos.common.configtx_pb2 import Config, ConfigGroup
from gridloom.protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from gridloom.protos.orderer.configuration_pb2 import BatchSize, BatchTimeout, ConsensusType
from gridloom.protos.orderer.etcdraft.configuration_pb2 import ConfigMetadata, Consenter
from gridloom.protos.peer.configuration_pb2 import ACLs, AnchorPeers

from .. import pem
from ..wire import parse
from . import names
from .durations import render_duration
from .errors import ConfigError

M = TypeVar("M", bound=Message)

CRL = "X509 CRL"
"""The kind of PEM block a revocation list is kept in."""


@dataclass(frozen=True, slots=True)
class BatchChange:
    """New limits of a block; None leaves one as it is. Bytes, and the longest wait."""

    max_message_count: int | None = None
    absolute_max_bytes: int | None = None
    preferred_max_bytes: int | None = None
    timeout: timedelta | None = None


def add_organization(config: Config, name: str, group: ConfigGroup) -> Config:
    """Add an application organization under the key ``name``; ConfigError if there is one."""
    changed, section = _section(config, names.APPLICATION)
    if name in section.groups:
        raise ConfigError(f"the channel has an organization {name} already")
    section.groups[name].CopyFrom(group)
    return changed


def remove_organization(config: Config, org: str) -> Config:
    """Remove an application organization, by group key or MSP id; ConfigError if unknown."""
    changed, section = _section(config, names.APPLICATION)
    del section.groups[_group_name(section, org)]
    return changed


def set_batch(config: Config, change: BatchChange) -> Config:
    """Change when the orderer cuts a block."""
    changed, section = _section(config, names.ORDERER)
    size = _value(section, "BatchSize", BatchSize)
    for limit in ("max_message_count", "absolute_max_bytes", "preferred_max_bytes"):
        number = getattr(change, limit)
        if number is not None:
            if not 0 < number < 2**32:
                raise ConfigError(f"{limit}: {number} is not in 1..{2**32 - 1}")
            setattr(size, limit, number)
    _set(section, "BatchSize", size)
    if change.timeout is not None:
        _set(section, "BatchTimeout", BatchTimeout(timeout=render_duration(change.timeout)))
    return changed


def set_anchor_peers(config: Config, org: str, peers: Sequence[tuple[str, int]]) -> Config:
    """Replace an organization's anchor peers (host, port); none removes the value."""
    changed, section = _section(config, names.APPLICATION)
    group = section.groups[_group_name(section, org)]
    anchors = AnchorPeers()
    for host, port in peers:
        anchors.anchor_peers.add(host=host, port=port)
    _set_or_remove(group, "AnchorPeers", anchors, keep=bool(peers))
    return changed


def set_acls(config: Config, policies: Mapping[str, str]) -> Config:
    """Set the policy (a path, absolute or below /Channel/Application) of each resource named.

    An empty policy takes the entry away: the resource's default is in force again.
    """
    changed, section = _section(config, names.APPLICATION)
    acls = _value(section, "ACLs", ACLs)
    for resource, policy in policies.items():
        if policy:
            acls.acls[resource].policy_ref = policy
        elif resource in acls.acls:
            del acls.acls[resource]
        else:
            raise ConfigError(f"the channel has no ACL for {resource}")
    _set_or_remove(section, "ACLs", acls, keep=bool(acls.acls))
    return changed


def add_revocations(config: Config, org: str, crls: Iterable[bytes]) -> Config:
    """Append revocation lists, PEM or DER, to an organization's MSP wherever it is defined."""
    changed = _copy(config)
    lists = [_crl_pem(each) for each in crls]
    sections = changed.channel_group.groups
    found = [
        group
        for section in (names.APPLICATION, names.ORDERER)
        if section in sections
        for name, group in sections[section].groups.items()
        if org in (name, msp_config_of(group).name)
    ]
    if not found:
        raise ConfigError(f"the channel has no organization {org}")
    for group in found:
        msp = msp_config_of(group)
        msp.revocation_list.extend(lists)
        config_bytes = msp.SerializeToString(deterministic=True)
        _set(group, names.MSP, MSPConfig(type=0, config=config_bytes))
    return changed


def add_consenter(config: Config, endpoint: str, server: bytes, client: bytes = b"") -> Config:
    """Add a consenter at ``host:port``, showing these PEM certificates, one if they are the same.

    ConfigError when there is one at that place.
    """
    changed, metadata = _consenters(config)
    if any(_endpoint(each) == endpoint for each in metadata.consenters):
        raise ConfigError(f"the channel has a consenter {endpoint} already")
    host, _, port = endpoint.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"{endpoint!r} is not host:port")
    metadata.consenters.add(
        host=host, port=int(port), server_tls_cert=server, client_tls_cert=client or server
    )
    return _with_consenters(changed, metadata)


def remove_consenter(config: Config, endpoint: str) -> Config:
    """Remove the consenter at ``host:port``; ConfigError if there is none."""
    changed, metadata = _consenters(config)
    metadata.consenters.remove(_consenter(metadata, endpoint))
    return _with_consenters(changed, metadata)


def rotate_consenter(config: Config, endpoint: str, server: bytes, client: bytes = b"") -> Config:
    """Give the consenter at ``host:port`` other certificates; ConfigError if there is none."""
    changed, metadata = _consenters(config)
    found = _consenter(metadata, endpoint)
    found.server_tls_cert, found.client_tls_cert = server, client or server
    return _with_consenters(changed, metadata)


def _consenters(config: Config) -> tuple[Config, ConfigMetadata]:
    changed, section = _section(config, names.ORDERER)
    consensus = _value(section, "ConsensusType", ConsensusType)
    if consensus.type != "etcdraft":
        raise ConfigError(f"consensus type {consensus.type} has no consenters to change")
    return changed, parse(ConfigMetadata, consensus.metadata, "etcdraft config metadata")


def _with_consenters(changed: Config, metadata: ConfigMetadata) -> Config:
    section = changed.channel_group.groups[names.ORDERER]
    consensus = _value(section, "ConsensusType", ConsensusType)
    consensus.metadata = metadata.SerializeToString(deterministic=True)
    _set(section, "ConsensusType", consensus)
    return changed


def _consenter(metadata: ConfigMetadata, endpoint: str) -> Consenter:
    for each in metadata.consenters:
        if _endpoint(each) == endpoint:
            return each
    known = ", ".join(map(_endpoint, metadata.consenters))
    raise ConfigError(f"the channel has no consenter {endpoint}; there is: {known}")


def _endpoint(consenter: Consenter) -> str:
    return f"{consenter.host}:{consenter.port}"


def msp_config_of(group: ConfigGroup) -> FabricMSPConfig:
    """Return the MSP that an organization's group defines, an empty one when there is none."""
    return parse(FabricMSPConfig, _value(group, names.MSP, MSPConfig).config, names.MSP)


def _copy(config: Config) -> Config:
    changed = Config()
    changed.CopyFrom(config)
    return changed


def _section(config: Config, name: str) -> tuple[Config, ConfigGroup]:
    """A copy of the configuration, and a section in it that can be changed."""
    changed = _copy(config)
    if name not in changed.channel_group.groups:
        raise ConfigError(f"the configuration has no {name} section")
    return changed, changed.channel_group.groups[name]


def _group_name(section: ConfigGroup, org: str) -> str:
    if org in section.groups:
        return org
    for name, group in sorted(section.groups.items()):
        if msp_config_of(group).name == org:
            return name
    known = ", ".join(sorted(section.groups))
    raise ConfigError(f"the channel has no organization {org}; there is: {known}")


def _value(group: ConfigGroup, key: str, kind: type[M]) -> M:
    data = group.values[key].value if key in group.values else b""
    return parse(kind, data, key)


def _set(group: ConfigGroup, key: str, value: Message) -> None:
    entry = group.values[key]
    if type(value).FromString(entry.value) != value or not entry.mod_policy:
        # Bytes that say the same in another order are left alone: they are no change.
        entry.value = value.SerializeToString(deterministic=True)
    entry.mod_policy = entry.mod_policy or names.ADMINS


def _set_or_remove(group: ConfigGroup, key: str, value: Message, *, keep: bool) -> None:
    if keep:
        _set(group, key, value)
    elif key in group.values:
        del group.values[key]


def _crl_pem(data: bytes) -> bytes:
    return data if pem.decode(data) is not None else pem.encode(CRL, data)
