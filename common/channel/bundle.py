"""A channel's configuration, checked and ready for use: MSPs, policies, sections.

A bundle never changes; an accepted config update makes a new one.
(Fabric: common/channelconfig/bundle.go, common/configtx.)
"""

from __future__ import annotations

from collections.abc import Sequence

from gridloom.protos.common import common_pb2, configuration_pb2
from gridloom.protos.common.configtx_pb2 import Config, ConfigEnvelope, ConfigGroup

from ..blocks import BlockError, envelope_at
from ..envelopes import open_channel_header, open_payload
from ..errors import MalformedMessage
from ..msp import MspManager
from ..policies.policy import InvalidPolicy, SignedData
from ..policies.policy_manager import PolicyManager
from ..wire import parse
from . import names
from .capabilities import Capabilities, ChannelCapabilities
from .config_map import map_config
from .errors import ConfigError, UnsupportedCapability, UpdateRejected
from .organizations import MspRegistry, consortiums
from .sections import ApplicationConfig, OrdererConfig, read_application, read_orderer
from .succession import check_successor
from .update_validation import apply_update, open_config_update
from .values import GroupValues

_CHANNEL_VALUES = {
    "HashingAlgorithm": configuration_pb2.HashingAlgorithm,
    "BlockDataHashingStructure": configuration_pb2.BlockDataHashingStructure,
    "OrdererAddresses": configuration_pb2.OrdererAddresses,
    "Orderers": configuration_pb2.Orderers,
    "Consortium": configuration_pb2.Consortium,
    names.CAPABILITIES: configuration_pb2.Capabilities,
}
_ONLY_WIDTH = 2**32 - 1


class ChannelBundle:
    """One configuration of one channel.

    channel_id; config; sequence; capabilities; msp_manager; policies: found by path;
    consortium: its name, mostly empty; consortiums: of a system channel, consortium ->
    org -> MSP id.
    """

    def __init__(
        self, channel_id: str, config: Config, *, allow_old_application: bool = False
    ) -> None:
        """Check a configuration against every rule; ConfigError names the first one broken.

        The message is kept, not copied, and must not be changed afterwards.
        allow_old_application: accept application capabilities below V2_0, whose lifecycle and
        endorsement rules are not here: for reading such channels, never for serving them.
        """
        self.channel_id = channel_id
        self._allow_old_application = allow_old_application
        self.config = config
        self.sequence = config.sequence
        if not config.HasField("channel_group"):
            raise ConfigError("config must contain a channel group")
        group = config.channel_group
        _check_capabilities_order(group)
        values = GroupValues(group, _CHANNEL_VALUES)
        self.capabilities = _capabilities(group)
        addresses = _channel_values(values, self.capabilities)
        self.consortium = values.get("Consortium", configuration_pb2.Consortium).name
        msps = MspRegistry(self.capabilities.msp_version)
        self._orderer: OrdererConfig | None = None
        self._application: ApplicationConfig | None = None
        self.consortiums: dict[str, dict[str, str]] | None = None
        for name, child in sorted(group.groups.items()):
            self._read_section(name, child, addresses, msps)
        self.msp_manager: MspManager = msps.manager()
        try:
            self.policies = PolicyManager(names.CHANNEL, group, self.msp_manager)
        except InvalidPolicy as error:
            raise ConfigError(f"initializing policymanager failed: {error}") from error
        names.check_channel_id(channel_id)
        self._elements = map_config(group)

    @staticmethod
    def from_config_block(block: common_pb2.Block) -> ChannelBundle:
        """Read the bundle from a block with a CONFIG envelope; ConfigError."""
        try:
            envelope = envelope_at(block, 0)
        except (BlockError, MalformedMessage) as error:
            raise ConfigError(f"malformed configuration block: {error}") from error
        return ChannelBundle.from_envelope(envelope)

    @staticmethod
    def from_envelope(envelope: common_pb2.Envelope) -> ChannelBundle:
        """Read the bundle from a CONFIG envelope; ConfigError."""
        try:
            header = open_channel_header(envelope)
            if header.type != common_pb2.CONFIG:
                raise ConfigError(f"invalid type {header.type}, expected CONFIG")
            found = parse(ConfigEnvelope, open_payload(envelope).data, "ConfigEnvelope")
        except MalformedMessage as error:
            raise ConfigError(f"malformed configuration envelope: {error}") from error
        return ChannelBundle(header.channel_id, found.config)

    @property
    def orderer(self) -> OrdererConfig:
        """Return the Orderer section; ConfigError when the channel has none."""
        if self._orderer is None:
            raise ConfigError(f"channel {self.channel_id} does not contain orderer config")
        return self._orderer

    @property
    def application(self) -> ApplicationConfig:
        """Return the Application section; ConfigError when the channel has none."""
        if self._application is None:
            raise ConfigError(f"channel {self.channel_id} does not contain application config")
        return self._application

    @property
    def has_orderer(self) -> bool:
        """Return whether there is an Orderer section."""
        return self._orderer is not None

    @property
    def has_application(self) -> bool:
        """Return whether there is an Application section."""
        return self._application is not None

    @property
    def orderer_endpoints(self) -> list[tuple[str, str]]:
        """Return (MSP id, host:port) of the orderers, each organization's own if any has some.

        Otherwise the channel's global addresses, which may be any orderer organization's.
        """
        orgs = self.orderer.orgs.values()
        own = [(org.msp_id, endpoint) for org in orgs for endpoint in org.endpoints]
        return own or [(org.msp_id, address) for org in orgs for address in self.orderer.addresses]

    def evaluate(self, policy_path: str, signatures: Sequence[SignedData]) -> None:
        """Raise PolicyNotSatisfied unless the signatures satisfy the policy at a path."""
        self.policies.get(policy_path).evaluate(signatures)

    def propose_update(self, envelope: common_pb2.Envelope) -> ConfigEnvelope:
        """Return the next configuration that a CONFIG_UPDATE envelope makes; UpdateRejected.

        The orderer's step: the result still has to be wrapped, signed and ordered.
        """
        try:
            update = open_config_update(envelope)
        except UpdateRejected as error:
            raise UpdateRejected(f"error converting envelope to config update: {error}") from error
        try:
            group = apply_update(self.channel_id, self._elements, self.policies, update)
        except ConfigError as error:
            raise UpdateRejected(f"error authorizing update: {error}") from error.__cause__
        config = Config(sequence=self.sequence + 1, channel_group=group)
        return ConfigEnvelope(config=config, last_update=envelope)

    def validate_config(self, config_envelope: ConfigEnvelope) -> None:
        """Raise UpdateRejected unless its last_update, applied here, gives its config.

        The peer's step: the orderer's work done again.
        """
        if not config_envelope.HasField("config"):
            raise UpdateRejected("config envelope has nil config")
        sequence = config_envelope.config.sequence
        if sequence != self.sequence + 1:
            raise UpdateRejected(
                f"config currently at sequence {self.sequence}, "
                f"cannot validate config at sequence {sequence}"
            )
        update = open_config_update(config_envelope.last_update)
        group = apply_update(self.channel_id, self._elements, self.policies, update)
        if group != config_envelope.config.channel_group:
            raise UpdateRejected(
                "ConfigEnvelope LastUpdate did not produce the supplied config result"
            )

    def validate_new(self, successor: ChannelBundle) -> None:
        """Raise UpdateRejected when the next bundle changes what may not change."""
        check_successor(self, successor)

    def accept(self, config_envelope: ConfigEnvelope) -> ChannelBundle:
        """Return the next bundle that a committed CONFIG transaction brings; ConfigError.

        All of the peer's steps: the update done again, the result checked by itself and as
        the successor of this one.
        """
        self.validate_config(config_envelope)
        successor = ChannelBundle(
            self.channel_id,
            config_envelope.config,
            allow_old_application=self._allow_old_application,
        )
        self.validate_new(successor)
        return successor

    def _read_section(
        self, name: str, group: ConfigGroup, addresses: tuple[str, ...], msps: MspRegistry
    ) -> None:
        try:
            match name:
                case names.ORDERER:
                    self._orderer = read_orderer(group, addresses, msps, self.capabilities)
                case names.APPLICATION:
                    if not self._allow_old_application:
                        self.capabilities.require_lifecycle()
                    self._application = read_application(group, msps)
                case names.CONSORTIUMS:
                    self.consortiums = consortiums(group, msps)
                case _:
                    raise ConfigError(f"Disallowed channel group: {name}")
        except UnsupportedCapability:
            raise
        except ConfigError as error:
            raise ConfigError(
                f"could not create channel {name} sub-group config: {error}"
            ) from error


def _check_capabilities_order(group: ConfigGroup) -> None:
    """Refuse capabilities anywhere as long as the Orderer group has none."""
    if names.ORDERER not in group.groups:
        return
    if names.CAPABILITIES in group.groups[names.ORDERER].values:
        return
    if names.CAPABILITIES in group.values:
        raise ConfigError("cannot enable channel capabilities without orderer support first")
    if (
        names.APPLICATION in group.groups
        and names.CAPABILITIES in group.groups[names.APPLICATION].values
    ):
        raise ConfigError("cannot enable application capabilities without orderer support first")


def _capabilities(group: ConfigGroup) -> ChannelCapabilities:
    return ChannelCapabilities(
        _required(names.CHANNEL, group),
        *(
            _required(name, group.groups[name] if name in group.groups else ConfigGroup())
            for name in (names.ORDERER, names.APPLICATION)
        ),
    )


def _required(name: str, group: ConfigGroup) -> Capabilities:
    if names.CAPABILITIES not in group.values:
        return Capabilities.of(name, ())
    value = group.values[names.CAPABILITIES].value
    try:
        message = parse(configuration_pb2.Capabilities, value, names.CAPABILITIES)
    except MalformedMessage as error:
        raise ConfigError(f"failed to deserialize values: {error}") from error
    return Capabilities.of(name, tuple(message.capabilities))


def _channel_values(values: GroupValues, capabilities: ChannelCapabilities) -> tuple[str, ...]:
    """Check the values of the channel group itself; return the global orderer addresses."""
    hashing = values.get("HashingAlgorithm", configuration_pb2.HashingAlgorithm).name
    if hashing not in ("SHA256", "SHA3_256"):
        raise ConfigError(f"Unknown hashing algorithm type: {hashing}")
    structure = values.get("BlockDataHashingStructure", configuration_pb2.BlockDataHashingStructure)
    if structure.width != _ONLY_WIDTH:
        raise ConfigError("BlockDataHashStructure width only supported at MaxUint32")
    addresses = tuple(values.get("OrdererAddresses", configuration_pb2.OrdererAddresses).addresses)
    if not capabilities.org_specific_endpoints and not addresses:
        raise ConfigError("Must set some OrdererAddresses")
    if capabilities.bft and addresses:
        raise ConfigError(
            "global OrdererAddresses are not allowed with V3_0 capability, "
            "use org specific addresses only"
        )
    return addresses
