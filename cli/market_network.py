"""The network that a study of ``gridloom market run`` trades on: three organisations.

It lives in this process and in a temporary folder, as long as the study needs it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .running import run

if TYPE_CHECKING:
    from gridloom.deploy.network import Network
    from gridloom.deploy.topology import Topology
    from gridloom.market.journal import Member
    from gridloom.market.study import Chain, Consortium

T = TypeVar("T")

_PATIENCE = 600.0  # seconds
_MSPS = {"operator": "OperatorMSP", "prosumers": "ProsumersMSP", "utility": "UtilityMSP"}


def on_ledger(
    work: Callable[[Consortium], Awaitable[T]],
    channels: Mapping[str, Sequence[str]] | None = None,
) -> T:
    """Start the network, do the work in it, and take it away again.

    channels: names and organisations, one channel of all unless given.
    """
    with tempfile.TemporaryDirectory(prefix="gridloom-market-") as folder:
        return run(_with_network(Path(folder), work, channels or {}))


async def _with_network(
    folder: Path,
    work: Callable[[Consortium], Awaitable[T]],
    channels: Mapping[str, Sequence[str]],
) -> T:
    from importlib import resources  # noqa: PLC0415

    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415
    from gridloom.deploy.network import Network  # noqa: PLC0415
    from gridloom.deploy.topology import Topology  # noqa: PLC0415

    text = (resources.files("gridloom.deploy") / "examples" / "microgrid.yaml").read_text()
    topology = _with_channels(Topology.parse(text), channels)
    async with Network.create(topology, NetworkHome(folder)) as network:
        return await work(MarketNetwork(network, topology.channels[0].name))


def _with_channels(topology: Topology, channels: Mapping[str, Sequence[str]]) -> Topology:
    (described,) = topology.channels
    wanted = [
        replace(
            described,
            name=name,
            members=tuple(topology.organization(_MSPS[member]).name for member in members),
        )
        for name, members in channels.items()
    ]
    return replace(topology, channels=tuple(wanted) or topology.channels)


class MarketNetwork:
    """The market's view of a running network (market.study.Consortium)."""

    def __init__(self, network: Network, channel: str) -> None:
        self._network = network
        self._spec = network.topology.channel(channel)
        self.channel = channel

    def on(self, channel: str) -> MarketNetwork:
        """The same network on another channel."""
        return MarketNetwork(self._network, channel)

    async def deploy(self, chaincode: str) -> None:
        """Take a chaincode of chaincode/energy through the lifecycle."""
        from gridloom.chaincode import energy  # noqa: PLC0415
        from gridloom.client.admin import ChaincodeDefinition  # noqa: PLC0415
        from gridloom.deploy.packaging import package_source  # noqa: PLC0415

        source = Path(energy.__file__).parent
        name = chaincode.replace(".", "_")
        package = package_source(source, label=f"{name}_1.0", module=f"energy.{chaincode}")
        definition = ChaincodeDefinition(name)
        await self._network.access.deploy_chaincode(package, definition, self._spec)

    def member(
        self, organisation: str, name: str, roles: str = "", capacity: int | None = None
    ) -> Member:
        """Somebody of an organisation, enrolled now unless he is already."""
        from gridloom.client import Timeouts  # noqa: PLC0415
        from gridloom.market.journal import Member  # noqa: PLC0415

        access, msp_id = self._network.access, _MSPS[organisation]
        if name not in access.material.organization(msp_id).users:
            attributes = {"gridloom.role": roles} if roles else {}
            if capacity is not None:
                attributes["gridloom.capacity"] = str(capacity)
            access.material.issue_user(msp_id, name, attributes=attributes)
        # All nodes are in this process: a busy machine is slow, nobody is unreachable.
        patient = Timeouts(_PATIENCE, _PATIENCE, _PATIENCE, _PATIENCE)
        gateway = access.gateway(msp_id, name, timeouts=patient)
        channel = gateway.get_network(self.channel)
        return Member(name, msp_id, channel, access.signer(msp_id, name))

    async def chain(self) -> Chain:
        """Blocks and bytes of the channel so far."""
        from gridloom.market.study import Chain  # noqa: PLC0415
        from gridloom.protos.common.ledger_pb2 import BlockchainInfo  # noqa: PLC0415

        network = self._network.access.gateway(_MSPS["operator"], "desk").get_network(self.channel)
        qscc = network.get_contract("qscc")
        answer = await qscc.evaluate_transaction("GetChainInfo", self.channel)
        height, size = BlockchainInfo.FromString(answer).height, 0
        async with network.block_events(start_block=0) as blocks:
            async for block in blocks:
                size += block.ByteSize()
                if block.header.number + 1 >= height:
                    break
        return Chain(height, size)
