"""GradientTape under a path of one step; what it is stands in autodiff/."""
from cytensor.autodiff.tape import GradientTape

__all__ = ["GradientTape"]


def __dir__() -> list[str]:
    return [*__all__]
