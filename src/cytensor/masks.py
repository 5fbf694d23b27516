"""Masks: which places of a tensor are data and which are padding, and how they travel from layer to layer.

A mask is a bool tensor, True for data, whose axes are the leading ones of its tensor: (n, steps) for (n, steps,
features). Layers make masks (`Masking`, `Embedding(mask_zero=True)`), pass them on and read them; losses and the means
of metrics leave out what is masked. Ops give tensors without one, as in Keras.
"""
import copy
from typing import Any, Protocol

from cyops import as_class
from cytensor import nested, ops
from cytensor.tensor import Tensor, asarray
from cytensor.types import Nested
from cytensor.user_warnings import warn


class MaskedTensor(Tensor):
    """A Tensor that a layer gave together with a mask: the same elements, and to a tape the same value."""

    __slots__ = ("_keras_mask",)

    _keras_mask: Tensor

    def __reduce__(self) -> tuple[Any, ...]:
        return masked, (as_class(self, Tensor), self._keras_mask)

    def __copy__(self) -> Tensor:
        return masked(copy.copy(as_class(self, Tensor)), self._keras_mask)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return masked(copy.deepcopy(as_class(self, Tensor), memo), copy.deepcopy(self._keras_mask, memo))


def masked(x: Tensor, mask: Any) -> Tensor:
    """x with a mask, of whose leading axes it must have the lengths; ValueError for another shape."""
    mask = asarray(mask)
    if mask.shape != x.shape[:mask.ndim]:
        raise ValueError(f"mask: its shape must be the leading lengths of the tensor's; got mask {mask.shape}, tensor "
                         f"{x.shape}")
    result: MaskedTensor = as_class(x, Tensor) if type(x) is MaskedTensor else x      # type: ignore[assignment]
    result = as_class(result, MaskedTensor)
    result._keras_mask = mask if mask.dtype.kind == "b" else ops.not_equal(mask, 0)
    return result


def mask_of(x: Any) -> Tensor | None:
    """The mask of a tensor, None where it has none."""
    return x._keras_mask if type(x) is MaskedTensor else None


def masks_of(x: Nested) -> Nested:
    """The masks of a structure, a structure like it; None where no tensor in it has one."""
    if not isinstance(x, (list, tuple, dict)):
        return mask_of(x)
    leaves = nested.flatten(x)
    return nested.pack_like(x, [mask_of(leaf) for leaf in leaves]) if any(
        type(leaf) is MaskedTensor for leaf in leaves) else None


class Masker(Protocol):
    """What of a layer this module needs."""
    supports_masking: bool
    _takes_mask: bool

    @property
    def name(self) -> str: ...

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any: ...


def passed_on(layer: Masker, x: Nested, previous_mask: Nested, result: Nested) -> Nested:
    """What a layer gave for x, with the mask that it computes where it has none of its own making.

    A layer that neither passes masks on nor takes one by its `call` drops them with a warning, as in Keras.
    """
    if not layer.supports_masking:
        if previous_mask is not None and not layer._takes_mask:        # else it has made use of it
            warn(f"layer '{layer.name}' ({type(layer).__name__}): the input has a mask, which this layer drops, for it "
                 f"does not support masking; set supports_masking = True where it may be passed on")
        return result
    leaves = nested.flatten(result)
    if all(type(leaf) is MaskedTensor for leaf in leaves):
        return result
    masks = layer.compute_mask(x, previous_mask)
    if masks is None:
        return result
    flat = nested.flatten(masks) if len(leaves) > 1 else [masks]
    return nested.pack_like(result, [leaf if mask is None or type(leaf) is MaskedTensor else masked(leaf, mask)
                                     for leaf, mask in zip(leaves, flat, strict=False)])


def fitting(op: str, y_pred: Tensor, values: Tensor) -> Tensor:
    """The mask of masked predictions in the shape of per-sample values; ValueError where it does not fit."""
    mask = mask_of(y_pred)
    assert mask is not None
    if mask.size != values.size or mask.shape != values.shape[:mask.ndim]:
        raise ValueError(f"{op}: the mask of the predictions must have one element for each of the values; got mask "
                         f"{mask.shape}, values {values.shape}")
    return mask.reshape(values.shape)
