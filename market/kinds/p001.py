"""Case kinds of paper 001: settle, credit, sequence, padcode, match, poca_probs, mine, race.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from gridloom.chaincode.energy.dipi.credit import mean_credit, score
from gridloom.chaincode.energy.dipi.matching_score import (
    MINIMISED,
    WEIGHTS,
    matching_scores,
)
from gridloom.chaincode.energy.dipi.sequence_number import (
    SEQUENCE_BITS,
    colouring_of,
    padding,
    padding_code,
    smallest_code,
    tag_of,
)
from gridloom.chaincode.energy.dipi.settlement import Prices, settle
from gridloom.common.proof_of_credit import (
    HASH_BITS,
    LAST_NONCE,
    REFERENCE,
    TEMPERATURE,
    Difficulty,
    search,
    target,
    win_probabilities,
)

from ..cases import Fields, Kind, Output
from ..credit.race import proportional, win_law

_MOST_BITS = 30
"""Difficulty of a case: 2^30 tries take a quarter of an hour."""


def _settle(fields: Fields) -> Output:
    prices = Prices(
        fields.exact("price"),
        fields.exact("wheel"),
        fields.exact("retail"),
        fields.exact("buyback"),
    )
    bill = settle(fields.exact("use", low=0), fields.exact("output", low=0), prices)
    return {
        "traded": _decimal(bill.traded),
        "buyer": _decimal(bill.buyer),
        "seller": _decimal(bill.seller),
        "grid": _decimal(bill.grid),
    }


def _decimal(value: Fraction) -> str:
    """Exact decimal digits; a fraction where they would not end."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return str(value)
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    return f"{Decimal(int(value * 10**places)).scaleb(-places):f}"


def _credit(fields: Fields) -> Output:
    listed = fields.as_list("previous_scores", fields.required("previous_scores"))
    previous = [fields.as_exact(f"previous_scores[{i}]", v) for i, v in enumerate(listed)]
    alpha = Fraction(0)
    if fields.values.get("alpha") is not None:
        alpha = fields.exact("alpha", low=0)
    capped = fields.values.get("cap", True)
    if not isinstance(capped, bool):
        fields.fail("cap", "is neither true nor false")
    actual, agreed = fields.exact("actual", low=0), fields.exact("agreed", low=0)
    points = score(actual, agreed, alpha, capped=capped)
    return {"score": float(points), "credit": float(mean_credit([*previous, points]))}


def _sequence(fields: Fields) -> Output:
    sequence = _whole(fields, "sequence", 2**SEQUENCE_BITS - 1)
    code, colouring = padding_code(sequence), colouring_of(sequence)
    return {
        "tag": tag_of(sequence),
        "kind": None if colouring is None else colouring.value,
        "code": code,
        "padding_eq6": 2**code,
        "padding_epobc": padding(code),
    }


def _padcode(fields: Fields) -> Output:
    return {"code": smallest_code(_whole(fields, "min_padding", 2**63))}


def _match(fields: Fields) -> Output:
    given = fields.values.get("weights")
    weights = dict(WEIGHTS)
    if given is not None:
        stated = fields.as_object("weights", given)
        weights = {k: fields.as_exact(f"weights.{k}", v, low=0) for k, v in stated.items()}
    if not sum(weights.values()):
        fields.fail("weights", "are all zero")
    listed = fields.as_list("candidates", fields.required("candidates"))
    if not listed:
        fields.fail("candidates", "is empty")
    candidates = [
        _attributes(fields, f"candidates[{i}]", value, weights) for i, value in enumerate(listed)
    ]
    scores = matching_scores(candidates, weights, _minimised(fields, weights))
    points = [float(scores[i]) for i in range(len(scores))]
    return {"scores": points, "best": scores.best}


def _attributes(
    fields: Fields, path: str, value: object, weights: Mapping[str, Fraction]
) -> dict[str, Fraction]:
    candidate = fields.as_object(path, value)
    missing = [name for name in weights if name not in candidate]
    if missing:
        fields.fail(f"{path}.{missing[0]}", "is missing")
    return {name: fields.as_exact(f"{path}.{name}", candidate[name]) for name in weights}


def _minimised(fields: Fields, weights: Mapping[str, Fraction]) -> frozenset[str]:
    given = fields.values.get("sense")
    if given is None:
        return MINIMISED
    senses = fields.as_object("sense", given)
    for name in weights:
        if senses.get(name) not in ("max", "min"):
            fields.fail(f"sense.{name}", f"{senses.get(name)!r} is neither max nor min")
    return frozenset(name for name in weights if senses[name] == "min")


def _poca_probs(fields: Fields) -> Output:
    listed = fields.as_list("credits", fields.required("credits"))
    if not listed:
        fields.fail("credits", "is empty")
    credits_ = [fields.as_number(f"credits[{i}]", value) for i, value in enumerate(listed)]
    temperature = fields.number("tau", low=0.0)
    if temperature == 0:
        fields.fail("tau", "is zero")
    blocks = fields.number("blocks", low=0.0)
    chances = win_probabilities(credits_, temperature)
    return {"prob": chances, "expected_blocks": [blocks * chance for chance in chances]}


def _mine(fields: Fields) -> Output:
    merkle = fields.required("merkle")
    try:
        work = bytes.fromhex(merkle if isinstance(merkle, str) else "?")
    except ValueError:
        fields.fail("merkle", f"{merkle!r} is not hexadecimal")
    bits = _whole(fields, "p0_bits", HASH_BITS)
    difficulty = Difficulty(
        bits, _points(fields, "credit_ref", REFERENCE), _points(fields, "tau", TEMPERATURE)
    )
    if difficulty.temperature <= 0:
        fields.fail("tau", "is not above zero")
    credit = _points(fields, "credit", None)
    if abs(credit - difficulty.reference) > 100 * difficulty.temperature:
        fields.fail("credit", f"{credit} is beyond any target at this reference and tau")
    highest = target(credit, difficulty)
    if highest < 2 ** (HASH_BITS - _MOST_BITS):
        fields.fail("p0_bits", f"more than 2^{_MOST_BITS} tries would be needed for a nonce")
    return {
        "target_hex": hex(highest),
        "nonce": search(work, highest, 0, LAST_NONCE),
    }


def _points(fields: Fields, field: str, default: Decimal | None) -> Decimal:
    if fields.values.get(field) is None and default is not None:
        return default
    exact = fields.exact(field)
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def _race(fields: Fields) -> Output:
    listed = fields.as_list("p", fields.required("p"))
    hit = [fields.as_number(f"p[{i}]", value, high=1.0) for i, value in enumerate(listed)]
    if not any(hit):
        fields.fail("p", "nobody can hit: all are zero")
    law, simple = win_law(hit), proportional(hit)
    gap = max(abs(exact - rough) for exact, rough in zip(law, simple, strict=True))
    return {"win": law, "eq11": simple, "proportional": simple, "max_abs_gap": gap}


def _whole(fields: Fields, field: str, most: int) -> int:
    number = fields.exact(field, low=0)
    if number.denominator != 1 or number > most:
        fields.fail(field, f"{number} is not a whole number of at most {most}")
    return number.numerator


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "settle": _settle,
        "credit": _credit,
        "sequence": _sequence,
        "padcode": _padcode,
        "match": _match,
        "poca_probs": _poca_probs,
        "mine": _mine,
        "race": _race,
    }
)
