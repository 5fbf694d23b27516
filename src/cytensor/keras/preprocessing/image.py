"""`keras.preprocessing.image`: pictures as files and arrays."""
from cytensor.data.image_files import array_to_img, img_to_array, load_img, save_img

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]
