"""Warnings that point at the user's line, however deep in the package they arise. Imports nothing of the package."""
import contextlib
import os
import sys
import warnings

FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
BETWEEN = {contextlib.__file__}        # what stands between two frames of the package, and is not the user's either


def warn(message, category=UserWarning):
    """Warn as of the innermost line on the way here that is not the package's own."""
    frame, level = sys._getframe(1), 2
    while frame is not None and _is_ours(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_ours(filename):
    return filename in BETWEEN or os.path.abspath(filename).startswith(FOLDER)
