"""The command line."""
from cytensor.cli.commands import main

__all__ = ["main"]
__dir__ = __all__.copy
