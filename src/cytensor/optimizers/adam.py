"""Adam and AdamW: steps from moving means of the gradient and of its square."""
import cyops
from cytensor.optimizers.base import Optimizer


class Adam(Optimizer):
    """m and v are moving means of g and g^2; w -= a * m / (sqrt(v) + epsilon), a corrected for both starting at 0.

    a = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) at step t = 1, 2, ... Further options are Optimizer's.
    Source: Kingma, Ba, "Adam: a method for stochastic optimization" (2014).
    """
    slot_names = ("m", "v")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **options):
        super().__init__(learning_rate, **options)
        for name, beta in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not 0 <= beta < 1:
                raise ValueError(f"{type(self).__name__}: {name} must be in [0, 1); got {beta}")
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def update(self, gradients, variables, learning_rate):
        cyops.adam_step(variables, gradients, self.slot("m", variables), self.slot("v", variables), learning_rate,
                         self.beta_1, self.beta_2, self.epsilon, self.iterations + 1)


class AdamW(Adam):
    """Adam whose weights also shrink by `learning_rate * weight_decay` of themselves each step.

    Source: Loshchilov, Hutter, "Decoupled weight decay regularization" (2017).
    """

    def __init__(self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **options):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, weight_decay=weight_decay, **options)
