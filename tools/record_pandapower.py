"""Records pandapower's answers to power flows that both it and Gridloom can state.

    python tools/record_pandapower.py --out tests/market/data/pandapower.json
    python tools/record_pandapower.py CASES.json      # compares a case file's, writes nothing

Networks are the published cases of that class and random ones (meshed and radial, with
balance node or islanded, PV, PQ and droop nodes).  `--networks` of the random ones are
compared with Gridloom's answers here, the first `--kept` of them go on record, where
tests/market/power_flow/test_reference.py compares them with whatever Gridloom answers then.
Needs `pip install gridloom[market]`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp

from gridloom.market.cases import Fields
from gridloom.market.kinds.p000_network import read_feeder
from gridloom.market.power_flow.feeder import Feeder, InfeasibleFlow, NodeType
from gridloom.market.power_flow.reference import pandapower_states
from gridloom.market.power_flow.solution import OperatingPoint, operating_point

_PUBLISHED = Path(__file__).resolve().parents[2] / "shared" / "papers" / "cases" / "p000.json"

Network = dict[str, Any]
"""`nodes` and `lines` as in a powerflow case."""


def main() -> None:
    """Read the command line, compare, and write the record if it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path, nargs="?", default=_PUBLISHED)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--networks", type=int, default=400)
    parser.add_argument("--kept", type=int, default=48)
    given = parser.parse_args()
    listed = json.loads(given.cases.read_text())["cases"]
    published = {c["id"]: c["input"] for c in listed if c["kind"] == "powerflow"}
    answers = {name: answer for name, each in published.items() if (answer := compare(name, each))}
    if given.out is None:
        return
    rng = np.random.default_rng(2026)
    networks = [random_network(rng) for _ in range(given.networks)]
    drawn = [
        {"input": each, **answer}
        for number, each in enumerate(networks)
        if (answer := compare(f"random {number}", each))
    ]
    largest = max(each.pop("deviation") for each in [*answers.values(), *drawn])
    record = {
        "pandapower": pp.__version__,
        "compared": len(answers) + len(drawn),
        "largest_deviation": largest,
        "published": answers,
        "random": drawn[: given.kept],
    }
    given.out.write_text(json.dumps(record, separators=(",", ":")) + "\n")
    print(f"{record['compared']} networks compared, largest deviation {largest:.2g}")


def compare(name: str, network: Network) -> dict[str, Any] | None:
    """pandapower's answer and how far Gridloom's is from it; None if it is not of the class."""
    feeder = read_feeder(Fields(name, network))
    try:
        ours = operating_point(feeder)
    except InfeasibleFlow as fault:
        print(f"{name}: {fault}", file=sys.stderr)
        return None
    if not pandapower_states(feeder, ours):
        return None
    theirs = answer_of(feeder)
    deviation = largest_difference(ours, theirs)
    print(f"{name}: {deviation:.2g}")
    return {**theirs, "deviation": deviation}


def largest_difference(ours: OperatingPoint, theirs: dict[str, Any]) -> float:
    """Of voltages (per unit), angles (rad) and the frequency."""
    state = ours.state
    apart = (state.voltage - theirs["V"], state.angle - theirs["delta_rad"])
    return float(max(*(np.abs(each).max() for each in apart), abs(state.frequency - theirs["f"])))


def answer_of(feeder: Feeder) -> dict[str, Any]:
    """pandapower's voltages, angles (rad, 0 at the reference) and frequency."""
    net = as_pandapower(feeder)
    pp.runpp(
        net,
        tolerance_mva=1e-11,
        distributed_slack=feeder.islanded,
        calculate_voltage_angles=True,
        init="flat",
        max_iteration=50,
        numba=False,
    )
    angle = np.deg2rad(net.res_bus.va_degree.to_numpy())
    angle = angle - angle[feeder.references[0]]
    return {
        "V": net.res_bus.vm_pu.to_numpy().tolist(),
        "delta_rad": angle.tolist(),
        "f": _frequency(feeder, net),
    }


def _frequency(feeder: Feeder, net: pp.pandapowerNet) -> float:
    """As the first droop unit's power implies it: f0 - m_p (P - P0)."""
    if not feeder.islanded:
        return 1.0
    first = feeder.references[0]
    unit = feeder.nodes[first]
    row = int(np.flatnonzero(net.gen.bus.to_numpy() == first)[0])
    return float(unit.frequency - unit.active_droop * (net.res_gen.p_mw.iloc[row] - unit.active))


def as_pandapower(feeder: Feeder) -> pp.pandapowerNet:
    """The feeder on a base of 1 MVA and 1 kV, so that ohms are per unit."""
    net = pp.create_empty_network(sn_mva=1.0, f_hz=50)
    for _ in feeder.nodes:
        pp.create_bus(net, vn_kv=1.0)
    for line in feeder.lines:
        pp.create_line_from_parameters(
            net, line.start, line.end, length_km=1, r_ohm_per_km=line.resistance,
            x_ohm_per_km=line.reactance, c_nf_per_km=0, max_i_ka=1e9,
        )  # fmt: skip
    for i, node in enumerate(feeder.nodes):
        pp.create_load(net, i, node.load.active, node.load.reactive)
        if node.type is NodeType.SLACK:
            pp.create_ext_grid(net, i, vm_pu=node.voltage)
        elif node.type is NodeType.PQ:
            pp.create_sgen(net, i, node.active, node.reactive)
        elif node.type is NodeType.PV:
            pp.create_gen(net, i, p_mw=node.active, vm_pu=node.voltage, slack_weight=0.0)
        else:
            _add_droop_unit(net, feeder, i)
    return net


def _add_droop_unit(net: pp.pandapowerNet, feeder: Feeder, i: int) -> None:
    """Gives what its droop asks for at nominal frequency, and shares the rest as 1/m_p."""
    node = feeder.nodes[i]
    power = node.active
    if node.active_droop:
        power += (node.frequency - 1.0) / node.active_droop
    pp.create_gen(
        net, i, p_mw=power, vm_pu=node.voltage,
        slack=feeder.islanded and i == feeder.references[0],
        slack_weight=1 / node.active_droop if feeder.islanded else 0.0,
    )  # fmt: skip


def random_network(rng: np.random.Generator) -> Network:
    """A tree of 2 to 14 nodes, some with meshes, which runs near the limits at most."""
    size = int(rng.integers(2, 15))
    pairs = [(int(rng.integers(0, end)), end) for end in range(1, size)]
    for _ in range(int(rng.integers(0, size // 2 + 1))):
        start, end = sorted(rng.choice(size, 2, replace=False).tolist())
        if (start, end) not in pairs:
            pairs.append((start, end))
    lines = [
        {"from": start, "to": end, "r": _draw(rng, 0.002, 0.04), "x": _draw(rng, 0.002, 0.06)}
        for start, end in pairs
    ]
    nodes = [_load(rng, 1.2 / size) for _ in range(size)]
    places = rng.permutation(size).tolist()
    if rng.random() < 0.5:
        for _ in range(min(len(places), int(rng.choice([1, 1, 1, 2])))):
            nodes[places.pop()] |= {"type": "slack", "V": _draw(rng, 0.98, 1.05)}
        droop_units = int(rng.choice([0, 0, 1]))
    else:
        droop_units = int(rng.integers(1, 4))
    for _ in range(min(len(places), droop_units)):
        nodes[places.pop()] |= {
            "type": "PD", "P0": _draw(rng, 0.0, 0.6), "mp": _draw(rng, 0.003, 0.06),
            "V0": _draw(rng, 0.99, 1.03), "nq": 0, "f0": float(rng.choice([1.0, 1.0, 1.002])),
        }  # fmt: skip
    for _ in range(min(len(places), int(rng.integers(0, 3)))):
        nodes[places.pop()] |= {"type": "PV", "PG": _draw(rng, 0, 0.5), "V": _draw(rng, 0.99, 1.03)}
    for _ in range(min(len(places), int(rng.integers(0, 3)))):
        nodes[places.pop()] |= {"PG": _draw(rng, 0, 0.5), "QG": _draw(rng, -0.1, 0.2)}
    return {"nodes": nodes, "lines": lines}


def _load(rng: np.random.Generator, most: float) -> Network:
    return {"type": "PQ", "PL": _draw(rng, 0.0, most), "QL": _draw(rng, 0.0, most / 2)}


def _draw(rng: np.random.Generator, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 4)


if __name__ == "__main__":
    main()
