"""The papers' case files and their judge, compare.py."""

import json
import subprocess
import sys
from pathlib import Path

from gridloom.market.solve import solve

from .shared import shared


def judged(paper: str, folder: Path) -> str:
    """Solve the paper's public cases; the last line the comparator says, as "85/85 ok"."""
    cases = shared("papers", "cases", f"{paper}.json")
    answers = folder / "got.json"
    answers.write_text(json.dumps(solve(json.loads(cases.read_text()))))
    judge = subprocess.run(
        [sys.executable, cases.with_name("compare.py"), cases, answers],
        capture_output=True,
        text=True,
        check=False,
    )
    return judge.stdout.splitlines()[-1]


def answer(kind: str, values: object) -> object:
    """The answer to one case."""
    return solve({"cases": [{"id": "c1", "kind": kind, "input": values}]})["c1"]
