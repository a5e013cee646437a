"""From a folder of source to a running chaincode (Fabric: what a Node builder image does).

Each load imports the author's modules under a private root name of its own, so that two
versions of a chaincode, or the copies of two peers, live side by side in one process and
share nothing.  Within the folder ``import energy.rules`` and ``from . import rules`` both
find the private copy.

A package has its code in ``src/``; its path, ``energy.matchmaking`` or ``basic``, names the
module whose contracts form the chaincode: those its ``contracts`` list names (classes; the
first is the default), or else every Contract subclass in it that has transaction functions.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from .chaincode import Chaincode
from .contract import Contract
from .errors import ContractError, LoadError
from .peer_link import PeerParameters
from .private_modules import SourceTree, import_private, release

SOURCE_FOLDER = "src"

_serial = itertools.count(1)


def load(
    code_dir: Path,
    path: str,
    package_id: str,
    *,
    origin: Path | None = None,
    development: bool = False,
    parameters: PeerParameters | None = None,
) -> Chaincode:
    """Load an unpacked package: ``code_dir`` holds ``src/``, ``path`` names the module in it.

    origin: the author's folder that was packaged as ``src/``.  Files that still equal their
    packaged copy are compiled under their name there, so that breakpoints and tracebacks
    lead to what the author edits.  path may be empty if ``src/`` holds a single module.
    parameters: of the peer whose process this is.  LoadError says what is missing or wrong.
    """
    source = code_dir / SOURCE_FOLDER
    if not source.is_dir():
        raise LoadError(package_id, f"the package has no folder {SOURCE_FOLDER}/")
    module = path or _only_module(source, package_id)
    tree = SourceTree(source, origin)
    chaincode = _load(tree, module, package_id, development)
    chaincode.parameters = parameters or chaincode.parameters
    return chaincode


def load_path(path: Path, *, development: bool = False) -> Chaincode:
    """Load a chaincode from where its author keeps it.

    path: a module file, a package folder, or a folder that holds one of these or a ``src/``.
    """
    path = path.resolve()
    if not path.exists():
        raise LoadError(str(path), "there is no such file or folder")
    if path.is_file():
        if path.suffix != ".py":
            raise LoadError(str(path), "not a Python module")
        names = [path.stem]
    elif (path / "__init__.py").is_file():
        names = [path.name]
    else:
        source = path / SOURCE_FOLDER if (path / SOURCE_FOLDER).is_dir() else path
        module = _only_module(source, str(path))
        return _load(SourceTree(source), module, str(path), development)
    root = path.parent
    while (root / "__init__.py").is_file():
        names.insert(0, root.name)
        root = root.parent
    return _load(SourceTree(root), ".".join(names), str(path), development)


def _load(tree: SourceTree, module: str, what: str, development: bool) -> Chaincode:
    if not all(name.isidentifier() for name in module.split(".")):
        raise LoadError(what, f"{module!r} is not a module's dotted name")
    if tree.find(module) is None:
        found = ", ".join(_modules(tree.root)) or "none"
        raise LoadError(what, f"there is no module {module} (modules here: {found})")
    prefix = f"_chaincode_{next(_serial)}_{re.sub(r'[^A-Za-z0-9]+', '_', what)[-40:]}"
    try:
        imported = _import(tree, prefix, module, what)
        return Chaincode(
            [contract() for contract in _contracts(imported, prefix, what)],
            development=development,
            title=module,
        )
    except BaseException:
        release(prefix)
        raise


def _import(tree: SourceTree, prefix: str, module: str, what: str) -> ModuleType:
    try:
        return import_private(tree, prefix, module)
    except ContractError:
        raise
    except SyntaxError as error:
        place = f"{error.filename}:{error.lineno}"
        raise LoadError(what, f"{place}: {error.msg}") from error
    except ImportError as error:
        reason = str(error).replace(f"{prefix}.", "")
        raise LoadError(what, f"module {module} cannot be imported: {reason}") from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise LoadError(what, f"module {module} fails when imported: {reason}") from error


def _contracts(module: ModuleType, prefix: str, what: str) -> list[type[Contract]]:
    named = getattr(module, "contracts", None)
    if isinstance(named, list | tuple) and named:
        for each in named:
            if not _is_contract(each):
                raise LoadError(what, f"contracts lists {each!r}, which is no Contract class")
        return list(named)
    found = [
        value
        for value in vars(module).values()
        if _is_contract(value) and value.functions and value.__module__.startswith(f"{prefix}.")
    ]
    bases = {base for contract in found for base in contract.__mro__[1:]}
    found = [contract for contract in dict.fromkeys(found) if contract not in bases]
    if not found:
        raise LoadError(
            what,
            f"module {module.__name__.removeprefix(prefix + '.')} has no Contract subclass "
            "with a @transaction function",
        )
    return found


def _is_contract(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Contract) and value is not Contract


def _only_module(source: Path, what: str) -> str:
    modules = list(_modules(source))
    if len(modules) != 1:
        found = f"several modules ({', '.join(modules)})" if modules else "no module"
        raise LoadError(what, f"{source.name}/ holds {found}: name one, as in energy.matchmaking")
    return modules[0]


def _modules(source: Path) -> Iterator[str]:
    """Names of the modules and packages directly in a folder."""
    for entry in sorted(source.iterdir()):
        if entry.suffix == ".py" and entry.stem.isidentifier():
            yield entry.stem
        elif (entry / "__init__.py").is_file():
            yield entry.name
