"""Adam and its kin: steps from moving means of the gradient and of its size."""
from collections.abc import Sequence
from typing import Any

import cyops
from cytensor.optimizers.base import Optimizer
from cytensor.optimizers.schedules import RateLike
from cytensor.tensor import Tensor, Variable


class _Moments(Optimizer):
    """What the family shares: the rates of the two means, and the slots m and v."""
    slot_names: tuple[str, ...] = ("m", "v")
    beta_1: float
    beta_2: float
    epsilon: float

    def __init__(self, learning_rate: RateLike = 0.001, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-7, **options: Any) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def moments(self, variables: Sequence[Variable]) -> tuple[list[Tensor], list[Tensor]]:
        """The slots m and v of the variables."""
        return self.slot("m", variables), self.slot("v", variables)


class Adam(_Moments):
    """m and v are moving means of g and g^2; w -= a * m / (sqrt(v) + epsilon), a corrected for both starting at 0.

    a = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) at step t = 1, 2, ... With amsgrad the largest v so far
    takes the place of v. Further options are Optimizer's. Source: Kingma, Ba, "Adam: a method for stochastic
    optimization" (2014); Reddi, Kale, Kumar, "On the convergence of Adam and beyond" (2018).
    """
    amsgrad: bool
    slot_names: tuple[str, ...]

    def __init__(self, learning_rate: RateLike = 0.001, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-7, amsgrad: bool = False, **options: Any) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.amsgrad = bool(amsgrad)
        self.slot_names = ("m", "v", "largest_v") if amsgrad else ("m", "v")

    takes_factors = True

    def update(self, gradients: Sequence[Tensor], variables: Sequence[Variable], learning_rate: float) -> None:
        step = self.iterations + 1
        if not self.amsgrad:
            cyops.adam_step(variables, gradients, *self.moments(variables), learning_rate, self.beta_1, self.beta_2,
                            self.epsilon, step, **self.factors)
            return
        rate = learning_rate * (1 - self.beta_2 ** step) ** 0.5 / (1 - self.beta_1 ** step)
        cyops.update.step("amsgrad", variables, gradients, *self.moments(variables), self.slot("largest_v", variables),
                          rate=rate, rest_1=1 - self.beta_1, rest_2=1 - self.beta_2, epsilon=self.epsilon,
                          **self.factors)


class AdamW(Adam):
    """Adam whose weights also shrink by `learning_rate * weight_decay` of themselves each step.

    Source: Loshchilov, Hutter, "Decoupled weight decay regularization" (2017).
    """

    def __init__(self, learning_rate: RateLike = 0.001, weight_decay: float | None = 0.004, beta_1: float = 0.9,
                 beta_2: float = 0.999, epsilon: float = 1e-7, amsgrad: bool = False, **options: Any) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options)


class Adamax(_Moments):
    """Adam with v the decaying maximum of |g|: w -= learning_rate / (1 - beta_1^t) * m / (v + epsilon).

    Further options are Optimizer's. Source: Kingma, Ba (2014), section 7.
    """

    takes_factors = True

    def update(self, gradients: Sequence[Tensor], variables: Sequence[Variable], learning_rate: float) -> None:
        rate = learning_rate / (1 - self.beta_1 ** (self.iterations + 1))
        cyops.update.step("adamax", variables, gradients, *self.moments(variables), rate=rate, rest_1=1 - self.beta_1,
                          beta_2=self.beta_2, epsilon=self.epsilon, **self.factors)


class Nadam(_Moments):
    """Adam with Nesterov momentum, whose rate u_t = beta_1 * (1 - 0.96^t / 2) grows with the steps.

    Further options are Optimizer's. Source: Dozat, "Incorporating Nesterov momentum into Adam" (2016).
    """

    def _product(self, step: int) -> float:
        """u_1 * ... * u_step, multiplied in this order, which gives the bits of training that was not interrupted.

        Behind some thousand steps it is as small as a float can be and changes no more, whatever step a file says.
        """
        product = 1.0
        for t in range(1, step + 1):
            before, product = product, product * self._momentum(t)
            if product == before:
                break
        return product

    def _momentum(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * 0.96 ** t)

    takes_factors = True

    def update(self, gradients: Sequence[Tensor], variables: Sequence[Variable], learning_rate: float) -> None:
        step = self.iterations + 1
        if self._known[0] != step - 1:             # a loaded optimizer goes on in the middle
            self._known = (step - 1, self._product(step - 1))
        product = self._known[1] * self._momentum(step)
        self._known = (step, product)
        following = self._momentum(step + 1)
        cyops.update.step("nadam", variables, gradients, *self.moments(variables),
                          mean_rate=learning_rate * following / (1 - product * following),
                          gradient_rate=learning_rate * (1 - self._momentum(step)) / (1 - product),
                          rest_1=1 - self.beta_1, rest_2=1 - self.beta_2, epsilon=self.epsilon,
                          correction=1 / (1 - self.beta_2 ** step), **self.factors)

    _known = (0, 1.0)              # (step, product of the momentums up to it)
