"""RMSprop: steps divided by a moving root mean square of the gradients."""
import cyops
from cytensor.optimizers.base import Optimizer


class RMSprop(Optimizer):
    """s = rho * s + (1 - rho) * g^2; w -= learning_rate * g / sqrt(s + epsilon).

    centered: the squared moving mean of g is subtracted from s. momentum: the steps are added up, decaying.
    Further options are Optimizer's. Source: Hinton, "Neural networks for machine learning", lecture 6 (2012).
    """

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, **options):
        super().__init__(learning_rate, **options)
        self.rho, self.momentum, self.epsilon, self.centered = rho, float(momentum), epsilon, bool(centered)
        self.slot_names = ("mean_square", *(("velocity",) if momentum else ()), *(("mean",) if centered else ()))

    takes_factors = True

    def update(self, gradients, variables, learning_rate):
        cyops.rmsprop_step(variables, gradients, self.slot("mean_square", variables), learning_rate, self.rho,
                            self.epsilon, momentum=self.momentum,
                            velocity=self.slot("velocity", variables) if self.momentum else None,
                            mean=self.slot("mean", variables) if self.centered else None, **self.factors)
