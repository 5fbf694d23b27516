"""Finding NaN and infinity where they arise, and checking gradients against differences."""
from cytensor.training.numerics import check_numerics, gradcheck

__all__ = ["check_numerics", "gradcheck"]


def __dir__() -> list[str]:
    return [*__all__]
