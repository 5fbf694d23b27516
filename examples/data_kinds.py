"""Kinds of data and the tensors that hold them: vectors, time series, images, video.

Each is made here, its axes are named, a batch is taken (a view: nothing is copied), and its picture is drawn.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

import cytensor as ct

TEXTS: tuple[str, ...] = (
    "the cat sat on the mat", "the dog sat on the log", "a bird in the hand", "the cat and the dog",
)
LETTERS = 128                                  # of ASCII


def describe(name, x, axes):
    """What a tensor is, in a line or two, and a batch of it."""
    named = ", ".join(f"{axis} {length}" for axis, length in zip(axes, x.shape, strict=True))
    print(f"\n{name}: rank {x.ndim}, {x.dtype}, {x.size * x.dtype.itemsize:,} bytes")
    print(f"  axes     {named}")
    print(f"  strides  {x.strides}")
    batch = x[2:4]
    shared = "a view" if ct.shares_memory(batch, x) else "a COPY"
    print(f"  batch    x[2:4] has shape {batch.shape}, {shared} from offset {batch.offset}")


# -- vectors ----------------------------------------------------------------------------------------------------------
def people(random, count=1000):
    """(person, feature): age in years, height in cm, income in thousands a year."""
    age = random.uniform(20, 70, count)
    height = random.normal(170, 9, count)
    return ct.asarray(np.stack([age, height, random.gamma(4, 9, count) * (0.5 + age / 70)], 1).astype("float32"))


def word_counts():
    """(text, word) and the words: how often each occurs in each text."""
    words = sorted({word for text in TEXTS for word in text.split()})
    counts = [Counter(text.split()) for text in TEXTS]
    return ct.asarray([[count[word] for word in words] for count in counts], dtype="float32"), words


# -- sequences --------------------------------------------------------------------------------------------------------
def prices(random, days=10, minutes=390):
    """(day, minute, feature): the price, and the lowest and the highest of the minute."""
    price = 100 * np.exp(np.cumsum(random.normal(0, 0.0008, (days, minutes)), axis=1))
    swing = np.abs(random.normal(0, 0.05, (2, days, minutes)))
    return ct.asarray(np.stack([price, price - swing[0], price + swing[1]], -1).astype("float32"))


def letters(length=24):
    """(text, position, letter): 1 where that letter stands at that position."""
    codes = np.array([[min(ord(letter), LETTERS - 1) for letter in text.ljust(length)[:length]] for text in TEXTS])
    return ct.one_hot(codes, LETTERS)


# -- pictures ---------------------------------------------------------------------------------------------------------
def images(random, count=6, side=32):
    """(image, height, width, channel) uint8: coloured discs."""
    y, x = np.mgrid[:side, :side]
    made = np.full((count, side, side, 3), 235, "uint8")
    for picture in made:
        centre, radius = random.uniform(side / 3, 2 * side / 3, 2), random.uniform(side / 6, side / 3)
        picture[np.hypot(y - centre[0], x - centre[1]) < radius] = random.integers(0, 200, 3)
    return ct.asarray(made)


def videos(count=4, frames=12, height=36, width=64):
    """(video, frame, height, width, channel) uint8: a disc that flies in an arc."""
    y, x = np.mgrid[:height, :width]
    made = np.full((count, frames, height, width, 3), 20, "uint8")
    for video in range(count):
        for frame in range(frames):
            share = frame / (frames - 1)
            centre = height * (0.85 - (0.5 + 0.1 * video) * 4 * share * (1 - share)), 8 + (width - 16) * share
            made[video, frame][np.hypot(y - centre[0], x - centre[1]) < 5] = (230, 130 + 30 * video, 20)
    return ct.asarray(made)


def channels(last):
    """The same pixels with the channels first: a view that is walked in another order."""
    first = ct.permute_dims(last, (0, 3, 1, 2))
    print(f"  channels last   shape {last.shape}, strides {last.strides}")
    print(f"  channels first  shape {first.shape}, strides {first.strides}, "
          f"{'the same memory' if ct.shares_memory(last, first) else 'A COPY'}")
    return first


def weight_of_a_minute(height=256, width=144, rate=4, seconds=60):
    """What a minute of video takes, decoded, in two dtypes; nothing of that size is made."""
    numbers = rate * seconds * height * width * 3
    print(f"  a minute of {height} x {width} at {rate} frames a second: {numbers:,} numbers,")
    print(f"  {numbers / 1e6:.1f} MB of uint8, {4 * numbers / 1e6:.1f} MB of float32; "
          f"at 30 frames a second {numbers * 30 / rate / 1e6:.1f} and {4 * numbers * 30 / rate / 1e6:.1f} MB")


# -- drawing ----------------------------------------------------------------------------------------------------------
def new_figure(title, xlabel, ylabel):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left")
    axes.set(xlabel=xlabel, ylabel=ylabel)
    return figure, axes


def draw_people(x, path):
    figure, axes = new_figure("People: a point each of (age, height, income)", "age (years)", "height (cm)")
    drawn = axes.scatter(x[:, 0].numpy(), x[:, 1].numpy(), c=x[:, 2].numpy(), s=9, cmap="cividis")
    figure.colorbar(drawn, label="income (thousands a year)")
    figure.savefig(path, dpi=150)


def draw_table(x, rows, columns, title, path):
    figure, axes = new_figure(title, "", "")
    axes.imshow(x.numpy(), cmap="Blues", aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=60, fontsize=8)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    figure.savefig(path, dpi=150)


def draw_prices(x, path):
    figure, axes = new_figure("Prices of one day", "minute", "price")
    minutes = np.arange(x.shape[1])
    axes.fill_between(minutes, x[0, :, 1].numpy(), x[0, :, 2].numpy(), color="#e08214", alpha=0.5,
                      label="lowest to highest")
    axes.plot(minutes, x[0, :, 0].numpy(), color="#3b7dc4", linewidth=1, label="price")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("data_kinds"), help="where the pictures go (data_kinds)")
    parser.add_argument("--seed", type=int, default=0, help="of the data (0)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(options.seed)

    crowd = people(random)
    describe("People", crowd, ("person", "feature"))
    draw_people(crowd, options.folder / "people.png")
    counts, words = word_counts()
    describe("Word counts", counts, ("text", "word"))
    draw_table(counts, TEXTS, words, "How often each word occurs", options.folder / "word_counts.png")

    market = prices(random)
    describe("Prices by the minute", market, ("day", "minute", "feature"))
    draw_prices(market, options.folder / "prices.png")
    text = letters()
    describe("Text, a one-hot vector a letter", text, ("text", "position", "letter"))
    used = [code for code in range(LETTERS) if text[0, :, code].sum().item()]
    draw_table(ct.stack([text[0, :, code] for code in used]), ["space" if code == 32 else chr(code) for code in used],
               list(TEXTS[0].ljust(24)), f"'{TEXTS[0]}', the letters in it", options.folder / "text.png")

    pictures = images(random)
    describe("Images", pictures, ("image", "height", "width", "channel"))
    channels(pictures)
    ct.plots.show_images(pictures, path=options.folder / "images.png", title="Images, each (height, width, channel)")
    films = videos()
    describe("Video", films, ("video", "frame", "height", "width", "channel"))
    weight_of_a_minute()
    ct.plots.show_images(films[0], path=options.folder / "video.png", columns=4, title="The frames of one video")
    print(f"\npictures in {options.folder}")


if __name__ == "__main__":
    main()
