"""Batches of what `fit`, `evaluate` and `predict` are given."""
from cytensor.absent import explain
from cytensor.data.batches import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight

__all__ = ["PyDataset", "pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
