"""RMSprop: steps divided by a moving root mean square of the gradients."""
from collections.abc import Sequence
from typing import Any

import cyops
from cytensor.optimizers.base import Optimizer
from cytensor.optimizers.schedules import RateLike
from cytensor.tensor import Tensor, Variable


class RMSprop(Optimizer):
    """s = rho * s + (1 - rho) * g^2; w -= learning_rate * g / sqrt(s + epsilon).

    centered: the squared moving mean of g is subtracted from s. momentum: the steps are added up, decaying.
    Further options are Optimizer's. Source: Hinton, "Neural networks for machine learning", lecture 6 (2012).
    """
    rho: float
    momentum: float
    epsilon: float
    centered: bool
    slot_names: tuple[str, ...]

    def __init__(self, learning_rate: RateLike = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7,
                 centered: bool = False, **options: Any) -> None:
        super().__init__(learning_rate, **options)
        self.rho, self.momentum, self.epsilon, self.centered = rho, float(momentum), epsilon, bool(centered)
        self.slot_names = ("mean_square", *(("velocity",) if momentum else ()), *(("mean",) if centered else ()))

    takes_factors = True

    def update(self, gradients: Sequence[Tensor], variables: Sequence[Variable], learning_rate: float) -> None:
        cyops.rmsprop_step(variables, gradients, self.slot("mean_square", variables), learning_rate, self.rho,
                            self.epsilon, momentum=self.momentum,
                            velocity=self.slot("velocity", variables) if self.momentum else None,
                            mean=self.slot("mean", variables) if self.centered else None, **self.factors)
