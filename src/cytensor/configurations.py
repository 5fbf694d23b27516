"""Parts as configurations in Keras's words, and back: what `serialize` and `deserialize` of the modules do."""
from collections.abc import Callable, Mapping
from typing import Any

from cytensor import registry
from cytensor.custom_objects import CustomObjectScope


def serialize(obj: Any) -> Any:
    """A layer, loss, optimizer or another part, or a function, as a dictionary that JSON can hold, as in Keras 3.

    {"module", "class_name", "config", "registered_name"}; numbers, strings, lists and dictionaries of parts stay what
    they are. TypeError for what has no name that could be given again.

    >>> import cytensor as ct
    >>> ct.regularizers.serialize(ct.regularizers.L2(0.5))["config"]
    {'l2': 0.5}
    """
    return registry.to_keras(registry.serialize(obj))


def deserializer(kind: str) -> Callable[..., Any]:
    """The function `deserialize` of the module that has parts of that kind.

    >>> deserializer("layers")({"class_name": "Dense", "config": {"units": 3}}).units
    3
    """
    def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The object that a name, or a dictionary as `serialize` and Keras write it, describes.

        custom_objects: {name: class or function} of one's own. ValueError for a name that is not known, TypeError for
        what is no description.
        """
        with CustomObjectScope(custom_objects):
            return registry.lookup(kind, config)
    deserialize.__module__ = f"cytensor.{kind}"
    return deserialize
