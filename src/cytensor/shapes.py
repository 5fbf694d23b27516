"""TensorShape: what `x.shape` is, a tuple with the few methods that TensorFlow's shapes have beside."""
import math


class TensorShape(tuple[int, ...]):
    """The lengths of a tensor's axes: a tuple.

    >>> import cytensor as ct
    >>> shape = ct.ones((2, 3)).shape
    >>> shape, shape.as_list(), shape.rank, shape.num_elements()
    ((2, 3), [2, 3], 2, 6)
    """

    __slots__ = ()

    def as_list(self) -> list[int]:
        """The lengths in a list."""
        return list(self)

    @property
    def rank(self) -> int:
        """How many axes there are."""
        return len(self)

    ndims = rank

    @property
    def dims(self) -> list[int]:
        """The lengths in a list."""
        return list(self)

    def num_elements(self) -> int:
        """The product of the lengths."""
        return math.prod(self)

    def is_fully_defined(self) -> bool:
        """True: a tensor that exists has lengths."""
        return True
