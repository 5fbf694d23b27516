"""`keras.preprocessing.sequence`: sequences of several lengths as rows of one array."""
from cytensor.data.padded import pad_sequences

__all__ = ["pad_sequences"]
