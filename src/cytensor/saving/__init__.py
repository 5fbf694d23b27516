"""Files of models and weights (models.py), and of interrupted training (checkpoint.py).

tensors.py: tensors without a model; files.py: bytes on the disk; keras_weights.py and keras_weights_out.py: the weights
in files of Keras; pytorch_weights.py: those of PyTorch's state dicts.
"""
from cytensor.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_serializable,
)
from cytensor.custom_objects import register_serializable as register_keras_serializable
from cytensor.saving.keras_weights_out import save_keras_weights
from cytensor.saving.models import (
    load_model,
    load_weights,
    model_from_json,
    model_to_json,
    save_model,
    save_weights,
)
from cytensor.saving.objects import deserialize_keras_object, serialize_keras_object
from cytensor.saving.pytorch_weights import load_pytorch_weights, save_pytorch_weights
from cytensor.saving.tensors import load, save

__all__ = ["custom_object_scope", "CustomObjectScope", "deserialize_keras_object", "get_custom_objects",
           "get_registered_name", "get_registered_object", "load", "load_model", "load_pytorch_weights",
           "load_weights", "model_from_json", "model_to_json", "register_keras_serializable",
           "register_serializable", "save", "save_keras_weights", "save_model", "save_pytorch_weights", "save_weights",
           "serialize_keras_object"]


def __dir__() -> list[str]:
    return [*__all__]
