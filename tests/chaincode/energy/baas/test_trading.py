"""chaincode/energy/baas/trading: contracts, the security check, delivery, and misuse."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.baas.grid_records import Period
from gridloom.chaincode.energy.baas.trade_records import Delivery, Stage, TradeContract
from gridloom.chaincode.energy.baas.trading import accounts_of, settle_delivery
from harness.baas_market import PLAN, BaasMarket, islanded_feeder


@pytest.fixture
def trading(market: BaasMarket) -> BaasMarket:
    market.plan()
    market.good_record()
    return market


def test_a_trade_goes_from_decision_to_settlement(trading):
    contract = trading.secure(accepted := trading.accepted(energy=10_000), trading.solved(accepted))
    assert (contract.stage, contract.violations) == (Stage.SECURED, [])
    delivery = trading.baas.submit(
        "baas_contracts:deliver", contract.contract_id, 8_000, by=trading.grid
    ).value(Delivery)
    # The paper's example: 10 kWh planned, 8 delivered, 0.85 against 0.60: 0.375 yuan.
    assert (delivery.payment, delivery.penalty) == (4_800_000, 375_000)
    lines = trading.baas.evaluate("baas_contracts:accounts", contract.contract_id)
    assert lines.value(list[str]) == [
        "BU3 -8000 Wh -4425000 micro-yuan",
        "SU1 8000 Wh 4425000 micro-yuan",
        "grid 0 Wh 0 micro-yuan",
    ]
    assert [event[1] for event in trading.ledger.events] == ["TradeSecured"]


def test_a_trade_that_overloads_a_line_is_refused_on_the_ledger_by_its_name():
    feeder = islanded_feeder()
    tight = replace(feeder.lines[0], limit=170_000)
    market = BaasMarket(replace(feeder, lines=[tight, *feeder.lines[1:]]))
    market.plan()
    market.good_record()
    accepted = market.accepted(energy=60_000)
    refused = market.secure(accepted, market.solved(accepted))
    assert (refused.stage, refused.violations) == (Stage.REFUSED, ["line:0"])
    stored = market.baas.evaluate("baas_contracts:contract", refused.contract_id)
    assert stored.value(TradeContract) == refused
    assert market.ledger.events == [("baas", "TradeRefused", b"line:0")]
    with pytest.raises(ChaincodeError, match="the contract is refused, not secured"):
        market.baas.submit("baas_contracts:deliver", refused.contract_id, 1, by=market.grid)


@pytest.mark.parametrize(
    ("terms", "violation"),
    [({"frequency_low": 999_995}, "frequency"), ({"voltage_low": 1_009_900}, "voltage:4")],
)
def test_frequency_and_voltage_limits_are_named_too(terms, violation):
    feeder = islanded_feeder()
    market = BaasMarket(replace(feeder, terms=replace(feeder.terms, **terms)))
    market.plan()
    market.good_record()
    accepted = market.accepted()
    assert violation in market.secure(accepted, market.solved(accepted)).violations


def test_the_next_trade_is_checked_on_top_of_those_secured_before(trading):
    first = trading.accepted()
    trading.secure(first, trading.solved(first))
    second = trading.accepted()
    with pytest.raises(ChaincodeError, match="not an operating point: P:"):
        trading.secure(second, trading.solved(second))
    period = trading.baas.evaluate("period", 1).value(Period)
    assert trading.secure(second, trading.solved(second, period.powers)).stage is Stage.SECURED


def test_a_false_operating_point_neither_admits_nor_refuses(trading):
    accepted = trading.accepted()
    point = trading.solved(accepted)
    for wrong in (
        replace(point, frequency=point.frequency + 10**8),
        replace(point, frequency=0),
        replace(point, real=[point.real[0] + 10**8, *point.real[1:]]),
        replace(point, imaginary=point.imaginary[:-1]),
        trading.solved(replace(accepted, energy=0)),
    ):
        with pytest.raises(ChaincodeError, match="not an operating point"):
            trading.secure(accepted, wrong)
    assert trading.secure(accepted, point).stage is Stage.SECURED


def test_only_the_chosen_unit_accepts_and_only_the_decisions_buyer_proposes(trading):
    decision = trading.decide()
    propose = ("baas_contracts:propose", decision.decision_id, 600_000, 850_000)
    for caller in (trading.su1, trading.operator):
        with pytest.raises(ChaincodeError, match="BU3 and its orders belong to another"):
            trading.baas.submit(*propose, by=caller)
    contract = trading.baas.submit(*propose, by=trading.bu3).value(TradeContract)
    for caller in (trading.su2, trading.bu3):
        with pytest.raises(ChaincodeError, match="SU1 and its orders belong to another"):
            trading.baas.submit("baas_contracts:accept", contract.contract_id, by=caller)


def test_a_decision_leads_to_one_contract(trading):
    decision = trading.decide()
    propose = ("baas_contracts:propose", decision.decision_id, 600_000, 850_000)
    trading.baas.submit(*propose, by=trading.bu3)
    with pytest.raises(ChaincodeError, match=r"a contract of decision \w+ exists already"):
        trading.baas.submit(*propose, by=trading.bu3)


def test_without_a_chosen_unit_there_is_nothing_to_propose(market):
    market.plan()
    decision = market.decide()
    with pytest.raises(ChaincodeError, match="nothing to propose: it accepts no unit"):
        market.baas.submit("baas_contracts:propose", decision.decision_id, 1, 2, by=market.bu3)


@pytest.mark.parametrize(("price", "replacement"), [(-1, 5), (6, 5)])
def test_prices_that_would_turn_the_penalty_around_are_refused(trading, price, replacement):
    decision = trading.decide()
    propose = ("baas_contracts:propose", decision.decision_id, price, replacement)
    with pytest.raises(ChaincodeError, match="0 <= value_2 <= value_1 does not hold"):
        trading.baas.submit(*propose, by=trading.bu3)


def test_every_step_waits_for_the_one_before_and_happens_once(trading):
    decision = trading.decide()
    proposed = trading.baas.submit(
        "baas_contracts:propose", decision.decision_id, 600_000, 850_000, by=trading.bu3
    ).value(TradeContract)
    with pytest.raises(ChaincodeError, match="the contract is proposed, not accepted"):
        trading.secure(proposed, trading.solved(proposed))
    trading.baas.submit("baas_contracts:accept", proposed.contract_id, by=trading.su1)
    with pytest.raises(ChaincodeError, match="the contract is accepted, not proposed"):
        trading.baas.submit("baas_contracts:accept", proposed.contract_id, by=trading.su1)
    with pytest.raises(ChaincodeError, match="the contract is accepted, not secured"):
        trading.baas.submit("baas_contracts:deliver", proposed.contract_id, 1, by=trading.grid)
    with pytest.raises(ChaincodeError, match="no delivery of contract"):
        trading.baas.evaluate("baas_contracts:accounts", proposed.contract_id)


def test_roles_of_check_and_meter(trading):
    accepted = trading.accepted()
    point = trading.solved(accepted)
    secure = ("baas_contracts:secure", accepted.contract_id, point)
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        trading.baas.submit(*secure, by=trading.su1)
    trading.baas.submit(*secure, by=trading.operator)
    deliver = "baas_contracts:deliver", accepted.contract_id
    with pytest.raises(ChaincodeError, match="may not act as grid"):
        trading.baas.submit(*deliver, 1, by=trading.su1)
    with pytest.raises(ChaincodeError, match="energy must not be negative"):
        trading.baas.submit(*deliver, -1, by=trading.grid)


@pytest.mark.parametrize("what", ["contract", "accept"])
def test_a_contract_that_is_not_there(trading, what):
    with pytest.raises(ChaincodeError, match="no contract x"):
        trading.baas.submit(f"baas_contracts:{what}", "x", by=trading.su1)
    with pytest.raises(ChaincodeError, match="contract_id: is empty"):
        trading.baas.submit(f"baas_contracts:{what}", "", by=trading.su1)


@given(
    st.integers(1, 10**6), st.integers(0, 2 * 10**6), st.integers(0, 10**6), st.integers(0, 10**6)
)
def test_deliveries_settle_to_zero_and_fines_stop_at_95_percent(energy, actual, price, extra):
    contract = TradeContract("c", "d", 1, 3, 1, energy, price, price + extra, Stage.SECURED)
    delivery = settle_delivery(contract, actual)
    accounts = accounts_of(contract, delivery)
    assert sum(account.money for account in accounts) == 0
    assert sum(account.energy for account in accounts) == 0
    assert delivery.delivered <= energy
    assert delivery.penalty >= 0
    if 100 * actual >= 95 * energy:
        assert delivery.penalty == 0


def test_the_plan_itself_may_already_violate_a_limit():
    feeder = islanded_feeder()
    market = BaasMarket(replace(feeder, terms=replace(feeder.terms, frequency_low=1_000_000)))
    market.plan()
    assert market.baas.evaluate("period", 1).value(Period).violations == ["frequency"]
    assert len(PLAN) == len(market.feeder.nodes)
