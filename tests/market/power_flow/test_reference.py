"""market/power_flow/reference: what `checked_against` says is what was checked."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from gridloom.market.cases import Fields
from gridloom.market.kinds.p000_network import read_feeder
from gridloom.market.power_flow.feeder import Feeder, Line, Load, Node, NodeType
from gridloom.market.power_flow.reference import PANDAPOWER, checked_against, pandapower_states
from gridloom.market.power_flow.solution import operating_point
from gridloom.market.power_flow.two_stage import second_opinion
from harness.feeders import LINES, feeders, two_nodes
from harness.shared import shared

RECORD = json.loads((Path(__file__).parents[1] / "data" / "pandapower.json").read_text())
PUBLISHED = {
    case["id"]: case["input"]
    for case in json.loads(shared("papers", "cases", "p000.json").read_text())["cases"]
}
RECORDED = [(PUBLISHED[name], answer) for name, answer in RECORD["published"].items()]
RECORDED += [(answer["input"], answer) for answer in RECORD["random"]]
TWO_STAGE = "two-stage root+Newton residual < 1e-11"


def test_the_field_names_the_recorded_release_and_a_bound_that_the_record_keeps():
    assert f"pandapower {RECORD['pandapower']}, |dV|,|dangle| < 1e-9" == PANDAPOWER
    assert RECORD["largest_deviation"] < 1e-9
    assert RECORD["compared"] >= 400


@pytest.mark.parametrize(("network", "theirs"), RECORDED, ids=range(len(RECORDED)))
def test_pandapower_found_the_same_operating_point(network, theirs):
    feeder = read_feeder(Fields("recorded", network))
    point = operating_point(feeder)
    assert point.state.voltage == pytest.approx(np.array(theirs["V"]), rel=0, abs=1e-9)
    assert point.state.angle == pytest.approx(np.array(theirs["delta_rad"]), rel=0, abs=1e-9)
    assert point.state.frequency == pytest.approx(theirs["f"], rel=0, abs=1e-9)
    assert checked_against(feeder, point) == PANDAPOWER


@settings(max_examples=40, deadline=None)
@given(feeders())
def test_the_second_method_finds_every_operating_point_again(feeder):
    point = operating_point(feeder)
    opinion = second_opinion(feeder, point)
    assert opinion.residual < 1e-11
    assert opinion.deviation < 1e-9
    known = pandapower_states(feeder, point)
    assert checked_against(feeder, point) == (PANDAPOWER if known else TWO_STAGE)


def test_a_wrong_answer_is_not_called_checked():
    point = operating_point(two_nodes())
    state = point.state
    moved = replace(state, voltage=state.voltage + np.array([0.0, 2e-6]))
    said = checked_against(two_nodes(), replace(point, state=moved))
    assert said == "two-stage root+Newton residual < 1e-04, but |dV|,|dangle|,|df| < 1e-05"
    fast = replace(state, frequency=state.frequency + 1e-7)
    assert second_opinion(two_nodes(), replace(point, state=fast)).deviation > 9e-8


@pytest.mark.parametrize(
    ("unit", "load", "said"),
    [
        (Node(NodeType.SLACK), Load(0.4, 0.1), PANDAPOWER),
        (Node(NodeType.SLACK), Load(0.4, 0.1, 0, 0, 1.0, -1.0), PANDAPOWER),
        (Node(NodeType.SLACK), Load(0.4, 0.1, 1.5, 2.5), TWO_STAGE),
        (Node(NodeType.PD, active_droop=0.01), Load(0.4, 0.1), PANDAPOWER),
        (Node(NodeType.PD, active_droop=0.01), Load(0.0, 0.0, 1.5, 2.5), PANDAPOWER),
        (Node(NodeType.PD, active_droop=0.01), Load(0.4, 0.1, 0, 0, 1.0), TWO_STAGE),
        (Node(NodeType.PD, active_droop=0.01, reactive_droop=0.05), Load(0.4, 0.1), TWO_STAGE),
        (Node(NodeType.PD, active_droop=0.0, frequency=0.999), Load(0.4, 0.1), TWO_STAGE),
    ],
)
def test_the_form_of_a_feeder_decides_what_it_is_checked_against(unit, load, said):
    feeder = Feeder((unit, Node(NodeType.PQ, load)), (Line(0, 1, 0.02, 0.04),))
    assert checked_against(feeder, operating_point(feeder)) == said


def test_powers_at_limits_are_held_in_the_second_method_too():
    units = [
        Node(NodeType.PD, active=0.5, active_droop=0.01, active_limits=(0.0, 0.4)),
        Node(NodeType.PQ, Load(0.3, 0.1)),
        Node(NodeType.PQ, Load(0.3, 0.1)),
        Node(NodeType.PD, Load(0.1, 0.1), 0.1, voltage=1.01, active_droop=0.02),
        Node(NodeType.PV, active=0.1, voltage=1.04, reactive_limits=(-0.01, 0.01)),
    ]
    feeder = Feeder(tuple(units), LINES)
    point = operating_point(feeder)
    assert set(point.clamped) == {"P0", "Q4"}
    assert checked_against(feeder, point) == TWO_STAGE
