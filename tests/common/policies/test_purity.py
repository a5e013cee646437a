"""The policies are a pure core: whoever evaluates them gives them everything they know."""

import ast
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "common" / "policies"
FORBIDDEN = {"asyncio", "grpc", "time", "random", "os", "datetime", "threading", "socket"}


def test_no_policy_module_imports_a_clock_randomness_or_input():
    modules = sorted(FOLDER.glob("*.py"))
    assert len(modules) > 5
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names.append(node.module)
            assert not {name.split(".")[0] for name in names} & FORBIDDEN, module.name
