"""Making chaincode packages (Fabric: peer lifecycle chaincode package)."""

from __future__ import annotations

import json
from pathlib import Path

from gridloom.common.chaincode_package import build_package, package_id, parse_package
from gridloom.common.errors import GridloomError

SOURCE_FOLDER = "src"
PYTHON = "python"
"""The package type of Python chaincode."""

SERVICE = "ccaas"
"""The package type of a chaincode that runs as a service (Fabric's name for it)."""

METADATA_FOLDER = "META-INF"
"""What a package has beside its sources, such as indexes for rich queries (Fabric's name)."""

_IGNORED = frozenset({"__pycache__", ".git", ".venv", "node_modules", ".mypy_cache"})


class SourceError(GridloomError):
    """A path that no chaincode can be made of."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def package_source(source: Path, *, label: str = "", module: str = "") -> bytes:
    """Return a lifecycle package of a module file or a folder.

    A folder with an ``__init__.py`` is packaged under its own name (so that ``module`` is
    ``folder.module``), another folder by its content; its ``META-INF``, where indexes for
    rich queries are, lies beside the sources.  label: the name of the source by default.
    module: where the contracts are; may be empty if there is one module only.
    The same files always give the same bytes.
    """
    source = source.resolve()
    if source.is_file():
        if source.suffix != ".py":
            raise SourceError(source, "neither a Python module nor a folder")
        files = {f"{SOURCE_FOLDER}/{source.name}": source.read_bytes()}
        module = module or source.stem
    elif source.is_dir():
        files = _files_of(source)
        if not files:
            raise SourceError(source, "there are no files in this folder")
    else:
        raise SourceError(source, "there is no such file or folder")
    return build_package(label or source.stem, PYTHON, module, files)


def package_service(address: str, label: str, tls_root: bytes | None = None) -> bytes:
    """Return a lifecycle package that says where a chaincode service listens.

    address: ``host:port``; tls_root: PEM of the CA its certificate is checked against, None
    without TLS.  InvalidPackage for a bad label.
    """
    connection: dict[str, object] = {
        "address": address,
        "dial_timeout": "10s",
        "tls_required": tls_root is not None,
    }
    if tls_root is not None:
        connection["root_cert"] = tls_root.decode()
    data = json.dumps(connection, indent=2).encode()
    return build_package(label, SERVICE, "", {"connection.json": data})


def source_root(source: Path) -> Path:
    """Return the folder whose content a package of ``source`` has under ``src/``."""
    source = source.resolve()
    is_package = source.is_dir() and (source / "__init__.py").is_file()
    return source.parent if source.is_file() or is_package else source


def package_id_of(package: bytes) -> str:
    """Return a package's id; InvalidPackage if it is none."""
    return package_id(parse_package(package).label, package)


def _files_of(folder: Path) -> dict[str, bytes]:
    prefix = f"{folder.name}/" if (folder / "__init__.py").is_file() else ""
    files = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if path.is_file() and not _IGNORED.intersection(place.parts) and path.suffix != ".pyc":
            is_metadata = place.parts[0] == METADATA_FOLDER
            into = "" if is_metadata else f"{SOURCE_FOLDER}/{prefix}"
            files[f"{into}{place.as_posix()}"] = path.read_bytes()
    return files
