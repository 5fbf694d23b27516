"""Learning-rate schedules: the learning rate as a function of the number of steps taken."""
import bisect
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from cytensor import registry
from cytensor.absent import explain
from cytensor.configurations import deserializer, serialize
from cytensor.types import Config

__all__ = ["deserialize", "serialize",
           "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
]


def __dir__() -> list[str]:
    return [*__all__]


class LearningRateSchedule(registry.Configurable):
    """Base class: subclasses define `__call__(step)` -> float, step counting from 0."""
    strict = True

    def __call__(self, step: float) -> float:
        raise NotImplementedError(f"{type(self).__name__}: a schedule must define __call__(self, step)")


RateLike: TypeAlias = float | Config | LearningRateSchedule | Callable[[], float]


class ExponentialDecay(LearningRateSchedule):
    """initial * rate^(step / decay_steps); `staircase` takes whole powers only.

    >>> round(ExponentialDecay(0.1, 100, 0.5)(200), 6)
    0.025
    """
    initial: float
    steps: float
    rate: float

    def __init__(self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
                 name: str = "ExponentialDecay") -> None:
        self.initial, self.steps, self.rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase = staircase

    def __call__(self, step: float) -> float:
        power = step / self.steps
        return self.initial * self.rate ** (math.floor(power) if self.staircase else power)


class InverseTimeDecay(LearningRateSchedule):
    """initial / (1 + rate * step / decay_steps); `staircase` takes whole quotients only."""
    initial: float
    steps: float
    rate: float

    def __init__(self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
                 name: str = "InverseTimeDecay") -> None:
        self.initial, self.steps, self.rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase = staircase

    def __call__(self, step: float) -> float:
        quotient = step / self.steps
        return self.initial / (1 + self.rate * (math.floor(quotient) if self.staircase else quotient))


class PolynomialDecay(LearningRateSchedule):
    """From initial to end along (1 - step / decay_steps)^power; then end, or with `cycle` over and over, longer."""
    initial: float
    steps: float
    end: float
    power: float
    cycle: bool

    def __init__(self, initial_learning_rate: float, decay_steps: float, end_learning_rate: float = 0.0001,
                 power: float = 1.0, cycle: bool = False, name: str = "PolynomialDecay") -> None:
        self.initial, self.steps, self.end = initial_learning_rate, decay_steps, end_learning_rate
        self.power, self.cycle = power, cycle

    def __call__(self, step: float) -> float:
        steps = self.steps
        if self.cycle:
            steps *= max(1, math.ceil(step / steps))
        share = min(step / steps, 1.0)
        return float((self.initial - self.end) * (1 - share) ** self.power + self.end)


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[i] for the steps after boundaries[i - 1], up to and including boundaries[i].

    >>> [PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.1])(step) for step in (2, 3, 5)]
    [1.0, 0.5, 0.1]
    """
    boundaries: list[float]
    values: list[float]

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        self.boundaries, self.values = list(boundaries), [float(value) for value in values]
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(f"{name}: one value more than boundaries; got {len(self.boundaries)} boundaries, "
                             f"{len(self.values)} values")
        if self.boundaries != sorted(self.boundaries):
            raise ValueError(f"{name}: boundaries must ascend; got {self.boundaries}")

    def __call__(self, step: float) -> float:
        return self.values[bisect.bisect_left(self.boundaries, step)]


class CosineDecay(LearningRateSchedule):
    """A straight line from initial to warmup_target over warmup_steps, then half a cosine down to alpha times the top.

    Source: Loshchilov, Hutter, "SGDR: stochastic gradient descent with warm restarts" (2016).
    """
    initial: float
    steps: float
    alpha: float
    target: float | None
    warmup: int

    def __init__(self, initial_learning_rate: float, decay_steps: float, alpha: float = 0.0, name: str = "CosineDecay",
                 warmup_target: float | None = None, warmup_steps: int = 0) -> None:
        self.initial, self.steps, self.alpha = initial_learning_rate, decay_steps, alpha
        self.target, self.warmup = warmup_target, warmup_steps if warmup_target is not None else 0

    def __call__(self, step: float) -> float:
        top = self.initial if self.target is None else self.target
        if step < self.warmup:
            return self.initial + (top - self.initial) * step / self.warmup
        share = min(step - self.warmup, self.steps) / self.steps
        return top * ((1 - self.alpha) * 0.5 * (1 + math.cos(math.pi * share)) + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines down to alpha * initial, each `t_mul` times longer and `m_mul` times lower than the one before."""
    initial: float
    first: float
    alpha: float
    t_mul: float
    m_mul: float

    def __init__(self, initial_learning_rate: float, first_decay_steps: float, t_mul: float = 2.0, m_mul: float = 1.0,
                 alpha: float = 0.0, name: str = "SGDRDecay") -> None:
        self.initial, self.first, self.alpha = initial_learning_rate, first_decay_steps, alpha
        self.t_mul, self.m_mul = t_mul, m_mul

    def __call__(self, step: float) -> float:
        length, start, height = float(self.first), 0.0, 1.0
        while step >= start + length:
            start, length, height = start + length, length * self.t_mul, height * self.m_mul
        share = (step - start) / length
        return self.initial * ((1 - self.alpha) * 0.5 * height * (1 + math.cos(math.pi * share)) + self.alpha)


registry.register("schedules", ExponentialDecay, CosineDecay, CosineDecayRestarts, PiecewiseConstantDecay,
                  PolynomialDecay, InverseTimeDecay)
deserialize: Callable[..., Any] = deserializer("schedules")
explain(__name__)
