"""``gridloom bench`` as a command, on a network that it starts and takes down."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROUNDS = """
test:
  workers: 2
  rounds:
    - {label: reads, workload: {module: evaluate, arguments: {keys: 20}}, txNumber: 40, warmUp: 0}
    - label: too fast
      workload: {module: evaluate, arguments: {keys: 20}}
      txDuration: 0.1
      warmUp: 0
      rateControl: {type: fixed-rate, opts: {tps: 400000}}
    - {label: raises, workload: {module: ./raises.py}, txNumber: 4, warmUp: 0}
    - {label: writes, workload: {module: submit}, txNumber: 20, warmUp: 0}
"""
RAISES = """
from gridloom.bench.workload import Workload

class Raises(Workload):
    async def submit(self):
        raise RuntimeError("by design")
"""


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gridloom", "bench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


@pytest.mark.network
def test_rounds_run_are_written_down_and_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "rounds.yaml").write_text(ROUNDS)
    (tmp_path / "raises.py").write_text(RAISES)
    out = tmp_path / "out.json"
    html, csv = tmp_path / "out.html", tmp_path / "out.csv"
    done = bench("run", tmp_path / "rounds.yaml", "--json", out, "--html", html, "--csv", csv)
    assert done.returncode == 1, done.stderr  # two rounds are marked
    document = json.loads(out.read_text())
    reads, fast, raises, writes = document["rounds"]
    assert (reads["succeeded"], writes["succeeded"]) == (40, 20)
    # network+1 endorses for the network if the machine is fast enough to ask for it
    assert writes["cpu_ms_per_tx"].keys() - {"network+1"} == {"network", "client0", "client1"}
    assert writes["rss_mb"]["network"] > 20
    assert (fast["planned_tps"], fast["driven"]) == (400000, False)
    assert "could not be driven" in fast["note"]
    assert "RuntimeError: by design" in raises["error"]
    assert raises["tps"] == 0
    assert document["environment"]["p256_verifications_per_s"] > 0
    assert "starting a network" in done.stderr
    assert "too fast" in done.stdout
    assert html.read_text().count("<svg") >= 4
    assert len(csv.read_text().splitlines()) == 5
    left = [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(p.info["cmdline"])]
    assert left == []
    compared = bench("compare", out, out)
    assert compared.returncode == 0
    assert "(no change shown)" in compared.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--rate", "5", "--concurrency", "5"], "give one of"),
        (["run", "--rate", "-5"], "--rate"),
        (["run", "--workload", "nonsense"], "there is none of that name"),
        (["run", "--network", "nowhere.json"], "nowhere.json"),
        (["run", "nowhere.yaml"], "nowhere.yaml"),
        (["run", "--arg", "x"], "NAME=VALUE"),
        (["growth", "nonsense"], "is not one of height"),
        (["compare", "nowhere.json", "nowhere.json"], "nowhere.json"),
    ],
)
def test_bad_options_are_explained(arguments: list[str], words: str) -> None:
    done = bench(*arguments)
    assert done.returncode != 0
    assert words in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
