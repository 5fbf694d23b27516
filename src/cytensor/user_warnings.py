"""Warnings that point at the user's line, however deep in the package they arise. Imports nothing of the package."""
import contextlib
import os
import sys
import warnings
from types import FrameType

FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
BETWEEN = {contextlib.__file__}        # what stands between two frames of the package, and is not the user's either


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn as of the innermost line on the way here that is not the package's own."""
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and _is_ours(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_ours(filename: str) -> bool:
    return filename in BETWEEN or os.path.abspath(filename).startswith(FOLDER)
