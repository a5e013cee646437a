"""The system chaincode cscc: joining channels, and their configuration.

(Fabric: core/scc/cscc/configure.go)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gridloom.common.blocks import (
    channel_id as channel_of,
)
from gridloom.common.blocks import (
    envelope_at,
    last_config_index,
    set_metadata,
    transactions_filter,
)
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import open_payload
from gridloom.common.errors import GridloomError
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import (
    CONFIG,
    TRANSACTIONS_FILTER,
    Block,
    ChannelHeader,
)
from gridloom.protos.common.configtx_pb2 import ConfigEnvelope
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import Response
from gridloom.protos.peer.query_pb2 import ChannelQueryResponse, JoinBySnapshotStatus
from gridloom.protos.peer.transaction_pb2 import VALID

from ...ledger.errors import LedgerExists
from ...ledger.snapshots.errors import JoinInProgress
from ..invocation import Invocation
from ..resources import PeerResources
from ..system_chaincode import called_by_another, failure, success

_APPLICATION = "Application"
_WITHOUT_ARGUMENT = frozenset({"GetChannels", "JoinBySnapshotStatus"})


class InvalidConfigBlock(GridloomError):
    """A block a channel cannot be joined with; reason as Fabric words it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConfigurationChaincode:
    """``cscc`` of one peer; arguments are [function, block or channel]."""

    name = "cscc"

    def __init__(self, peer: PeerResources) -> None:
        self._peer = peer
        self._functions: Mapping[str, Callable[[bytes, SignedProposal], Response]] = {
            "JoinChain": self._join,
            "JoinChainBySnapshot": self._join_by_snapshot,
            "JoinBySnapshotStatus": self._join_by_snapshot_status,
            "GetConfigBlock": self._config_block,
            "GetChannelConfig": self._channel_config,
            "GetChannels": self._channels,
        }

    def invoke(self, invocation: Invocation) -> Response:
        """Answer one function call."""
        args = list(invocation.input.args)
        function = args[0].decode("utf-8", "replace") if args else ""
        if not args or (function not in _WITHOUT_ARGUMENT and len(args) < 2):
            return failure(f"Incorrect number of arguments, {len(args)}")
        refusal = called_by_another(self.name, invocation.signed_proposal)
        if refusal is not None:
            return refusal
        run = self._functions.get(function)
        if run is None:
            return failure(f"Requested function {function} not found.")
        return run(args[1] if len(args) > 1 else b"", invocation.signed_proposal)

    def _join(self, argument: bytes, proposal: SignedProposal) -> Response:
        try:
            block = parse(Block, argument, "block")
        except GridloomError as error:
            return failure(f"Failed to reconstruct the genesis block, {error}")
        try:
            channel_id = channel_of(block)
        except GridloomError as error:
            return failure(
                f'"JoinChain" request failed to extract channel id from the block due to [{error}]'
            )
        try:
            _check_config_block(block)
        except GridloomError as error:
            return failure(
                f'"JoinChain" for channelID = {channel_id} failed because of validation of '
                f"configuration block, because of {error}"
            )
        try:
            self._peer.acl.check_proposal(f"{self.name}/JoinChain", "", proposal)
        except GridloomError as error:
            return failure(f"access denied for [JoinChain][{channel_id}]: [{error}]")
        if not transactions_filter(block):
            set_metadata(block, TRANSACTIONS_FILTER, bytes([VALID]) * len(block.data.data))
        return self._join_checked(block)

    def _join_checked(self, block: Block) -> Response:
        try:
            self._peer.join(block)
        except (LedgerExists, JoinInProgress) as error:
            return failure(f"cannot create ledger from genesis block: {error}")
        except GridloomError as error:
            return failure(str(error))
        return success()

    def _join_by_snapshot(self, argument: bytes, proposal: SignedProposal) -> Response:
        if not argument:
            return failure("Cannot join the channel, no snapshot directory provided")
        refusal = self._refuse_locally("JoinChainBySnapshot", "[{}]", proposal)
        if refusal is not None:
            return refusal
        folder = argument.decode("utf-8", "replace")
        try:
            self._peer.join_by_snapshot(folder)
        except GridloomError as error:
            return failure(f"cannot create ledger from snapshot {folder}: {error}")
        return success()

    def _join_by_snapshot_status(self, _: bytes, proposal: SignedProposal) -> Response:
        refusal = self._refuse_locally("JoinBySnapshotStatus", "{}", proposal)
        if refusal is not None:
            return refusal
        folder = self._peer.joining_from
        if folder is None:
            return success()
        status = JoinBySnapshotStatus(in_progress=True, bootstrapping_snapshot_dir=folder)
        return success(status.SerializeToString())

    def _config_block(self, argument: bytes, proposal: SignedProposal) -> Response:
        channel_id = argument.decode("utf-8", "replace")
        refusal = self._refuse("GetConfigBlock", channel_id, proposal)
        if refusal is not None:
            return refusal
        channel = self._peer.channel(channel_id)
        if channel is None:
            return failure(f"Unknown channel ID, {channel_id}")
        ledger = channel.ledger
        try:
            last = ledger.block(ledger.height - 1)
            return success(ledger.block(last_config_index(last)).SerializeToString())
        except GridloomError as error:  # a ledger from a snapshot need not have it
            return failure(str(error))

    def _channel_config(self, argument: bytes, proposal: SignedProposal) -> Response:
        if not argument:
            return failure("empty channel name provided")
        channel_id = argument.decode("utf-8", "replace")
        refusal = self._refuse("GetChannelConfig", channel_id, proposal)
        if refusal is not None:
            return refusal
        channel = self._peer.channel(channel_id)
        if channel is None:
            return failure(f"unknown channel ID, {channel_id}")
        return success(channel.bundle.config.SerializeToString())

    def _channels(self, _: bytes, proposal: SignedProposal) -> Response:
        refusal = self._refuse_locally("GetChannels", "{}", proposal)
        if refusal is not None:
            return refusal
        answer = ChannelQueryResponse()
        for channel_id in self._peer.channel_ids():
            answer.channels.add(channel_id=channel_id)
        return success(answer.SerializeToString())

    def _refuse(self, function: str, channel_id: str, proposal: SignedProposal) -> Response | None:
        try:
            self._peer.acl.check_proposal(f"{self.name}/{function}", channel_id, proposal)
        except GridloomError as error:
            return failure(f"access denied for [{function}][{channel_id}]: {error}")
        return None

    def _refuse_locally(
        self, function: str, wording: str, proposal: SignedProposal
    ) -> Response | None:
        """wording: how Fabric writes the reason of this function's refusal."""
        try:
            self._peer.acl.check_proposal(f"{self.name}/{function}", "", proposal)
        except GridloomError as error:
            return failure(f"access denied for [{function}]: {wording.format(error)}")
        return None


def _check_config_block(block: Block) -> None:
    """Raise InvalidConfigBlock, or the bundle's own error, unless a channel can start from it."""
    payload = open_payload(envelope_at(block, 0))
    header = parse(ChannelHeader, payload.header.channel_header, "channel header")
    if header.type != CONFIG:
        raise InvalidConfigBlock(
            f"Bad configuration envelope: invalid type {header.type}, expected {CONFIG}"
        )
    envelope = parse(ConfigEnvelope, payload.data, "config envelope")
    if not envelope.HasField("config"):
        raise InvalidConfigBlock("Nil config envelope Config")
    if not envelope.config.HasField("channel_group"):
        raise InvalidConfigBlock("Nil channel group")
    if not envelope.config.channel_group.groups:
        raise InvalidConfigBlock("No channel configuration groups are available")
    if _APPLICATION not in envelope.config.channel_group.groups:
        raise InvalidConfigBlock(
            f"Invalid configuration block, missing {_APPLICATION} configuration group"
        )
    ChannelBundle.from_config_block(block)
