"""Layers that bring data to a common scale."""
from cytensor.layers.base import Layer
from cytensor.layers.settings import Setting


class Rescaling(Layer):
    """x * scale + offset; e.g. Rescaling(1 / 255) for images of bytes.

    >>> Rescaling(0.5, offset=1.0)([2, 4]).numpy()
    array([2., 3.], dtype=float32)
    """
    casts_integers = True
    takes_several = False
    scale, offset = Setting(), Setting()

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, x):
        x = x * self.scale
        return x + self.offset if self.offset else x

    def compute_output_shape(self, input_shape):
        return input_shape
