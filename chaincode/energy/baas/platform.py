"""Contract baas_grid: the feeder, the plan of each period, the observations.

The operator publishes feeder and plans; every plan comes with an operating point, which
is checked.  What units, lines and storages really did is reported by the grid, once for
each subject and period, so that nobody writes his own record.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from gridloom.chaincode import Context, Contract, transaction

from ..faults import BadTerms, Duplicate, NegativeEnergy, NotFound
from ..neighbours import AUTHENTICATION, ask
from ..roles import Role
from .evidence_sources import Observation
from .feeder_check import check_feeder, check_powers
from .grid_records import Feeder, NodePower, OperatingPoint, Period
from .operating_point import verify

_FEEDER = "feeder"
_PERIOD = "period"
_OBSERVATION = "observation"


class BaasGrid(Contract):
    """The microgrid and its history."""

    name = "baas_grid"

    @transaction
    def publish(self, ctx: Context, feeder: Feeder) -> None:
        """Publish the feeder and the market's terms (operator only), once."""
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        if ctx.get(_FEEDER, Feeder) is not None:
            raise Duplicate("the feeder")
        check_feeder(feeder)
        ctx.put(_FEEDER, feeder)

    @transaction
    def plan(
        self, ctx: Context, period: int, powers: list[NodePower], point: OperatingPoint
    ) -> Period:
        """Plan a period and show the operating point it leads to (operator only), once."""
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        feeder = read_feeder(ctx)
        key = _period_key(ctx, period)
        if ctx.get(key, Period) is not None:
            raise Duplicate(f"the plan of period {period}")
        check_powers(feeder, powers)
        verdict = verify(feeder, powers, point)
        planned = Period(period, powers, point, verdict.flows, verdict.violations)
        ctx.put(key, planned)
        return planned

    @transaction
    def report(self, ctx: Context, observations: list[Observation]) -> None:
        """Put on record what was promised and what was kept (grid only)."""
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.GRID.value)
        seen: list[str] = []
        for each in observations:
            if each.promised <= 0:
                raise BadTerms("promised", f"{each.promised} is not above zero")
            if each.kept < 0:
                raise NegativeEnergy(f"what {each.subject} kept", each.kept)
            place = [each.source.value, each.subject, str(each.period)]
            key = ctx.stub.create_composite_key(_OBSERVATION, place)
            if key in seen or ctx.get(key, Observation) is not None:
                raise Duplicate(f"the observation of {each.subject} in period {each.period}")
            seen.append(key)
            ctx.put(key, each)

    @transaction("evaluate")
    def feeder(self, ctx: Context) -> Feeder:
        """The published feeder."""
        return read_feeder(ctx)

    @transaction("evaluate")
    def period(self, ctx: Context, period: int) -> Period:
        """A period as planned and traded so far."""
        return read_period(ctx, period)

    @transaction("evaluate")
    def observations(self, ctx: Context) -> list[Observation]:
        """The whole record."""
        return read_observations(ctx)


def read_feeder(ctx: Context) -> Feeder:
    """The feeder; NotFound."""
    feeder = ctx.get(_FEEDER, Feeder)
    if feeder is None:
        raise NotFound("feeder: the operator has not published it")
    return feeder


def read_period(ctx: Context, period: int) -> Period:
    """A planned period; NotFound."""
    planned = ctx.get(_period_key(ctx, period), Period)
    if planned is None:
        raise NotFound(f"plan of period {period}")
    return planned


def write_period(ctx: Context, period: Period) -> None:
    """Store what a secured trade made of a period."""
    ctx.put(_period_key(ctx, period.period), period)


def read_observations(ctx: Context) -> list[Observation]:
    """All observations, in the ledger's order."""
    stored = ctx.stub.get_state_by_partial_composite_key(_OBSERVATION, [])
    return [ctx.decode(key, value, Observation) for key, value in stored]


def _period_key(ctx: Context, period: int) -> str:
    if period < 0:
        raise BadTerms("period", f"{period} is negative")
    return ctx.stub.create_composite_key(_PERIOD, [str(period)])
