"""`tf.errors`: the exceptions that are raised here under the names that TensorFlow has for them.

>>> import cytensor as tf
>>> try:
...     tf.reshape([1., 2., 3.], [2, 2])
... except tf.errors.InvalidArgumentError as error:
...     print(type(error).__name__)
ValueError
"""
from typing import Any

__all__ = ["InvalidArgumentError", "NotFoundError", "OutOfRangeError", "ResourceExhaustedError", "UnimplementedError"]

# What a caller may catch where TensorFlow raises one error for values, dtypes and positions.
InvalidArgumentError: Any = (ValueError, TypeError, IndexError)
NotFoundError: type[Exception] = FileNotFoundError
OutOfRangeError: type[Exception] = StopIteration
ResourceExhaustedError: type[Exception] = MemoryError
UnimplementedError: type[Exception] = NotImplementedError
