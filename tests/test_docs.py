"""What the documents point at is there: files, and the classes and functions they name."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "protos/*.md")
    for path in ROOT.glob(pattern)
)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([\w./-]+/(?:[\w.-]+\.\w+)?)(?:::?([\w.]+))?`")


def prose(document: str) -> str:
    return FENCE.sub("", (ROOT / document).read_text(encoding="utf-8"))


def place(document: str, path: str) -> Path:
    """Where a path in code style leads: from the root, from tests/, or from the document."""
    folders = (ROOT, ROOT / "tests", (ROOT / document).parent)
    return next((folder / path for folder in folders if (folder / path).exists()), ROOT / path)


def defines(file: Path, name: str) -> bool:
    """Whether a Python file defines ``Class.method``, a class, a function, or the test ``name``."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for part in name.split("."):
        found = [
            node
            for node in body
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name in {part, f"test_{part}"}
        ]
        if not found:
            return False
        body = found[0].body
    return True


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files(document: str) -> None:
    folder = (ROOT / document).parent
    broken = [link for link in LINK.findall(prose(document)) if not (folder / link).exists()]
    assert not broken, f"{document} links to what is not there: {', '.join(broken)}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_and_functions_exist(document: str) -> None:
    gone = [
        f"{path}:{name}" if name else path
        for path, name in CODE.findall(prose(document))
        if not (file := place(document, path)).exists() or (name and not defines(file, name))
    ]
    assert not gone, f"{document} names what is not there: {', '.join(gone)}"
