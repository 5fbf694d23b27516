"""Options of the command line: how one is added with its default in words, and the types that check what was given."""
import argparse
import math
from pathlib import Path
from typing import Any


def option(parser: argparse.ArgumentParser, name: str, help_text: str, default: Any = None, shown: str | None = None,
           **settings: Any) -> None:
    """An option whose help ends with its default, worded as `shown` where the value itself says too little."""
    parser.add_argument(name, default=default, help=f"{help_text} (default: {shown or default})", **settings)


def positive_int(text: str, least: int = 1) -> int:
    """A whole number from `least`."""
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least}; got {text}")
    return value


def seed_number(text: str) -> int:
    """A whole number from 0."""
    return positive_int(text, least=0)


def port_number(text: str) -> int:
    """A whole number from 0 to 65535."""
    value = positive_int(text, least=0)
    if value > 65535:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 65535; got {text}")
    return value


def positive_float(text: str) -> float:
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0; got {text}")
    return value


def model_path(text: str) -> str:
    """The name of a file that can be written: checked before the training rather than after it."""
    if not text.endswith(".safetensors"):
        raise argparse.ArgumentTypeError(f"must end with .safetensors; got {text}")
    if not Path(text).parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {Path(text).parent}")
    return text
