"""The dtype object of bfloat16, which NumPy lacks: `x.dtype` of a bfloat16 tensor. Imports nothing.

bfloat16 is the upper half of a float32: 8 bits of exponent and 7 of fraction. It is storage here: tensors of it are
copied, viewed, cast and compared, and NumPy sees them as float32.
"""


class _BFloat16:
    """Answers what NumPy's dtypes are asked for, and equals what names the dtype in other libraries."""

    name: str = "bfloat16"
    kind: str = "f"
    char: str = "E"
    itemsize: int = 2
    names: None = None
    type = float                          # what holds one of its numbers

    def __eq__(self, other: object) -> bool:
        return other is self or bool((other if isinstance(other, str) else getattr(other, "name", None)) == self.name)

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"dtype({self.name})"

    def __reduce__(self) -> str:
        return "bfloat16"

    def newbyteorder(self, order: str = "S") -> "_BFloat16":
        """Itself: there is the machine's byte order only."""
        return self


bfloat16: _BFloat16 = _BFloat16()
