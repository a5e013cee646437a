"""Judges the messages of one channel before they are ordered.

(Fabric: orderer/common/msgprocessor/standardchannel.go.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import (
    NONCE_LENGTH,
    Clock,
    OpenEnvelope,
    open_envelope,
    signed_envelope,
)
from gridloom.common.errors import GridloomError
from gridloom.common.identities import Signer
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2, configtx_pb2

from .filters import Filter
from .filters.maintenance import check_transition, in_maintenance
from .filters.rejection import InMaintenance, MessageRejected


class Classification(Enum):
    """How a message is to be processed, by the type in its channel header."""

    NORMAL = auto()
    CONFIG_UPDATE = auto()
    CONFIG = auto()
    UNSUPPORTED = auto()


_CLASSES: dict[int, Classification] = {
    common_pb2.CONFIG_UPDATE: Classification.CONFIG_UPDATE,
    common_pb2.CONFIG: Classification.CONFIG,
    common_pb2.ORDERER_TRANSACTION: Classification.UNSUPPORTED,
}


def classify(header: common_pb2.ChannelHeader) -> Classification:
    """The class of a message; whatever is not about configuration is normal."""
    return _CLASSES.get(header.type, Classification.NORMAL)


class ProposeUpdate(Protocol):
    """Applies a config update to the configuration in force."""

    def __call__(self, update: common_pb2.Envelope) -> configtx_pb2.ConfigEnvelope:
        """The configuration it leads to; a GridloomError if it is not allowed."""


class MessageProcessor:
    """The filters of one channel and what becomes of its config updates.

    bundle: the configuration in force, asked at each message; filters: those of a configuration;
    propose: see ProposeUpdate.
    """

    def __init__(
        self,
        bundle: Callable[[], ChannelBundle],
        filters: Callable[[ChannelBundle], Sequence[Filter]],
        propose: ProposeUpdate,
        *,
        signer: Signer,
        now: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._bundle = bundle
        self._filters = filters
        self._known: _Rules | None = None
        self._propose = propose
        self._signer = signer
        self._now = now
        self._random_bytes = random_bytes

    def process_normal(self, message: OpenEnvelope) -> int:
        """Return the config sequence a normal message passed under; raises MessageRejected."""
        rules = self._rules()
        if rules.in_maintenance:
            raise InMaintenance("normal transactions are rejected")
        for check in rules.filters:
            check(message)
        return rules.bundle.sequence

    def process_config_update(
        self, update: common_pb2.Envelope, message: OpenEnvelope
    ) -> tuple[common_pb2.Envelope, int]:
        """The CONFIG message that an update leads to, signed by this orderer, and the sequence.

        The message passes the filters too, so this orderer must be a writer of the channel.
        """
        rules = self._rules()
        bundle = rules.bundle
        what = "config update for existing channel did not pass"
        rules.apply(message, f"{what} initial checks")
        try:
            config = self._propose(update)
        except GridloomError as error:
            raise MessageRejected(
                f"error applying config update to existing channel '{bundle.channel_id}': {error}"
            ) from error
        wrapped = signed_envelope(
            common_pb2.CONFIG,
            bundle.channel_id,
            config.SerializeToString(deterministic=True),
            self._signer,
            self._now,
            self._random_bytes(NONCE_LENGTH),
        )
        rules.apply(open_envelope(wrapped), f"{what} final checks")
        try:
            check_transition(bundle, config)
        except MessageRejected as error:
            raise error.prefixed(f"{what} maintenance checks") from error
        return wrapped, bundle.sequence

    def process_config(self, envelope: common_pb2.Envelope) -> tuple[common_pb2.Envelope, int]:
        """Compute a CONFIG message again, because the configuration has changed meanwhile."""
        config = parse(
            configtx_pb2.ConfigEnvelope, open_envelope(envelope).payload.data, "config envelope"
        )
        return self.process_config_update(config.last_update, open_envelope(config.last_update))

    def _rules(self) -> _Rules:
        """The rules of the configuration in force, worked out once for each."""
        bundle = self._bundle()
        known = self._known
        if known is None or known.bundle is not bundle:
            filters = self._filters(bundle)
            known = self._known = _Rules(bundle, filters, in_maintenance=in_maintenance(bundle))
        return known


@dataclass(frozen=True, slots=True)
class _Rules:
    """What messages are judged by under one configuration."""

    bundle: ChannelBundle
    filters: Sequence[Filter]
    in_maintenance: bool

    def apply(self, message: OpenEnvelope, what: str) -> None:
        """Apply the filters; ``what`` stands before the words of a rejection."""
        try:
            for check in self.filters:
                check(message)
        except MessageRejected as error:
            raise error.prefixed(what) from error
