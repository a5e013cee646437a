"""chaincode/energy as what it is deployed as: one folder, several chaincodes."""

import ast
from pathlib import Path

import pytest

from gridloom.chaincode import energy
from gridloom.chaincode.energy import neighbours
from gridloom.chaincode.loader import load

FOLDER = Path(energy.__file__).parent
NAMES = (
    neighbours.AUTHENTICATION,
    neighbours.ENERGY_UNITS,
    neighbours.MATCHMAKING,
    neighbours.COMPENSATION,
    neighbours.DISPATCH,
    neighbours.AUCTION,
    neighbours.AUTOMATIC_AUCTION,
    neighbours.ENERGY_REQUESTS,
    neighbours.POWER_PURCHASE,
)


@pytest.mark.parametrize("name", NAMES)
def test_each_chaincode_loads_from_the_packaged_folder_under_its_own_name(tmp_path, name):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "energy").symlink_to(FOLDER)
    chaincode = load(tmp_path, f"energy.{name}", f"{name}:1")
    system = "org.hyperledger.fabric"
    assert [found for found in chaincode.contracts if found != system] == [name]


def test_chaincode_baas_is_three_contracts_of_one_package(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "energy").symlink_to(FOLDER)
    chaincode = load(tmp_path, "energy.baas", "baas:1")
    found = [name for name in chaincode.contracts if name.startswith("baas")]
    assert found == ["baas_grid", "baas_evidence", "baas_contracts"]


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.stem)
def test_chaincode_imports_nothing_that_could_differ_between_peers(path):
    allowed = {
        "__future__", "collections", "cryptography", "dataclasses", "enum", "gridloom",
        "fractions", "hashlib", "heapq", "math", "types", "typing",
    }  # fmt: skip
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom) and not node.level:
            assert node.module is not None
            assert node.module.split(".")[0] in allowed
            if node.module == "math":  # its other functions are the C library's, in floats
                assert {alias.name for alias in node.names} <= {"gcd", "isqrt", "lcm", "prod"}
            if node.module.startswith("gridloom"):
                assert node.module.startswith("gridloom.chaincode")
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
