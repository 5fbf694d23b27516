"""Single objects as configurations in Keras's words, and back: `serialize_keras_object`, `deserialize_keras_object`."""
from collections.abc import Mapping
from typing import Any

from cytensor import registry
from cytensor.configurations import serialize as serialize_keras_object
from cytensor.custom_objects import CustomObjectScope

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def deserialize_keras_object(config: Any, custom_objects: Mapping[str, Any] | None = None,
                             safe_mode: bool = True) -> Any:
    """The object that a dictionary of `serialize_keras_object`, of Keras itself or of `to_json` describes.

    custom_objects: {name: class or function} of one's own. safe_mode: there is no other, for a configuration never
    brings code. ValueError for a name that is not known.

    >>> import cytensor as ct
    >>> deserialize_keras_object({"class_name": "Dense", "config": {"units": 3, "activation": "relu"}}).units
    3
    """
    with CustomObjectScope(custom_objects):
        if isinstance(config, dict) and "class_name" in config:
            return registry.from_keras(config)
        return registry.deserialize(config)
