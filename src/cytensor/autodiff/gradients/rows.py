"""Rules of softmax and cross-entropy.

Source: Bishop, "Pattern Recognition and Machine Learning" (2006), equation 4.109.
"""

import cyops
from cyops import Strided, expand_dims, is_recording, one_hot, softmax
from cytensor.autodiff.rules import define


def _softmax_gradient(d: Strided, out: Strided, axis: int) -> Strided:
    if is_recording():
        return out * (d - cyops.sum(d * out, axis=axis, keepdims=True))
    return cyops.softmax_gradient(d, out, axis)


def _log_softmax_gradient(d: Strided, out: Strided, axis: int) -> Strided:
    if is_recording():
        return d - cyops.exp(out) * cyops.sum(d, axis=axis, keepdims=True)
    return cyops.log_softmax_gradient(d, out, axis)


def _cross_entropy_gradient(d: Strided, logits: Strided, labels: Strided, saved_gradient: Strided) -> Strided:
    """d per sample times p - onehot; the saved one, unless an outer tape must see how it came about."""
    d = expand_dims(d, -1)
    if not is_recording():
        return d * saved_gradient
    targets = one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    return d * (softmax(logits) - targets)


def _soft_cross_entropy_gradient(d: Strided, logits: Strided, targets: Strided, saved_gradient: Strided) -> Strided:
    d = expand_dims(d, -1)
    if not is_recording():
        return d * saved_gradient
    return d * (softmax(logits) * cyops.sum(targets, axis=-1, keepdims=True) - targets)


define("softmax", x=_softmax_gradient)
define("log_softmax", x=_log_softmax_gradient)
define("softmax_cross_entropy", logits=_cross_entropy_gradient)
define(
    "softmax_cross_entropy_soft",
    logits=_soft_cross_entropy_gradient,
    targets=lambda d, logits: -expand_dims(d, -1) * cyops.log_softmax(logits),
)
