"""The commands of the program by name; the module of one is imported when it is asked for.

So a command costs what it needs itself, and only help needs them all.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

_COMMANDS = {
    "network": ("up", "down", "status", "cut", "reset"),
    "transactions": ("invoke", "query", "events", "blocks"),
    "demo": ("demo",),
    "nodes": ("prepare", "orderer", "peer"),
}
"""Modules whose ``register`` adds commands to the program itself."""

_GROUPS = ("bench", "ca", "chaincode", "channel", "ledger", "market", "node")
"""Modules whose ``app`` is the group of their name."""

_MODULES = {name: module for module, names in _COMMANDS.items() for name in names}
_MODULES |= {name: name for name in _GROUPS}


class Program(TyperGroup):
    """The outermost group; ``commands`` holds stand-ins for what nobody has asked for yet."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - Typer's own
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name) for name in _MODULES}
        self._imported: set[str] = set()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - Typer hides the types
        """Return a command, None for a name there is not."""
        module = _MODULES.get(cmd_name)
        if module is not None and module not in self._imported:
            self.commands.update(_commands_of(module))
            self._imported.add(module)
        return super().get_command(ctx, cmd_name)


def _commands_of(name: str) -> dict[str, Any]:
    """Import a module and return its commands by name."""
    module = import_module(f".{name}", __package__)
    part = typer.Typer(rich_markup_mode=None)
    if name in _GROUPS:
        part.add_typer(module.app, name=name)
    else:
        module.register(part)
    return dict(get_group(part).commands)
