"""Memory between two pages that nobody may touch: an access beyond either end kills the process."""
import ctypes
import mmap

import numpy as np

PROT_NONE = 0


class Guarded:
    """Room for `nbytes`, rounded up to whole pages, with a forbidden page before and after it."""

    def __init__(self, nbytes):
        page = mmap.PAGESIZE
        self.size = -(-nbytes // page) * page
        self.map = mmap.mmap(-1, self.size + 2 * page)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        for start in (self.address, self.address + page + self.size):
            assert protect(ctypes.c_void_p(start), ctypes.c_size_t(page), PROT_NONE) == 0

    def array(self, shape, dtype, at_end):
        """An array that ends where the memory ends, or begins where it begins."""
        nbytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        assert nbytes <= self.size
        start = self.address + mmap.PAGESIZE + (self.size - nbytes if at_end else 0)
        return np.frombuffer((ctypes.c_char * nbytes).from_address(start), dtype).reshape(shape)


# -- places: functions of the shape that give the memory of an operand ------------------------------------------------
def forward(shape, room):
    return room(shape)


def backward(shape, room):
    return np.flip(room(shape))


def transposed(shape, room):
    return room(shape[::-1]).T


def stepped(shape, room):
    """Every second element, the first and last of the memory among them."""
    return room([2 * n - 1 for n in shape])[tuple(slice(None, None, 2) for _ in shape)]


def last_axis_backward(shape, room):
    return room(shape)[..., ::-1]
