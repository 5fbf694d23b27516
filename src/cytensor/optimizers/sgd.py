"""SGD: gradient descent, with momentum and Nesterov's form of it."""
from collections.abc import Sequence
from typing import Any

import cyops
from cytensor.optimizers.base import Optimizer
from cytensor.optimizers.schedules import RateLike
from cytensor.tensor import Tensor, Variable


class SGD(Optimizer):
    """w -= learning_rate * g; with momentum, v = momentum * v - learning_rate * g and w += v.

    nesterov: w += momentum * v - learning_rate * g after the new v. Further options are Optimizer's.
    Source: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum" (2013).
    """
    momentum: float
    nesterov: bool
    slot_names: tuple[str, ...]

    def __init__(self, learning_rate: RateLike = 0.01, momentum: float = 0.0, nesterov: bool = False,
                 **options: Any) -> None:
        super().__init__(learning_rate, **options)
        self.momentum, self.nesterov = float(momentum), bool(nesterov)
        self.slot_names = ("velocity",) if momentum else ()

    takes_factors = True

    def update(self, gradients: Sequence[Tensor], variables: Sequence[Variable], learning_rate: float) -> None:
        if not self.momentum:
            cyops.sgd_step(variables, gradients, learning_rate, **self.factors)
        else:
            cyops.momentum_step(variables, gradients, self.slot("velocity", variables), learning_rate,
                                 self.momentum, self.nesterov, **self.factors)
