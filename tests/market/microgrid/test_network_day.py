"""market/microgrid/day on a real network in this process: three organisations, five chaincodes."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gridloom.chaincode import energy
from gridloom.chaincode.energy.compensations import Settlement
from gridloom.chaincode.energy.neighbours import (
    AUTHENTICATION,
    COMPENSATION,
    DISPATCH,
    ENERGY_UNITS,
    MATCHMAKING,
)
from gridloom.chaincode.type_hints import converter
from gridloom.client import EndorseError
from gridloom.client.admin import ChaincodeDefinition
from gridloom.deploy.network import Network
from gridloom.deploy.packaging import package_source
from gridloom.deploy.topology import Topology
from gridloom.market.journal import Member
from gridloom.market.microgrid.day import Members, trade_day
from gridloom.market.microgrid.energy_day import EnergyDay, paper_day

CHANNEL = "energy"
NAMES = (AUTHENTICATION, ENERGY_UNITS, MATCHMAKING, COMPENSATION, DISPATCH)

pytestmark = pytest.mark.network


def topology(scenario: EnergyDay) -> Topology:
    users = [
        json.dumps({"name": f"user{number}", "attributes": scenario.attributes(number)})
        for number in scenario.users
    ]
    return Topology.parse(f"""
organizations:
  - {{name: Operator, users: [{{name: desk, attributes: {{gridloom.role: operator}}}}]}}
  - {{name: Prosumers, users: [{", ".join(users)}]}}
  - {{name: Utility, users: [{{name: meter, attributes: {{gridloom.role: grid}}}}]}}
channels:
  - {{name: {CHANNEL}, members: [Operator, Prosumers, Utility]}}
""")


def member(network: Network, organization: str, user: str) -> Member:
    signer = network.access.signer(organization, user)
    channel = network.access.gateway(organization, user).get_network(CHANNEL)
    return Member(user, signer.msp_id, channel, signer)


def members(network: Network, scenario: EnergyDay) -> Members:
    users = [member(network, "Prosumers", f"user{number}") for number in scenario.users]
    desk, meter = member(network, "Operator", "desk"), member(network, "Utility", "meter")
    return Members(CHANNEL, desk, meter, users)


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with Network.in_memory(topology(paper_day())) as running:
        folder = Path(energy.__file__).parent
        for name in NAMES:
            package = package_source(folder, label=name, module=f"energy.{name}")
            definition = ChaincodeDefinition(name)
            await running.access.deploy_chaincode(package, definition, running.topology.channels[0])
        yield running


async def test_twelve_hours_side_by_side_never_conflict_and_every_organisation_agrees(network):
    scenario = paper_day()
    day = await trade_day(scenario, members(network, scenario), now=lambda: datetime.now(UTC))
    expected = [
        809908, 810335, 810291, 810271, 810341, 810290,
        810000, 810000, 810289, 810364, 810543, 818618,
    ]  # fmt: skip
    assert [result.match.price for result in day.hours] == pytest.approx(expected, abs=1)
    for organization, user in (("Utility", "meter"), ("Prosumers", "user3")):
        gateway = network.access.gateway(organization, user)
        contract = gateway.get_network(CHANNEL).get_contract(COMPENSATION)
        for result in day.hours:
            answer = await contract.evaluate_transaction("settlement", str(result.hour))
            assert converter(Settlement).from_argument(answer) == result.settlement
    ledger = next(iter(network.peers.values())).channel(CHANNEL).ledger
    for entry in (*day.preparations, *day.hours[0].entries):
        _, block = ledger.tx_status(entry.transaction_id)
        assert block == entry.block


async def test_a_misuse_reaches_the_client_with_its_reason(network):
    grid = network.access.gateway("Utility", "meter").get_network(CHANNEL)
    with pytest.raises(EndorseError) as caught:
        await grid.get_contract(AUTHENTICATION).submit_transaction("found", '["X"]', "GridMSP")
    reasons = [detail.message for detail in caught.value.details]
    assert any("may not act as operator" in reason for reason in reasons)
    operator = network.access.gateway("Operator", "desk").get_network(CHANNEL)
    with pytest.raises(EndorseError) as caught:
        await operator.get_contract(MATCHMAKING).submit_transaction("match", "7")
    reasons = [detail.message for detail in caught.value.details]
    assert any("there is no market yet" in reason for reason in reasons)
