"""`keras.preprocessing`: older names of what `keras.utils` has."""
from cytensor.absent import explain
from cytensor.data.image_folders import image_dataset_from_directory
from cytensor.data.time_series import timeseries_dataset_from_array
from cytensor.keras.preprocessing import image, sequence

__all__ = ["image", "image_dataset_from_directory", "sequence", "timeseries_dataset_from_array"]


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
