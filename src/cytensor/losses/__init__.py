"""Losses: classes that reduce to a number (classes.py) and functions that give per-sample values (functions.py).

    agreement (shapes, dtypes, labels), cross_entropy (fused with softmax)  <-  functions  <-  classes
"""
from collections.abc import Callable
from typing import Any

from cytensor.absent import explain
from cytensor.configurations import deserializer, serialize
from cytensor.losses import classes
from cytensor.losses.classes import *  # noqa: F403
from cytensor.losses.classes import compiled

__all__ = [*classes.__all__, "deserialize", "serialize"]


def __dir__() -> list[str]:
    return [*__all__]


deserialize: Callable[..., Any] = deserializer("losses")
explain(__name__)
