"""compile, fit, evaluate and predict (trainer.py), and what they are made of.

fitting.py: the loop over epochs; evaluation.py: a pass over batches without training; compiled.py: what compile was
given for each output; run.py: what a run knows, and runs inside runs; overrides.py: calling the user's own compute_loss
and compute_metrics; return_values.py: what is returned; numerics.py: finding what is not finite.
"""
from cytensor.training.trainer import Trainer

__all__ = ["Trainer"]


def __dir__() -> list[str]:
    return [*__all__]
