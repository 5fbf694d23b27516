"""SGD: gradient descent, with momentum and Nesterov's form of it."""
import cyops
from cytensor.optimizers.base import Optimizer


class SGD(Optimizer):
    """w -= learning_rate * g; with momentum, v = momentum * v - learning_rate * g and w += v.

    nesterov: w += momentum * v - learning_rate * g after the new v. Further options are Optimizer's.
    Source: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum" (2013).
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **options):
        super().__init__(learning_rate, **options)
        self.momentum, self.nesterov = float(momentum), bool(nesterov)
        self.slot_names = ("velocity",) if momentum else ()

    takes_factors = True

    def update(self, gradients, variables, learning_rate):
        if not self.momentum:
            cyops.sgd_step(variables, gradients, learning_rate, **self.factors)
        else:
            cyops.momentum_step(variables, gradients, self.slot("velocity", variables), learning_rate,
                                 self.momentum, self.nesterov, **self.factors)
