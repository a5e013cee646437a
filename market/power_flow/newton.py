"""Newton's method, turned into Levenberg-Marquardt's where a full step leads astray.

The paper asks for an LM trust-region method: near a solution its damping is zero and the
step Newton's own; where the step would not reduce the mismatch, damping shortens it and
turns it towards the steepest descent.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import numpy as np

from .equations import Equations, State
from .feeder import Floats, InfeasibleFlow

TOLERANCE = 1e-12
"""Largest mismatch of a solution, per unit."""

_ITERATIONS = 100
_FIRST_DAMPING = 1e-6
_LAST_DAMPING = 1e10
_LOWEST_VOLTAGE = 0.05
_STALLED = 1e-9


def solve(equations: Equations, start: State) -> State:
    """A state that satisfies the equations; InfeasibleFlow if none is found."""
    state, damping = start, 0.0
    mismatch = equations.mismatch(state)
    for _ in range(_ITERATIONS):
        if _worst(mismatch) <= TOLERANCE:
            return state
        step = _step(equations.jacobian(state), mismatch, damping)
        trial = equations.moved(state, step)
        admissible = np.isfinite(step).all() and trial.voltage.min() > _LOWEST_VOLTAGE
        after = equations.mismatch(trial) if admissible else mismatch
        if admissible and np.linalg.norm(after) < np.linalg.norm(mismatch):
            state, mismatch = trial, after
            damping = damping / 10 if damping > _FIRST_DAMPING else 0.0
        elif _worst(mismatch) <= _STALLED:
            return state  # as close as floats come
        else:
            damping = max(10 * damping, _FIRST_DAMPING)
            if damping > _LAST_DAMPING:
                break
    place = equations.place(int(np.abs(mismatch).argmax()))
    reason = f"the iteration ends with a mismatch of {_worst(mismatch):.2g} p.u. in {place}"
    raise InfeasibleFlow(reason)


def _worst(mismatch: Floats) -> float:
    return float(np.abs(mismatch).max(initial=0.0))


def _step(jacobian: Floats, mismatch: Floats, damping: float) -> Floats:
    matrix, right = jacobian, -mismatch
    if damping:
        matrix = jacobian.T @ jacobian + damping * np.eye(len(right))
        right = -jacobian.T @ mismatch
    try:
        return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full(len(right), np.nan)
