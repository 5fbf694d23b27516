"""Adagrad, Adadelta and Lion: one slot or two, and a row of the kernels' table each."""
from collections.abc import Sequence
from typing import Any

import cyops
from cytensor.optimizers.base import Optimizer
from cytensor.optimizers.schedules import RateLike
from cytensor.tensor import Tensor, Variable


class Adagrad(Optimizer):
    """s += g^2; w -= learning_rate * g / sqrt(s + epsilon). Further options are Optimizer's.

    Source: Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and stochastic optimization" (2011).
    """
    slot_names: tuple[str, ...] = ("sum",)
    initial_accumulator_value: float
    epsilon: float

    def __init__(self, learning_rate: RateLike = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7,
                 **options: Any) -> None:
        super().__init__(learning_rate, **options)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def initial_slot(self, name: str, variable: Variable) -> Tensor:
        slot = super().initial_slot(name, variable)
        if name == "sum":
            slot[...] = self.initial_accumulator_value
        return slot

    takes_factors = True

    def update(self, gradients: Sequence[Tensor], variables: Sequence[Variable], learning_rate: float) -> None:
        cyops.update.step("adagrad", variables, gradients, self.slot("sum", variables), learning_rate=learning_rate,
                          epsilon=self.epsilon, **self.factors)


class Adadelta(Optimizer):
    """Steps of the size of the last steps: d = sqrt(u + epsilon) / sqrt(s + epsilon) * g; w -= learning_rate * d.

    s and u are moving means of g^2 and d^2. Further options are Optimizer's. Source: Zeiler, "ADADELTA" (2012).
    """
    slot_names: tuple[str, ...] = ("mean_square", "mean_square_step")
    rho: float
    epsilon: float

    def __init__(self, learning_rate: RateLike = 0.001, rho: float = 0.95, epsilon: float = 1e-7,
                 **options: Any) -> None:
        super().__init__(learning_rate, **options)
        self.rho, self.epsilon = rho, epsilon

    takes_factors = True

    def update(self, gradients: Sequence[Tensor], variables: Sequence[Variable], learning_rate: float) -> None:
        cyops.update.step("adadelta", variables, gradients, self.slot("mean_square", variables),
                          self.slot("mean_square_step", variables), learning_rate=learning_rate, rho=self.rho,
                          rest=1 - self.rho, epsilon=self.epsilon, **self.factors)


class Lion(Optimizer):
    """w -= learning_rate * sign(beta_1 * m + (1 - beta_1) * g), with m a moving mean of g at rate beta_2.

    Further options are Optimizer's. Source: Chen et al., "Symbolic discovery of optimization algorithms" (2023).
    """
    slot_names: tuple[str, ...] = ("m",)
    beta_1: float
    beta_2: float

    def __init__(self, learning_rate: RateLike = 0.001, beta_1: float = 0.9, beta_2: float = 0.99,
                 **options: Any) -> None:
        super().__init__(learning_rate, **options)
        if not 0 < beta_1 <= 1:
            raise ValueError(f"Lion: beta_1 must be in (0, 1]; got {beta_1}")
        self.beta_1, self.beta_2 = beta_1, beta_2

    takes_factors = True

    def update(self, gradients: Sequence[Tensor], variables: Sequence[Variable], learning_rate: float) -> None:
        cyops.update.step("lion", variables, gradients, self.slot("m", variables), learning_rate=learning_rate,
                          beta_1=self.beta_1, rest_1=1 - self.beta_1, beta_2=self.beta_2, rest_2=1 - self.beta_2,
                          **self.factors)
