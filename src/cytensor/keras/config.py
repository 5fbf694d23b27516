"""`keras.config`: what is set for the whole process, by the names of Keras 3."""
from cytensor.absent import explain
from cytensor.dtype_policies import global_policy as dtype_policy
from cytensor.dtype_policies import set_global_policy as set_dtype_policy
from cytensor.keras.backend import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)

__all__ = ["backend", "dtype_policy", "epsilon", "floatx", "image_data_format", "set_dtype_policy", "set_epsilon",
           "set_floatx", "set_image_data_format"]


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
