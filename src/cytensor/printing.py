"""Text for outputs that cannot show every character, or that nobody reads. Imports nothing of the package."""
import contextlib
import sys
from typing import Any

PLAIN = str.maketrans({**dict.fromkeys("┏┓┗┛┳┻╇┡┩┌┐└┘├┤┬┴┼", "+"), **dict.fromkeys("┃│", "|"), "━": "=", "─": "-",
                       "→": "->", "…": "..."})


def can_show(text: str, file: Any) -> bool:
    """Whether the encoding of `file` has every character; an output without one, such as a StringIO, has all."""
    try:
        text.encode(getattr(file, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


def printable(text: str, file: Any = None) -> str:
    """`text`, with plain characters in place of lines and arrows, and escapes for the rest, where `file` lacks some.

    file: by default the standard output.
    """
    file = file or sys.stdout
    if can_show(text, file):
        return text
    text = text.translate(PLAIN)
    encoding = getattr(file, "encoding", None) or "ascii"
    return text if can_show(text, file) else text.encode(encoding, "backslashreplace").decode(encoding)


def say(text: str, file: Any = None) -> None:
    """Print a line about the progress of training. A closed output, or a pipe that nobody reads, does not end that."""
    file = file or sys.stdout
    with contextlib.suppress(OSError, ValueError):
        print(printable(text, file), file=file, flush=True)
