"""The members of the three chains, made on a consortium: founding, admission, meters.

(Fabric counterpart: an application on the Gateway SDK.)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType

from gridloom.chaincode.energy.dipi.records import CreditRecord
from gridloom.chaincode.energy.qualifications import (
    BuyerQualification,
    Market,
    SellerQualification,
    Unit,
    UnitId,
)
from gridloom.chaincode.energy.roles import Role

from ..journal import Journal, Member
from ..study import Consortium
from ..tips import Tips
from .cycle import CREDIT, DU1, JY1, LH1, SCHEDULING, TRADING, Chain, Cycle, Parties

AUTHENTICATION = "authentication"
CHANNELS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        DU1: ("operator",),
        JY1: ("operator", "prosumers", "utility"),
        LH1: ("operator", "prosumers", "utility"),
    }
)
"""Scheduling is the dispatchers' private chain; trading and credit are everybody's."""

_CAPACITY = 500_000
_MODULES = {DU1: SCHEDULING, JY1: TRADING, LH1: CREDIT}
_PEOPLE = {
    "operator": ("desk", Role.OPERATOR),
    "prosumers": ("member", Role.BU),
    "utility": ("meter", Role.GRID),
}


@asynccontextmanager
async def cycle_on(
    consortium: Consortium, sellers: Mapping[int, int], buyers: Sequence[int]
) -> AsyncIterator[Cycle]:
    """The cycle on the consortium's three channels, for as long as it is used.

    sellers: natural weighting factor in millionths by seller's id, 0 for none.
    """
    async with AsyncExitStack() as stack:
        chains = {}
        for name, organisations in CHANNELS.items():
            channel = consortium.on(name)
            await channel.deploy(AUTHENTICATION)
            await channel.deploy(_MODULES[name].replace("dipi_", "dipi."))
            people = [_person(channel, organisation) for organisation in organisations]
            tips = await stack.enter_async_context(Tips([one.network for one in people]))
            chains[name] = await _founded(Chain(Journal(tips), people[0]), consortium)
        parties = await _admitted(chains[JY1], consortium.on(JY1), list(sellers), buyers)
        for number, alpha in sellers.items():
            if alpha:
                await chains[LH1].journal.submit(
                    chains[LH1].dispatcher, CREDIT, "natural_factor", number, alpha,
                    result=CreditRecord,
                )  # fmt: skip
        yield Cycle(chains[DU1], chains[JY1], chains[LH1], parties)


def _person(channel: Consortium, organisation: str) -> Member:
    name, role = _PEOPLE[organisation]
    return channel.member(organisation, name, role.value)


async def _founded(chain: Chain, consortium: Consortium) -> Chain:
    jy1 = consortium.on(JY1)
    units, grid = (_person(jy1, one).msp_id for one in ("prosumers", "utility"))
    await chain.journal.submit(
        chain.dispatcher, AUTHENTICATION, "found", [units], grid, result=Market
    )
    return chain


async def _admitted(
    jy1: Chain, channel: Consortium, sellers: Sequence[int], buyers: Sequence[int]
) -> Parties:
    journal = jy1.journal
    selling = {n: channel.member("prosumers", f"su{n}", Role.SU.value, _CAPACITY) for n in sellers}
    buying = {n: channel.member("prosumers", f"bu{n}", Role.BU.value) for n in buyers}
    for number, member in selling.items():
        seller = SellerQualification("DPGC", "", number, _CAPACITY, "")
        await journal.submit(member, AUTHENTICATION, "register_seller", seller, result=Unit)
    for number, member in buying.items():
        buyer = BuyerQualification("resident", number, "", "", "household")
        await journal.submit(member, AUTHENTICATION, "register_buyer", buyer, result=Unit)
    units = [UnitId(Role.SU, n) for n in selling] + [UnitId(Role.BU, n) for n in buying]
    await journal.submit(jy1.dispatcher, AUTHENTICATION, "approve", units, result=type(None))
    return Parties(_person(channel, "utility"), selling, buying)
