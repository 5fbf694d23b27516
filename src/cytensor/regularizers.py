"""Regularizers: penalties on weights that are added to the loss."""
from cytensor import ops, registry

__all__ = ["L1", "L1L2", "L2", "Regularizer", "get"]


class Regularizer(registry.Configurable):
    """Base class: a function of a weight that returns a scalar."""

    def __call__(self, x):
        raise NotImplementedError(f"{type(self).__name__}: a regularizer must define __call__(self, x)")


class L1L2(Regularizer):
    """l1 * sum(|x|) + l2 * sum(x^2)."""

    def __init__(self, l1=0.0, l2=0.0):
        self.l1, self.l2 = float(l1), float(l2)

    def __call__(self, x):
        penalty = 0.0
        if self.l1:
            penalty = penalty + self.l1 * ops.sum(ops.abs(x))
        if self.l2:
            penalty = penalty + self.l2 * ops.sum(ops.square(x))
        return penalty


class L1(L1L2):
    """l1 * sum(|x|)."""

    def __init__(self, l1=0.01):
        super().__init__(l1=l1)


class L2(L1L2):
    """l2 * sum(x^2)."""

    def __init__(self, l2=0.01):
        super().__init__(l2=l2)


registry.register("regularizers", L1, L2, L1L2)
l1, l2, l1_l2 = L1, L2, L1L2


def get(identifier):
    """The regularizer that a name, configuration, class, instance or function means; None stays None."""
    return registry.lookup("regularizers", identifier, Regularizer)
