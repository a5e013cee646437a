"""Making commands that take every setting of fabric-ca-client as an option.

There, each command knows each option, and those of the program may come before its name as well
as behind it (Fabric: fabric-ca cmd/fabric-ca-client/command/clientcmd.go, its persistent flags).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from .ca_settings import SETTINGS, ClientSettings, Setting


def client_command(function: Callable[..., None]) -> Callable[..., None]:
    """Return a command from a function whose first parameter are the settings.

    Its other parameters become arguments and options, as Typer has it.
    """

    def command(context: typer.Context, **values: Any) -> None:  # noqa: ANN401
        given = _given(values)
        settings = ClientSettings.load({**(context.obj or {}), **given})
        function(settings, **values)

    return _dressed(command, function)


def client_callback(function: Callable[[], None]) -> Callable[..., None]:
    """Return a callback that keeps the options given before a command's name for that command."""

    def callback(context: typer.Context, **values: Any) -> None:  # noqa: ANN401
        context.obj = {**(context.obj or {}), **_given(values)}
        function()

    return _dressed(callback, function)


def client_group(
    program: str, text: str, commands: Mapping[str, tuple[Callable[..., None], str]]
) -> typer.Typer:
    """Return a group of commands, each with its function and an example of its options.

    program: what one types before their names.
    """
    group = typer.Typer(help=text, no_args_is_help=True)

    def callback() -> None: ...

    callback.__doc__ = text
    group.callback()(client_callback(callback))
    for name, (function, example) in commands.items():
        epilog = f"Example: {program} {name} {example}".rstrip()
        group.command(name, epilog=epilog)(client_command(function))
    return group


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Take the settings that were given out of a command's values."""
    said = {setting.name: values.pop(setting.parameter) for setting in SETTINGS}
    return {name: value for name, value in said.items() if value not in (None, [])}


def _dressed(command: Callable[..., None], function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the name, the help and the parameters that it shall show."""
    own = inspect.signature(function, eval_str=True).parameters.values()
    parameters = [
        inspect.Parameter(
            "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        ),
        *(each.replace(kind=each.KEYWORD_ONLY) for each in own if each.name != "settings"),
        *map(_parameter, SETTINGS),
    ]
    command.__name__ = function.__name__
    command.__doc__ = function.__doc__
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def _parameter(setting: Setting) -> inspect.Parameter:
    kind: Any = list[str] if setting.kind is list else setting.kind
    names = [f"--{setting.name}", *([f"-{setting.short}"] if setting.short else [])]
    default = f" [default: {setting.default}]" if setting.default else ""
    option = typer.Option(
        *names,
        help=setting.help + default,
        hidden=setting.hidden,
        metavar="<list>" if setting.kind is list else None,
        show_default=False,
    )
    return inspect.Parameter(
        setting.parameter,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )
