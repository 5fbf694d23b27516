"""Optimizers. base.py has the Optimizer class, scalars.py its numbers as variables, schedules.py learning rates as
functions of the step.
"""
from collections.abc import Callable
from typing import Any, cast

from cytensor import registry
from cytensor.absent import explain
from cytensor.configurations import deserializer, serialize
from cytensor.optimizers import schedules
from cytensor.optimizers.adam import Adam, Adamax, AdamW, Nadam
from cytensor.optimizers.adaptive import Adadelta, Adagrad, Lion
from cytensor.optimizers.base import Optimizer
from cytensor.optimizers.rmsprop import RMSprop
from cytensor.optimizers.sgd import SGD
from cytensor.types import Identifier

__all__ = ["deserialize", "serialize",
           "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "Nadam", "Optimizer", "RMSprop", "get",
           "schedules"]


def __dir__() -> list[str]:
    return [*__all__]


registry.register("optimizers", SGD, RMSprop, Adam, AdamW, Adamax, Nadam, Adagrad, Adadelta, Lion)


def get(identifier: Identifier | Optimizer) -> Optimizer:
    """The Optimizer that a name, configuration, class or instance means."""
    found: Optimizer = registry.lookup("optimizers", cast("Identifier", identifier), Optimizer)
    return found
deserialize: Callable[..., Any] = deserializer("optimizers")
explain(__name__)
