"""Losses: classes that reduce to a number (classes.py) and functions that give per-sample values (functions.py).

    agreement (shapes, dtypes, labels), cross_entropy (fused with softmax)  <-  functions  <-  classes
"""
from cytensor.absent import explain
from cytensor.losses.classes import *  # noqa: F403
from cytensor.losses.classes import __all__, compiled


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
