"""Run the micro-benchmarks and set them beside the stored baseline.

    python tools/micro.py             measure and show what has become slower
    python tools/micro.py --save      measure and make it the baseline
    python tools/micro.py --strict    exit with status 1 for a regression

Each figure is its least time as a multiple of a P-256 verification measured in the same run,
because machines differ.  The baseline is tests/micro/baseline.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "micro"
BASELINE = FOLDER / "baseline.json"
YARDSTICK = "test_a_p256_verification"
SLOWER = 1.25
"""A figure this much above its baseline is shown as a regression."""


def main() -> int:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true", help="make this run the baseline")
    parser.add_argument("--strict", action="store_true", help="fail when something is slower")
    options = parser.parse_args()
    measured = measure()
    known: dict[str, float] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    regressions = show(measured, known)
    if options.save:
        BASELINE.write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n")
    return 1 if regressions and options.strict else 0


def measure() -> dict[str, float]:
    """Return each benchmark's least time as a multiple of the yardstick's."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "benchmarks.json"
        command = [sys.executable, "-m", "pytest", str(FOLDER), "-q", "--benchmark-enable"]
        subprocess.run([*command, f"--benchmark-json={file}"], cwd=ROOT, check=True)
        found = json.loads(file.read_text())["benchmarks"]
    least = {each["name"]: each["stats"]["min"] for each in found}
    return {name: round(value / least[YARDSTICK], 4) for name, value in least.items()}


def show(measured: dict[str, float], known: dict[str, float]) -> list[str]:
    """Print a line for each benchmark; return the names of those that are slower."""
    print(f"\n{'in P-256 verifications':56} {'now':>10} {'baseline':>10}")
    regressions = []
    for name, value in sorted(measured.items()):
        before = known.get(name)
        change = "" if not before else f"x {value / before:.2f}"
        slower = before is not None and value > before * SLOWER
        if slower:
            regressions.append(name)
        said = f"{before:10.3f}" if before else f"{'-':>10}"
        print(f"{name:56} {value:10.3f} {said} {change} {'SLOWER' if slower else ''}")
    for name in sorted(known.keys() - measured.keys()):
        print(f"{name:56} {'gone':>10} {known[name]:10.3f}")
    return regressions


if __name__ == "__main__":
    raise SystemExit(main())
