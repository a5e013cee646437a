"""docs/errors.md draws the error tree as it is: every class, below its base, in its file."""

import importlib
import pkgutil
import re
from pathlib import Path

import gridloom
from gridloom.common.errors import GridloomError

DRAWING = Path(__file__).parent.parent / "docs" / "errors.md"
FILE = re.compile(r"│  (\S+\.py)")
ENTRY = re.compile(r"((?:│   |    )*)[├└]── (\w+)(?: {2,}(.*))?")
OTHER_FILE = re.compile(r"\[(\S+\.py)\]$")

Place = tuple[str, str]
"""Names from below the root down to the class, joined by dots; and its file."""


def drawn() -> dict[Place, str]:
    """Read the drawing: what it says of each class."""
    entries: dict[Place, str] = {}
    file = ""
    above: list[Place] = []
    for line in DRAWING.read_text(encoding="utf-8").splitlines():
        if found := FILE.fullmatch(line):
            file = found[1]
        elif found := ENTRY.fullmatch(line):
            depth, said = len(found[1]) // 4, found[3] or ""
            del above[depth:]
            named = OTHER_FILE.search(said)
            inherited = above[-1][1] if above else file
            name = f"{above[-1][0]}.{found[2]}" if above else found[2]
            above.append((name, named[1] if named else inherited))
            entries[above[-1]] = said
    return entries


def raised() -> set[Place]:
    """Import every module and collect the public subclasses of GridloomError."""
    modules = {
        module.name
        for module in pkgutil.walk_packages(gridloom.__path__, "gridloom.")
        if not module.name.startswith("gridloom.protos.")
    }
    for module in modules:
        importlib.import_module(module)

    def below(base: type, above: str) -> set[Place]:
        found = set()
        for error in base.__subclasses__():
            if error.__module__ in modules and not error.__name__.startswith("_"):
                file = error.__module__.removeprefix("gridloom.").replace(".", "/") + ".py"
                found.add((above + error.__name__, file))
                found |= below(error, f"{above}{error.__name__}.")
        return found

    return below(GridloomError, "")


def listed(places: set[Place]) -> str:
    return "".join(f"\n  {name}  in {file}" for name, file in sorted(places))


def test_every_error_is_drawn() -> None:
    missing = raised() - drawn().keys()
    assert not missing, f"draw these in docs/errors.md, one line each:{listed(missing)}"


def test_nothing_is_drawn_that_is_gone() -> None:
    stale = drawn().keys() - raised()
    assert not stale, f"these are in docs/errors.md, but not in the code:{listed(stale)}"


def test_every_line_says_what_the_error_means() -> None:
    silent = {place for place, said in drawn().items() if not OTHER_FILE.sub("", said).strip()}
    assert not silent, f"say in docs/errors.md what these mean:{listed(silent)}"
