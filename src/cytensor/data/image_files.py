"""Pictures as files, as Pillow's images and as arrays: `load_img`, `img_to_array`, `array_to_img`, `save_img`."""
import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor.types import Array, ArrayLike, DTypeLike, Path

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def pillow(op: str) -> Any:
    """The module PIL.Image."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise ImportError(f'{op}: pictures are read and written by Pillow: pip install "cytensor[image]"') from None
    return Image


def channels_of(op: str, color_mode: object) -> int:
    if color_mode not in MODES:
        raise ValueError(f"{op}: color_mode must be {', '.join(map(repr, MODES))}; got {color_mode!r}")
    return CHANNELS[str(color_mode)]


def load_img(path: Path | io.BytesIO, color_mode: str = "rgb", target_size: Sequence[int] | None = None,
             interpolation: str = "nearest", keep_aspect_ratio: bool = False) -> "Image":
    """A picture as Pillow's image, of another size where target_size = (height, width) says so.

    path: of a file, or bytes in memory (io.BytesIO). color_mode: "rgb", "rgba", or "grayscale", which leaves pictures
    of 16 and 32 bits a pixel. interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
    keep_aspect_ratio: cut the picture to the new proportions instead of stretching it. Needs Pillow, the extra `image`.
    """
    channels_of("load_img", color_mode)
    if not isinstance(path, io.BytesIO):
        with open(path, "rb") as file:
            path = io.BytesIO(file.read())
    image: Image = pillow("load_img").open(path)
    if image.mode != MODES[color_mode] and not (color_mode == "grayscale" and image.mode in ("I;16", "I")):
        image = image.convert(MODES[color_mode])
    if target_size is None:
        return image
    height, width = size_of("load_img", "target_size", target_size)
    if interpolation not in _RESAMPLING:
        raise ValueError(f"load_img: interpolation must be {', '.join(map(repr, _RESAMPLING))}; got {interpolation!r}")
    if image.size == (width, height):
        return image
    box = _cut(image.size, (width, height)) if keep_aspect_ratio else None
    return image.resize((width, height), getattr(pillow("load_img").Resampling, interpolation.upper()), box)


def size_of(op: str, name: str, size: Any) -> tuple[int, int]:
    """(height, width), from the two or from one number for both."""
    both = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, (list, tuple)) else ()
    if len(both) != 2 or not all(isinstance(n, (int, np.integer)) and n > 0 for n in both):
        raise ValueError(f"{op}: {name} must be (height, width), both at least 1; got {size!r}")
    return int(both[0]), int(both[1])


def _cut(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int, int, int]:
    """The largest part in the middle of a picture that has the proportions of the target."""
    (width, height), (target_width, target_height) = size, target
    cut_width = min(width, height * target_width // target_height)
    cut_height = min(height, width * target_height // target_width)
    left, top = (width - cut_width) // 2, (height - cut_height) // 2
    return left, top, left + cut_width, top + cut_height


def img_to_array(img: Any, data_format: str | None = None, dtype: DTypeLike | None = None) -> Array:
    """A picture of Pillow's as an array (height, width, channels), or (channels, height, width).

    data_format: "channels_last", which None means, or "channels_first". dtype: float32 where it is None. A gray
    picture has one channel. ValueError for an array of another rank.
    """
    pixels = np.asarray(img, np.float32 if dtype is None else dtype)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3:
        raise ValueError(f"img_to_array: img must be a picture, (height, width) or (height, width, channels); got "
                         f"shape {pixels.shape}")
    return np.ascontiguousarray(np.moveaxis(pixels, -1, 0)) if is_first("img_to_array", data_format) else pixels


def is_first(op: str, data_format: str | None) -> bool:
    """Whether the channels come first; None is "channels_last", as `keras.backend.image_data_format()` says."""
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(f"{op}: data_format must be 'channels_last' or 'channels_first'; got {data_format!r}")
    return data_format == "channels_first"


def array_to_img(x: ArrayLike, data_format: str | None = None, scale: bool = True,
                 dtype: DTypeLike | None = None) -> "Image":
    """Pixels (height, width, channels) as a picture of Pillow's; 1, 3 or 4 channels.

    scale: stretch what lies between the smallest and largest value to 0 ... 255. dtype: in which that is computed,
    float32 where it is None. data_format: of x, as in `img_to_array`.
    """
    pixels = np.asarray(x, np.float32 if dtype is None else dtype)
    if pixels.ndim != 3:
        raise ValueError(f"array_to_img: x must have the axes (height, width, channels); got shape {pixels.shape}")
    if is_first("array_to_img", data_format):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.shape[-1] not in (1, 3, 4):
        raise ValueError(f"array_to_img: x must have 1, 3 or 4 channels; got {pixels.shape[-1]}")
    if scale:
        pixels = pixels - pixels.min(initial=np.inf)
        largest = pixels.max(initial=0)
        pixels = pixels / largest * 255 if largest else pixels
    if pixels.shape[-1] == 1:
        pixels = pixels[:, :, 0]
    is_deep = pixels.ndim == 2 and pixels.max(initial=0) > 255
    image: Image = pillow("array_to_img").fromarray(pixels.astype(np.int32 if is_deep else np.uint8))
    return image


def save_img(path: Path, x: ArrayLike, data_format: str | None = None, file_format: str | None = None,
             scale: bool = True, **kwargs: Any) -> None:
    """Write pixels (height, width, channels) as a picture; file_format: None for that of the name's ending."""
    image = array_to_img(x, data_format, scale)
    name = os.fspath(path)
    if image.mode == "RGBA" and (file_format or os.path.splitext(name)[1]).lower().strip(".") in ("jpg", "jpeg"):
        image = image.convert("RGB")               # which has no transparency
    image.save(name, format=file_format, **kwargs)
