"""Fonts for letters that matplotlib's own font lacks, as those of Korean: found among what is installed.

They are put behind the font of a text, and of that text alone; the user's settings stay as they are.
"""
import contextlib
import functools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontManager

# What systems have, from fonts made for Korean to those that also have its letters.
FAMILIES = ("Noto Sans KR", "Noto Sans CJK KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo", "AppleGothic",
            "Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans", "Arial Unicode MS", "Unifont")
FILES = ("NotoSansKR", "NotoSansCJK", "NanumGothic", "malgun", "AppleSDGothicNeo", "AppleGothic", "NotoSansJP")
# Jamo; Chinese, Japanese and Korean letters; their compatible forms; those of full width.
LETTERS = (range(0x1100, 0x1200), range(0x2E80, 0xD800), range(0xF900, 0xFB00), range(0xFF00, 0xFFF0))
MOST = 2                           # as many fonts as a text gets


@functools.cache
def installed() -> tuple[str, ...]:
    """The families to look in: those that matplotlib knows of, or one of a file that it has not seen yet.

    Its list of fonts is made once and kept, so that a font that was installed later is not in it.
    """
    from matplotlib import font_manager

    manager = font_manager.fontManager
    if not _known(manager):
        paths = font_manager.findSystemFonts()
        families = ([path for path in paths if os.path.basename(path).startswith(name)] for name in FILES)
        for path in next(filter(None, families), ()):                  # of each weight
            with contextlib.suppress(OSError, RuntimeError):       # a file that is no font
                manager.addfont(path)
    return tuple(_known(manager)[:MOST])


def _known(manager: "FontManager") -> list[str]:
    names = {font.name for font in manager.ttflist}
    return [family for family in FAMILIES if family in names]


def families(text: str, present: list[str]) -> list[str]:
    """The families that a text needs: the present ones, and others behind them where it has letters for which."""
    if not any(ord(letter) in letters for letter in text for letters in LETTERS):
        return present
    return [*present, *(family for family in installed() if family not in present)]


def complete(figure: "Figure") -> None:
    """Give every text of a figure the fonts that its letters need."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if isinstance(text, Text):
            present = text.get_fontfamily()
            needed = families(text.get_text(), present)
            if len(needed) > len(present):
                text.set_fontfamily(needed)
