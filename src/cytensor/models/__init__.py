"""Models: layers that train as a whole."""
from cytensor.absent import explain
from cytensor.models.model import Model, clone_model, load_model, model_from_json, save_model
from cytensor.models.sequential import Sequential

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
