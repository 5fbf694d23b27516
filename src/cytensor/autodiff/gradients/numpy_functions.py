"""Rules of the elementwise functions that NumPy computes: see numpy_functions.py."""
import math

import cyops
from cyops import Strided
from cytensor.autodiff.rules import define, define_no_gradient
from cytensor.numpy_functions import NONE, ROWS


def _sign_of(x: Strided) -> Strided:
    """1 or -1, the sign of zero included."""
    return cyops.sign(cyops.where(x == 0, cyops.reciprocal(x), x))


define("log2", x=lambda d, x: d / (x * math.log(2)))
define("log10", x=lambda d, x: d / (x * math.log(10)))
define("logaddexp", x1=lambda d, x1, x2: d * cyops.sigmoid(x1 - x2), x2=lambda d, x1, x2: d * cyops.sigmoid(x2 - x1))
define("hypot", x1=lambda d, x1, out: d * x1 / out, x2=lambda d, x2, out: d * x2 / out)
define("copysign", x1=lambda d, x1, x2: d * _sign_of(x1) * _sign_of(x2), x2=None)
define_no_gradient(*(name for name, row in ROWS.items() if row.gradient is NONE))
