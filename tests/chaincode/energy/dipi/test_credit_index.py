"""chaincode/energy/dipi/credit_index: credits from anchored trades, as coloured coins."""

from dataclasses import replace

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.dipi.coin import coin_of, credit_of
from gridloom.chaincode.energy.dipi.records import CreditProof, CreditRecord
from gridloom.chaincode.energy.dipi.sequence_number import (
    Colouring,
    colouring_of,
    padding_code,
    serial_of,
)


def credit(market, unit):
    return market.lh1.evaluate("credit", unit).value(CreditRecord).credit


def test_credit_is_the_mean_over_all_transactions(market):
    market.assess(market.traded((180_000, 200_000)))
    assert (credit(market, "BU3"), credit(market, "SU1")) == (90_000_000, 100_000_000)
    market.assess(market.traded((200_000, 100_000), period=2))
    assert (credit(market, "BU3"), credit(market, "SU1")) == (95_000_000, 75_000_000)
    assert credit(market, "SU2") == 100_000_000  # a newcomer is trusted


def test_the_natural_factor_judges_a_seller_more_mildly(market):
    market.lh1.submit("natural_factor", 1, 200_000, by=market.operator)
    market.assess(market.traded((200_000, 150_000)))
    assert credit(market, "SU1") == 90_000_000
    market.assess(market.traded((200_000, 190_000), period=2))
    assert credit(market, "SU1") == 95_000_000  # capped at 100


def test_the_first_coin_is_made_and_the_later_ones_are_moved(market):
    (buyer, seller) = market.assess(market.traded((180_000, 200_000)))
    assert (buyer.unit, seller.unit) == ("BU3", "SU1")
    assert colouring_of(buyer.sequence) is Colouring.GENESIS
    assert (padding_code(buyer.sequence), serial_of(buyer.sequence)) == (10, 1)
    assert credit_of(buyer) == 90_000_000
    assert market.lh1.evaluate("proof", "BU3").value(CreditProof) == buyer
    (later, _) = market.assess(market.traded((200_000, 200_000), period=2))
    assert colouring_of(later.sequence) is Colouring.TRANSFER
    assert serial_of(later.sequence) == 2


def test_only_the_anchored_trades_are_assessed_and_once(market):
    record = market.traded((180_000, 200_000))
    assess = ("assess", 1, record.trades)
    with pytest.raises(ChaincodeError, match="no anchor of period 1"):
        market.lh1.submit(*assess, by=market.operator)
    market.lh1.submit("anchor", 1, record.digest, by=market.operator)
    forged = [replace(record.trades[0], used=200_000)]
    with pytest.raises(ChaincodeError, match="not those anchored for period 1"):
        market.lh1.submit("assess", 1, forged, by=market.operator)
    market.lh1.submit(*assess, by=market.units["SU2"])  # anybody may: nothing is his word
    with pytest.raises(ChaincodeError, match="the assessment of period 1 exists already"):
        market.lh1.submit(*assess, by=market.operator)


def test_a_digest_is_anchored_once_and_by_the_dispatcher(market):
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        market.lh1.submit("anchor", 1, "00", by=market.units["SU1"])
    market.lh1.submit("anchor", 1, "00", by=market.operator)
    with pytest.raises(ChaincodeError, match="the anchor of period 1 exists already"):
        market.lh1.submit("anchor", 1, "01", by=market.operator)


@pytest.mark.parametrize("alpha", [0, -1, 300_000, 10**6])
def test_the_natural_factor_lies_between_0_and_0_3(market, alpha):
    with pytest.raises(ChaincodeError, match=r"not in \(0, 0\.3\)"):
        market.lh1.submit("natural_factor", 1, alpha, by=market.operator)


def test_the_natural_factor_is_the_operators_to_give_and_only_to_newcomers(market):
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        market.lh1.submit("natural_factor", 1, 100_000, by=market.units["SU1"])
    market.assess(market.traded((200_000, 100_000)))
    with pytest.raises(ChaincodeError, match="the natural factor or the credit of SU1"):
        market.lh1.submit("natural_factor", 1, 100_000, by=market.operator)


def test_who_was_never_assessed_has_no_coin(market):
    with pytest.raises(ChaincodeError, match="no assessment of SU1"):
        market.lh1.evaluate("proof", "SU1")


def test_assessments_beyond_the_free_bits_keep_the_last_number():
    record = CreditRecord("SU1", count=1, points=50_000_000, assessments=2**20 + 5)
    assert serial_of(coin_of(record).sequence) == 2**20 - 1
