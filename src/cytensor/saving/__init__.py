"""Files of models and weights (models.py), and of interrupted training (checkpoint.py).

tensors.py: tensors without a model; files.py: bytes on the disk; keras_weights.py: the weights in files of Keras.
"""
from cytensor.saving.models import (
    load_model,
    load_weights,
    model_from_json,
    model_to_json,
    register_serializable,
    save_model,
    save_weights,
)
from cytensor.saving.tensors import load, save

__all__ = ["load", "load_model", "load_weights", "model_from_json", "model_to_json", "register_serializable", "save",
           "save_model", "save_weights"]


def __dir__() -> list[str]:
    return [*__all__]
