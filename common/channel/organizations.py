"""Organizations of a channel: their MSPs, anchor peers and orderer endpoints.

(Fabric: common/channelconfig/{organization,applicationorg,orderer,consortium,msp}.go.)
"""

from __future__ import annotations

from dataclasses import dataclass

from gridloom.protos.common.configtx_pb2 import ConfigGroup
from gridloom.protos.common.configuration_pb2 import OrdererAddresses
from gridloom.protos.common.policies_pb2 import Policy
from gridloom.protos.msp.msp_config_pb2 import MSPConfig
from gridloom.protos.peer.configuration_pb2 import AnchorPeers

from ..identity_errors import InvalidMspConfig
from ..memo import BoundedMemo
from ..msp import Msp, MspManager, MspVersion
from . import names
from .capabilities import ChannelCapabilities
from .errors import ConfigError
from .values import GroupValues

_KNOWN_MSPS: BoundedMemo[tuple[MspVersion, bytes], Msp] = BoundedMemo(256)
"""MSPs set up before: their rules depend on nothing but version and definition."""


@dataclass(frozen=True, slots=True)
class OrgConfig:
    """An application organization; anchor_peers: (host, port) pairs."""

    group_name: str
    msp_id: str
    msp_config: MSPConfig
    anchor_peers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class OrdererOrgConfig:
    """An orderer organization; endpoints: host:port texts."""

    group_name: str
    msp_id: str
    msp_config: MSPConfig
    endpoints: tuple[str, ...]


class MspRegistry:
    """Collects the MSPs that a configuration defines, each id with one definition only."""

    def __init__(self, version: MspVersion) -> None:
        self._version = version
        self._configs: dict[str, MSPConfig] = {}
        self._msps: dict[str, Msp] = {}

    def define(self, org: str, config: MSPConfig) -> str:
        """Set an MSP up and return its id; ConfigError."""
        msp = self._set_up(config)
        if not msp.msp_id:
            raise ConfigError(f"MSP for org {org} has empty MSP ID")
        known = self._configs.setdefault(msp.msp_id, config)
        if known != config:
            raise ConfigError(f"Attempted to define two different versions of MSP: {msp.msp_id}")
        self._msps.setdefault(msp.msp_id, msp)
        return msp.msp_id

    def manager(self) -> MspManager:
        """Return the manager of all MSPs defined so far."""
        return MspManager(self._msps.values())

    def _set_up(self, config: MSPConfig) -> Msp:
        key = (self._version, config.SerializeToString(deterministic=True))
        msp = _KNOWN_MSPS.get(key)
        if msp is None:
            try:
                msp = Msp.from_config(config, self._version)
            except InvalidMspConfig as error:
                raise ConfigError(f"setting up the MSP manager failed: {error}") from error
            _KNOWN_MSPS.put(key, msp)
        return msp


def application_org(name: str, group: ConfigGroup, msps: MspRegistry) -> OrgConfig:
    """Read the group of an application organization; ConfigError."""
    if group.groups:
        raise ConfigError(f"application org {name}: sub-groups are not allowed")
    values = GroupValues(group, {names.MSP: MSPConfig, "AnchorPeers": AnchorPeers})
    config = values.get(names.MSP, MSPConfig)
    anchors = values.get("AnchorPeers", AnchorPeers).anchor_peers
    pairs = tuple((anchor.host, anchor.port) for anchor in anchors)
    return OrgConfig(name, msps.define(name, config), config, pairs)


def orderer_org(
    name: str, group: ConfigGroup, msps: MspRegistry, capabilities: ChannelCapabilities
) -> OrdererOrgConfig:
    """Read the group of an orderer organization; ConfigError."""
    if group.groups:
        raise ConfigError(f"orderer org {name}: sub-groups are not allowed")
    if not capabilities.org_specific_endpoints and "Endpoints" in group.values:
        raise ConfigError(
            f"Orderer Org {name} cannot contain endpoints value until V1_4_2+ capabilities "
            "have been enabled"
        )
    values = GroupValues(group, {names.MSP: MSPConfig, "Endpoints": OrdererAddresses})
    config = values.get(names.MSP, MSPConfig)
    endpoints = tuple(values.get("Endpoints", OrdererAddresses).addresses)
    return OrdererOrgConfig(name, msps.define(name, config), config, endpoints)


def consortiums(group: ConfigGroup, msps: MspRegistry) -> dict[str, dict[str, str]]:
    """Read the Consortiums group of a system channel: consortium -> org -> MSP id."""
    GroupValues(group, {})
    found: dict[str, dict[str, str]] = {}
    for consortium, members in sorted(group.groups.items()):
        GroupValues(members, {"ChannelCreationPolicy": Policy})
        found[consortium] = {}
        for name, org in sorted(members.groups.items()):
            if org.groups:
                raise ConfigError(f"consortium org {name}: sub-groups are not allowed")
            config = GroupValues(org, {names.MSP: MSPConfig}).get(names.MSP, MSPConfig)
            found[consortium][name] = msps.define(name, config)
    return found
