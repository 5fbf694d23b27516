"""Rules of elementwise ops. Sources: the standard derivatives."""

import cyops
from cyops import Strided, floor_divide, log, relu_gradient, where
from cytensor.autodiff.rules import define, define_no_gradient

define("add", a=lambda d: d, b=lambda d: d)
define("subtract", a=lambda d: d, b=lambda d: -d)
define("multiply", a=lambda d, b: d * b, b=lambda d, a: d * a)
define("divide", a=lambda d, b: d / b, b=lambda d, b, out: -d * out / b)
define("remainder", a=lambda d: d, b=lambda d, a, b: -d * floor_divide(a, b))
define("maximum", a=lambda d, a, b: where(a >= b, d, 0), b=lambda d, a, b: where(a < b, d, 0))
define("minimum", a=lambda d, a, b: where(a <= b, d, 0), b=lambda d, a, b: where(a > b, d, 0))
define("negative", x=lambda d: -d)
define("abs", x=lambda d, x: d * cyops.sign(x))
define("square", x=lambda d, x: d * x * 2)
define("reciprocal", x=lambda d, out: -d * out * out)
define("relu", x=lambda d, out: relu_gradient(d, out))
define("exp", x=lambda d, out: d * out)
define("expm1", x=lambda d, out: d * (out + 1))
define("log", x=lambda d, x: d / x)
define("log1p", x=lambda d, x: d / (x + 1))
define("sqrt", x=lambda d, out: d * 0.5 / out)
define("tanh", x=lambda d, out: d * (1 - out * out))
define("sigmoid", x=lambda d, out: d * out * (1 - out))
define("sin", x=lambda d, x: d * cyops.cos(x))
define("cos", x=lambda d, x: -d * cyops.sin(x))
define("tan", x=lambda d, out: d * (1 + out * out))
define("asin", x=lambda d, x: d / cyops.sqrt((1 - x) * (1 + x)))
define("acos", x=lambda d, x: -d / cyops.sqrt((1 - x) * (1 + x)))
define("atan", x=lambda d, x: d / (1 + x * x))
define("atan2", y=lambda d, y, x: d * x / (x * x + y * y), x=lambda d, y, x: -d * y / (x * x + y * y))
define("sinh", x=lambda d, x: d * cyops.cosh(x))
define("cosh", x=lambda d, x: d * cyops.sinh(x))
define("asinh", x=lambda d, x: d / cyops.sqrt(x * x + 1))
define("acosh", x=lambda d, x: d / cyops.sqrt((x - 1) * (x + 1)))
define("atanh", x=lambda d, x: d / ((1 - x) * (1 + x)))
define("erf", x=lambda d, x: d * cyops.exp(-cyops.square(x)) * 1.1283791670955126)     # 2 / sqrt(pi)


def _base_gradient(d: Strided, a: Strided, b: Strided) -> Strided:
    """d * b * a^(b - 1), and 0 for b = 0 also where a is 0 or infinite."""
    if b.ndim == 0 and b.item() != 0:       # one exponent for all, which most powers have
        return d * b * a ** (b - 1)
    return d * b * a ** where(cyops.logical_and(a == 0, b == 0), 1, b - 1)


def _exponent_gradient(d: Strided, a: Strided, out: Strided) -> Strided:
    """d * a^b * log(a), and 0 where a^b is 0 or a is not positive."""
    is_curved = cyops.logical_and(a > 0, out != 0)
    return where(is_curved, d * out * log(where(is_curved, a, 1)), 0)


define("pow", a=_base_gradient, b=_exponent_gradient)
define(
    "where",
    condition=None,
    x=lambda d, condition: where(condition, d, 0),
    y=lambda d, condition: where(condition, 0, d),
)
define(
    "clip",
    x=lambda d, x, min, max: where(cyops.logical_and(x >= min, x <= max), d, 0),
    min=lambda d, x, min: where(x < min, d, 0),
    max=lambda d, x, max: where(x > max, d, 0),
)
define("astype", x=lambda d: d)             # the walk casts to the dtype of the input
define("copy", x=lambda d: d)
define_no_gradient(
    "floor_divide", "sign", "floor", "ceil", "round", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "isnan", "isinf", "isfinite", "logical_not", "logical_and", "logical_or",
)
