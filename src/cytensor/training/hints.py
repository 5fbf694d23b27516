"""Settings that are allowed and cannot be meant together: `compile` warns of them. Only trainer.py imports this."""
from typing import TYPE_CHECKING, Any

from cytensor import activations
from cytensor.user_warnings import warn

if TYPE_CHECKING:
    from cytensor.training.trainer import Trainer


def warn_of_sigmoid(model: "Trainer", loss: Any) -> None:
    """Warn where a model ends in a sigmoid and the loss takes that for logits.

    A softmax is found by the losses themselves, which see where predictions come from.
    """
    layers = getattr(model, "layers", None)
    activation = getattr(layers[-1], "activation", None) if isinstance(layers, (list, tuple)) and layers else None
    if activation is activations.sigmoid and loss is not None and getattr(loss, "from_logits", False):
        warn(f"compile: the model ends in a sigmoid and '{loss.name}' has from_logits=True, which applies "
             f"another; leave out one of them")
