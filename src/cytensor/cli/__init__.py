"""The command line."""
from cytensor.cli.commands import main

__all__ = ["main"]


def __dir__() -> list[str]:
    return [*__all__]
