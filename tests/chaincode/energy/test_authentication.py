"""chaincode/energy/authentication: who may trade."""

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.authentication import Authentication
from gridloom.chaincode.energy.qualifications import SellerQualification, Unit, UnitId
from gridloom.chaincode.energy.roles import Role
from gridloom.chaincode.testing import MemoryLedger
from harness.energy_market import (
    GRID_MSP,
    OPERATOR_MSP,
    UNITS_MSP,
    EnergyMarket,
    address,
    person,
)


def test_a_registered_unit_waits_for_the_operators_approval(market):
    unit = person(UNITS_MSP, "user3", "BU")
    market.register(Role.BU, 3, unit)
    with pytest.raises(ChaincodeError, match="BU3 is not approved by the operator"):
        market.authentication.evaluate("qualify", "BU", 3, by=unit)
    market.authentication.submit("approve", [UnitId(Role.BU, 3)], by=market.operator)
    admitted = market.authentication.evaluate("qualify", "BU", 3, by=unit).value(Unit)
    assert admitted.approved
    assert admitted.address == address(unit)
    assert admitted.buyer is not None
    assert admitted.seller is None


def test_an_approval_can_be_withdrawn(market):
    unit = market.admit(Role.SU, 1)
    market.authentication.submit("revoke", [UnitId(Role.SU, 1)], by=market.operator)
    with pytest.raises(ChaincodeError, match="SU1 is not approved"):
        market.authentication.evaluate("qualify", "SU", 1, by=unit)


@pytest.mark.parametrize(
    ("msp_id", "role", "says"),
    [
        (UNITS_MSP, None, "carries no attribute gridloom.role"),
        (UNITS_MSP, "SU", "carries gridloom.role=SU"),
        (UNITS_MSP, "BUS", "carries gridloom.role=BUS"),
        (GRID_MSP, "BU", "GridMSP is not an organisation of that role"),
    ],
)
def test_only_a_certificate_with_the_role_from_the_right_organisation_may_register(
    market, msp_id, role, says
):
    with pytest.raises(ChaincodeError, match=says) as caught:
        market.register(Role.BU, 3, person(msp_id, "user3", role))
    assert "may not act as BU" in str(caught.value)


def test_one_user_may_be_both_buyer_and_seller(market):
    both = person(UNITS_MSP, "user1", "BU, SU")
    market.register(Role.BU, 1, both)
    market.register(Role.SU, 1, both)
    units = market.authentication.evaluate("units").value(list[Unit])
    assert [unit.name for unit in units] == ["BU1", "SU1"]


def test_units_are_listed_by_number_not_by_text(market):
    for unit_id in (10, 9, 2):
        market.register(Role.SU, unit_id, person(UNITS_MSP, f"user{unit_id}", "SU"))
    units = market.authentication.evaluate("units").value(list[Unit])
    assert [unit.unit_id for unit in units] == [2, 9, 10]


def test_a_unit_can_be_registered_once(market):
    market.admit(Role.BU, 3)
    with pytest.raises(ChaincodeError, match="BU3 exists already"):
        market.register(Role.BU, 3, person(UNITS_MSP, "somebody else", "BU"))


def test_somebody_elses_unit_cannot_be_used(market):
    market.admit(Role.BU, 3)
    other = market.admit(Role.BU, 4)
    with pytest.raises(ChaincodeError, match="BU3 and its orders belong to another identity"):
        market.authentication.evaluate("qualify", "BU", 3, by=other)


@pytest.mark.parametrize("function", ["approve", "revoke"])
def test_only_the_operator_of_the_market_decides_on_units(market, function):
    market.admit(Role.BU, 3)
    impostor = person(UNITS_MSP, "impostor", "operator")
    with pytest.raises(ChaincodeError, match="ProsumersMSP is not an organisation of that role"):
        market.authentication.submit(function, [UnitId(Role.BU, 3)], by=impostor)


def test_an_unknown_unit_cannot_be_approved(market):
    with pytest.raises(ChaincodeError, match="there is no unit SU9"):
        market.authentication.submit("approve", [UnitId(Role.SU, 9)], by=market.operator)


@pytest.mark.parametrize("role", ["operator", "grid"])
def test_operator_and_grid_are_no_units(market, role):
    with pytest.raises(ChaincodeError, match=f"role: {role} is no unit"):
        market.authentication.evaluate("unit", role, 1)


def test_a_negative_capacity_or_unit_number_is_refused(market):
    unit = person(UNITS_MSP, "user1", "SU")
    for bad in (
        SellerQualification("solar", "name", 1, -1, "clean"),
        SellerQualification("solar", "name", -1, 1, "clean"),
    ):
        with pytest.raises(ChaincodeError, match="negative"):
            market.authentication.submit("register_seller", bad, by=unit)


@pytest.mark.parametrize(
    ("capacity", "says"),
    [
        ("19999", "20000 W are more than its certificate vouches for: 19999 W"),
        (None, "carries no attribute gridloom.capacity"),
        ("much", "gridloom.capacity=much of its certificate is no number"),
        ("-1", "is no number of watts"),
        ("٣", "is no number of watts"),
    ],
)
def test_a_seller_registers_no_more_than_its_certificate_vouches_for(market, capacity, says):
    unit = person(UNITS_MSP, "user1", "SU", capacity)
    with pytest.raises(ChaincodeError, match=says) as caught:
        market.register(Role.SU, 1, unit)
    assert "may not act as SU" in str(caught.value)
    market.register(Role.BU, 1, person(UNITS_MSP, "user1", "BU", capacity))


def test_a_seller_may_register_all_that_its_certificate_vouches_for(market):
    market.register(Role.SU, 1, person(UNITS_MSP, "user1", "SU", "20000"))


def test_a_market_is_founded_once_by_its_operator(market):
    with pytest.raises(ChaincodeError, match="the market exists already"):
        market.authentication.submit("found", [UNITS_MSP], GRID_MSP, by=market.operator)


def test_before_the_market_is_founded_nobody_is_anything():
    ledger = MemoryLedger()
    authentication = ledger.deploy("authentication", Authentication())
    operator = person(OPERATOR_MSP, "op", "operator")
    with pytest.raises(ChaincodeError, match="there is no market yet"):
        authentication.evaluate("authorise", "operator", by=operator)
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        authentication.submit("found", [UNITS_MSP], GRID_MSP, by=person(UNITS_MSP, "x", "SU"))
    with pytest.raises(ChaincodeError, match="at least one organisation"):
        authentication.submit("found", [], GRID_MSP, by=operator)


def test_the_grid_is_known_by_role_and_organisation(market: EnergyMarket):
    market.authentication.evaluate("authorise", "grid", by=market.grid)
    with pytest.raises(ChaincodeError, match="may not act as grid"):
        market.authentication.evaluate("authorise", "grid", by=market.operator)
