"""What a tensor is: a one-dimensional block of memory, and an offset, a shape and strides that say how to walk it.

Slicing, cropping, transposing and reshaping change only the second part. This script prints both parts for tensors of
every rank and dtype and for pieces of 60000 images, shows that no pixel was copied, and what a list costs beside a
tensor.
"""

import argparse
import sys
import time

import cytensor as ct
from cytensor.datasets import mnist

DTYPES = (
    *("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
    *("float16", "float32", "float64"),
)


def describe(name, x, of=None):
    """One line of a table: how the view walks its memory, and whether that memory is the memory of `of`."""
    shared = "" if of is None else "  shares memory" if ct.shares_memory(x, of) else "  COPIED"
    print(f"  {name:34} shape {x.shape!s:20} offset {x.offset:>8} strides {x.strides!s:18}{shared}")


def ranks():
    print("Rank: the number of axes")
    value: list | float = 12.0
    for _ in range(6):
        x = ct.asarray(value)
        describe(f"rank {x.ndim}, {x.size} elements", x)
        value = [value, value]


def dtypes():
    print("\nThe dtype says what an element is and how many bytes it takes")
    for name in DTYPES:
        x = ct.asarray([0, 1, 2]).astype(name)
        print(f"  {name:8} {x.dtype.itemsize} bytes an element  {x.numpy().tolist()}")


def list_against_tensor(count):
    """Memory and time for the sum of `count` numbers."""
    print(f"\n{count} floats in a list and in a tensor")
    numbers = [i * 0.5 for i in range(count)]
    tensor = ct.asarray(numbers, dtype="float64")
    in_list = sys.getsizeof(numbers) + sum(map(sys.getsizeof, numbers))
    in_tensor = tensor.size * tensor.dtype.itemsize
    print(f"  memory:    list {in_list:>11,} bytes   tensor {in_tensor:>10,} bytes   {in_list / in_tensor:.1f} times")
    for name, on_list, on_tensor in (
        ("times two", lambda: [2.0 * number for number in numbers], lambda: 2.0 * tensor),
        ("sum", lambda: sum(numbers), tensor.sum),
    ):
        slow, fast = best_time(on_list), best_time(on_tensor)
        costs = f"list {slow * 1e6:>11,.0f} us      tensor {fast * 1e6:>10,.0f} us      {slow / fast:.0f} times"
        print(f"  {name + ':':10} {costs}")


def best_time(function, rounds=5):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def pieces_of_mnist():
    (pixels, _), _ = mnist.load_data()
    images = ct.asarray(pixels)
    n, height, width = images.shape
    print(f"\nPieces of {n} images: {images.size:,} bytes of pixels")
    describe("all images", images)
    views = {
        "images 10 to 99": images[10:100],
        "the same, spelled out": images[10:100, 0:height, 0:width],
        "lower right corners, 14 x 14": images[:, 14:, 14:],
        "centre crops, 14 x 14": images[:, 7:-7, 7:-7],
        "batch 3 of 128": images[128 * 3 : 128 * 4],
        "every second image": images[::2],
        "last image first": images[::-1],
        "mirrored left to right": images[:, :, ::-1],
        "one image transposed": images[4].T,
        "pixels by images": images.permute_dims((1, 2, 0)),
        "each image one vector": images.reshape((n, height * width)),
        "a column of a window": images[:, 7:-7, 7:-7][:, :, 0],
    }
    for name, view in views.items():
        describe(name, view, images)
    start = time.perf_counter()
    for _ in range(1000):
        images[:, 7:-7, 7:-7]
    microseconds = (time.perf_counter() - start) * 1e3
    print(f"  cropping all {n} images takes {microseconds:.2f} us: only the offset, shape and strides are new")
    show_writing_through(images)


def show_writing_through(images):
    print("\nA view sees, and changes, the memory of the tensor it came from")
    corner = images[0, :2, :2]
    print(f"  images[0, 0, 0] = {images[0, 0, 0].item()}")
    corner[0, 0] = 99
    print(f"  after corner[0, 0] = 99, images[0, 0, 0] = {images[0, 0, 0].item()}")
    crops = images[:, 7:-7, 7:-7]
    print(f"  the crops cannot be one vector each without a copy: {why_not(lambda: crops.view((len(crops), 196)))}")
    copied = crops.reshape((len(crops), 196))
    print(f"  reshape copies then: shares memory is {ct.shares_memory(copied, images)}, strides {copied.strides}")


def why_not(action):
    try:
        action()
    except ValueError as error:
        return str(error)
    raise AssertionError("expected an error")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_000_000, help="floats in the list and the tensor (1000000)")
    options = parser.parse_args()
    ranks()
    dtypes()
    list_against_tensor(options.samples)
    pieces_of_mnist()


if __name__ == "__main__":
    main()
