"""The ``gridloom`` command."""


def main() -> None:
    """Run the command line."""
