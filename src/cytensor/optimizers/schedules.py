"""Learning-rate schedules: the learning rate as a function of the number of steps taken."""
import bisect
import math

from cytensor import registry
from cytensor.absent import explain

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
]
__dir__ = __all__.copy


class LearningRateSchedule(registry.Configurable):
    """Base class: subclasses define `__call__(step)` -> float, step counting from 0."""
    strict = True

    def __call__(self, step):
        raise NotImplementedError(f"{type(self).__name__}: a schedule must define __call__(self, step)")


class ExponentialDecay(LearningRateSchedule):
    """initial * rate^(step / decay_steps); `staircase` takes whole powers only.

    >>> round(ExponentialDecay(0.1, 100, 0.5)(200), 6)
    0.025
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"):
        self.initial, self.steps, self.rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase = staircase

    def __call__(self, step):
        power = step / self.steps
        return self.initial * self.rate ** (math.floor(power) if self.staircase else power)


class InverseTimeDecay(LearningRateSchedule):
    """initial / (1 + rate * step / decay_steps); `staircase` takes whole quotients only."""

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"):
        self.initial, self.steps, self.rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase = staircase

    def __call__(self, step):
        quotient = step / self.steps
        return self.initial / (1 + self.rate * (math.floor(quotient) if self.staircase else quotient))


class PolynomialDecay(LearningRateSchedule):
    """From initial to end along (1 - step / decay_steps)^power; then end, or with `cycle` over and over, longer."""

    def __init__(self, initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False,
                 name="PolynomialDecay"):
        self.initial, self.steps, self.end = initial_learning_rate, decay_steps, end_learning_rate
        self.power, self.cycle = power, cycle

    def __call__(self, step):
        steps = self.steps
        if self.cycle:
            steps *= max(1, math.ceil(step / steps))
        share = min(step / steps, 1.0)
        return (self.initial - self.end) * (1 - share) ** self.power + self.end


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[i] for the steps after boundaries[i - 1], up to and including boundaries[i].

    >>> [PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.1])(step) for step in (2, 3, 5)]
    [1.0, 0.5, 0.1]
    """

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        self.boundaries, self.values = list(boundaries), [float(value) for value in values]
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(f"{name}: one value more than boundaries; got {len(self.boundaries)} boundaries, "
                             f"{len(self.values)} values")
        if self.boundaries != sorted(self.boundaries):
            raise ValueError(f"{name}: boundaries must ascend; got {self.boundaries}")

    def __call__(self, step):
        return self.values[bisect.bisect_left(self.boundaries, step)]


class CosineDecay(LearningRateSchedule):
    """A straight line from initial to warmup_target over warmup_steps, then half a cosine down to alpha times the top.

    Source: Loshchilov, Hutter, "SGDR: stochastic gradient descent with warm restarts" (2016).
    """

    def __init__(self, initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay", warmup_target=None,
                 warmup_steps=0):
        self.initial, self.steps, self.alpha = initial_learning_rate, decay_steps, alpha
        self.target, self.warmup = warmup_target, warmup_steps if warmup_target is not None else 0

    def __call__(self, step):
        if step < self.warmup:
            return self.initial + (self.target - self.initial) * step / self.warmup
        top = self.initial if self.target is None else self.target
        share = min(step - self.warmup, self.steps) / self.steps
        return top * ((1 - self.alpha) * 0.5 * (1 + math.cos(math.pi * share)) + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines down to alpha * initial, each `t_mul` times longer and `m_mul` times lower than the one before."""

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0,
                 name="SGDRDecay"):
        self.initial, self.first, self.alpha = initial_learning_rate, first_decay_steps, alpha
        self.t_mul, self.m_mul = t_mul, m_mul

    def __call__(self, step):
        length, start, height = float(self.first), 0.0, 1.0
        while step >= start + length:
            start, length, height = start + length, length * self.t_mul, height * self.m_mul
        share = (step - start) / length
        return self.initial * ((1 - self.alpha) * 0.5 * height * (1 + math.cos(math.pi * share)) + self.alpha)


registry.register("schedules", ExponentialDecay, CosineDecay, CosineDecayRestarts, PiecewiseConstantDecay,
                  PolynomialDecay, InverseTimeDecay)
explain(__name__)
