"""Importing a tree of source under a private root name (no Fabric counterpart).

Python keeps one module for each name in a process.  Here every tree gets a root of its own:
``energy.rules`` becomes ``<prefix>.energy.rules``, and the imports in the tree's modules are
led there, whatever else is called ``energy`` in the process.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any


class SourceTree:
    """A folder of modules; origin: where the author has the same folder, None if unknown."""

    def __init__(self, root: Path, origin: Path | None = None) -> None:
        self.root = root.resolve()
        self._origin = origin.resolve() if origin is not None else None

    def find(self, module: str) -> Path | None:
        """Return the file of a module (a package's ``__init__.py``), None if there is none."""
        place = self.root.joinpath(*module.split("."))
        for candidate in (place / "__init__.py", place.with_suffix(".py")):
            if candidate.is_file():
                return candidate
        return None

    def has_folder(self, module: str) -> bool:
        """Tell whether the name is a folder of modules without an ``__init__.py``."""
        place = self.root.joinpath(*module.split("."))
        return place.is_dir() and any(place.rglob("*.py"))

    def shown_as(self, file: Path, data: bytes) -> str:
        """Return the file name for code objects: the author's own while it holds the same."""
        if self._origin is not None:
            original = self._origin / file.relative_to(self.root)
            try:
                if original.read_bytes() == data:
                    return str(original)
            except OSError:
                pass  # moved or gone: the packaged copy is as good
        return str(file)


def import_private(tree: SourceTree, prefix: str, module: str) -> ModuleType:
    """Import ``module`` of the tree as ``prefix.module`` and return it; raises as import does."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.trees[prefix] = tree
    return importlib.import_module(f"{prefix}.{module}")


def release(prefix: str) -> None:
    """Forget the modules under ``prefix``."""
    _finder.trees.pop(prefix, None)
    for name in [each for each in sys.modules if each.partition(".")[0] == prefix]:
        del sys.modules[name]


class _Finder(MetaPathFinder):
    """Finds the modules of all trees."""

    def __init__(self) -> None:
        self.trees: dict[str, SourceTree] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        prefix, _, module = fullname.partition(".")
        tree = self.trees.get(prefix)
        if tree is None:
            return None
        if not module:
            return _folder(fullname)
        file = tree.find(module)
        if file is None:
            return _folder(fullname) if tree.has_folder(module) else None
        loader = _Loader(tree, prefix, file)
        spec = ModuleSpec(fullname, loader, origin=str(file), is_package=file.name == "__init__.py")
        spec.has_location = True
        return spec


_finder = _Finder()


def _folder(fullname: str) -> ModuleSpec:
    spec = ModuleSpec(fullname, None, is_package=True)
    spec.submodule_search_locations = []
    return spec


class _Loader(SourceLoader):
    """Runs one module with imports led to its own tree; compiles anew, caches nothing."""

    def __init__(self, tree: SourceTree, prefix: str, file: Path) -> None:
        self._tree = tree
        self._prefix = prefix
        self._file = file

    def get_filename(self, fullname: str) -> str:
        return str(self._file)

    def get_data(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def source_to_code(  # type: ignore[override]  # importlib calls it with these two
        self, data: bytes, path: str
    ) -> CodeType:
        code: CodeType = compile(
            data, self._tree.shown_as(self._file, data), "exec", dont_inherit=True
        )
        return code

    def exec_module(self, module: ModuleType) -> None:
        names = dict(vars(builtins))
        names["__import__"] = _private_import(self._tree, self._prefix)
        vars(module)["__builtins__"] = names
        super().exec_module(module)


def _private_import(tree: SourceTree, prefix: str) -> Callable[..., Any]:
    """Return the ``__import__`` of a tree's modules: absolute names of the tree are its own."""

    def import_(
        name: str,
        globals_: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        top = name.partition(".")[0]
        if level or not (tree.find(top) or tree.has_folder(top)):
            return builtins.__import__(name, globals_, locals_, fromlist or (), level)
        if fromlist:
            return builtins.__import__(f"{prefix}.{name}", globals_, locals_, fromlist, 0)
        importlib.import_module(f"{prefix}.{name}")
        return sys.modules[f"{prefix}.{top}"]

    return import_
