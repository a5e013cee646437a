"""market/dipi/cycle on a real network in this process: three channels, three chaincodes.

The orderer mines its blocks by proof of credit, as the paper's chains do.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from gridloom.chaincode import energy
from gridloom.chaincode.energy.dipi.coin import credit_of
from gridloom.chaincode.energy.dipi.records import (
    Bid,
    Expectation,
    GridTerms,
    LinePlan,
    Offer,
    PeriodRecord,
    Reading,
)
from gridloom.chaincode.energy.dipi.trading import KnownCredit
from gridloom.chaincode.energy.qualifications import (
    BuyerQualification,
    Market,
    SellerQualification,
    Unit,
    UnitId,
)
from gridloom.chaincode.energy.roles import Role
from gridloom.chaincode.type_hints import converter
from gridloom.client.admin import ChaincodeDefinition
from gridloom.deploy.network import Network
from gridloom.deploy.packaging import package_source
from gridloom.deploy.topology import Topology
from gridloom.market.dipi.cycle import (
    CREDIT,
    DU1,
    JY1,
    LH1,
    SCHEDULING,
    TRADING,
    Chain,
    Cycle,
    Parties,
    PeriodInput,
)
from gridloom.market.journal import Journal, Member
from gridloom.market.tips import Tips

pytestmark = pytest.mark.network

AUTHENTICATION = "authentication"
CHAINCODES = {
    DU1: (SCHEDULING, "scheduling"),
    JY1: (TRADING, "trading"),
    LH1: (CREDIT, "credit_index"),
}
TERMS = GridTerms(wheeling=20_000, retail=615_000, buyback=410_000)
TOPOLOGY = f"""
consensus: poca
poca: {{difficulty: 4}}
organizations:
  - {{name: Dispatch, users: [{{name: desk, attributes: {{gridloom.role: operator}}}}]}}
  - name: Traders
    users:
      - {{name: wind, attributes: {{gridloom.role: SU, gridloom.capacity: '250000'}}}}
      - {{name: solar, attributes: {{gridloom.role: SU, gridloom.capacity: '250000'}}}}
      - {{name: home, attributes: {{gridloom.role: BU}}}}
  - {{name: Utility, users: [{{name: meter, attributes: {{gridloom.role: grid}}}}]}}
channels:
  - {{name: {DU1}, members: [Dispatch]}}
  - {{name: {JY1}, members: [Dispatch, Traders, Utility]}}
  - {{name: {LH1}, members: [Dispatch, Traders, Utility]}}
"""


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    folder = Path(energy.__file__).parent
    async with Network.in_memory(Topology.parse(TOPOLOGY)) as running:
        for channel in running.topology.channels:
            name, module = CHAINCODES[channel.name]
            for label, path in ((AUTHENTICATION, AUTHENTICATION), (name, f"dipi.{module}")):
                package = package_source(folder, label=label, module=f"energy.{path}")
                definition = ChaincodeDefinition(label)
                await running.access.deploy_chaincode(package, definition, channel)
        yield running


def member(network: Network, organization: str, user: str, channel: str) -> Member:
    signer = network.access.signer(organization, user)
    reached = network.access.gateway(organization, user).get_network(channel)
    return Member(user, signer.msp_id, reached, signer)


@pytest.fixture
async def chains(network: Network) -> AsyncIterator[dict[str, Chain]]:
    """The three channels, the market founded on each."""
    async with AsyncExitStack() as stack:
        found = {}
        for channel in network.topology.channels:
            representatives = {"Dispatch": "desk", "Traders": "home", "Utility": "meter"}
            peers = [
                member(network, name, representatives[name], channel.name).network
                for name in channel.members
            ]
            journal = Journal(await stack.enter_async_context(Tips(peers)))
            desk = member(network, "Dispatch", "desk", channel.name)
            await journal.submit(
                desk, AUTHENTICATION, "found", ["TradersMSP"], "UtilityMSP", result=Market
            )
            found[channel.name] = Chain(journal, desk)
        yield found


async def admitted(network: Network, jy1: Chain) -> Parties:
    wind, solar, home = (member(network, "Traders", n, JY1) for n in ("wind", "solar", "home"))
    for number, seller in ((1, wind), (2, solar)):
        seen = SellerQualification("wind", "name", number, 250_000, "clean")
        await jy1.journal.submit(seller, AUTHENTICATION, "register_seller", seen, result=Unit)
    seen = BuyerQualification("resident", 3, "name", "clean", "household")
    await jy1.journal.submit(home, AUTHENTICATION, "register_buyer", seen, result=Unit)
    units = [UnitId(Role.SU, 1), UnitId(Role.SU, 2), UnitId(Role.BU, 3)]
    await jy1.journal.submit(jy1.dispatcher, AUTHENTICATION, "approve", units, result=type(None))
    meter = member(network, "Utility", "meter", JY1)
    return Parties(meter, {1: wind, 2: solar}, {3: home})


def given(period: int, generated: int) -> PeriodInput:
    """200 kWh wanted, 200 kWh offered by each of two equal sellers."""
    offers = [Offer(n, period, 200_000, 550_000, 250_000, 1, 0) for n in (1, 2)]
    return PeriodInput(
        period,
        [LinePlan("west", 900_000, 100_000)],
        TERMS,
        offers,
        [Bid(3, period, 200_000, 560_000, 0)],
        lambda match: Reading(match.number, 200_000, generated),
    )


async def read(network: Network, user: tuple[str, str], channel: str, *call: str) -> bytes:
    chaincode, function, *arguments = call
    reached = network.access.gateway(*user).get_network(channel)
    return await reached.get_contract(chaincode).evaluate_transaction(function, *arguments)


async def test_credit_lost_in_one_period_costs_the_seller_the_next(network, chains):
    cycle = Cycle(chains[DU1], chains[JY1], chains[LH1], await admitted(network, chains[JY1]))
    first = await cycle.trade(given(1, generated=150_000))
    assert first.schedule.volume == 800_000
    assert [match.su_id for match in first.matching.matches] == [1]
    assert first.record is not None
    (trade,) = first.record.trades
    assert trade.buyer == trade.seller + trade.grid
    assert [(p.unit, credit_of(p)) for p in first.proofs] == [("BU3", 10**8), ("SU1", 75_000_000)]

    second = await cycle.trade(given(2, generated=200_000))
    assert [match.su_id for match in second.matching.matches] == [2]

    # The same facts stand on all three chains, for every organisation that may read them.
    for user in (("Traders", "home"), ("Utility", "meter")):
        known = await read(network, user, JY1, TRADING, "known", "SU1")
        assert converter(KnownCredit).from_argument(known).credit == 75_000_000
        settled = await read(network, user, JY1, TRADING, "settled", "1")
        assert converter(PeriodRecord).from_argument(settled) == first.record
    kept = await read(network, ("Dispatch", "desk"), DU1, SCHEDULING, "expectation", "1")
    assert converter(Expectation).from_argument(kept).deviation == 50_000


async def test_a_period_whose_lines_are_full_trades_nothing(network, chains):
    cycle = Cycle(chains[DU1], chains[JY1], chains[LH1], await admitted(network, chains[JY1]))
    full = [LinePlan("west", 100_000, 100_000)]
    outcome = await cycle.trade(replace(given(1, 0), lines=full))
    assert outcome.schedule.volume == 0
    assert outcome.matching.matches == []
    assert outcome.proofs == ()
