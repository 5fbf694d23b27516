"""What may have happened to a file: to its bytes, or to a JSON document inside it. All from one NumPy generator."""
import copy
import json

GONE, TWICE = object(), object()
HUGE = (2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 10**8, 10**18, 10**30, -1, -2**63)
JUNK = (GONE, None, True, False, 0, 1, -1, 2.5, 1e300, float("nan"), float("inf"), "", "x", "float64", "../x", [], [1],
        [None], [[]], {}, {"a": 1}, {"class": "layers.Dense", "config": {}}, {"function": "x"}, {"tensor": "x"}, *HUGE)


# -- bytes ------------------------------------------------------------------------------------------------------------
def flip_bits(rng, data):
    for at in rng.integers(0, len(data), rng.integers(1, 5)):
        data[at] ^= 1 << rng.integers(8)


def set_bytes(rng, data):
    at = int(rng.integers(len(data)))
    n = min(int(rng.integers(1, 9)), len(data) - at)
    data[at:at + n] = rng.choice([0, 255, 127, 128, 34, 123, 57], n).astype("u1").tobytes()


def cut(rng, data):
    del data[int(rng.integers(len(data))):]


def drop(rng, data):
    at = int(rng.integers(len(data)))
    del data[at:at + int(rng.integers(1, 17))]


def insert(rng, data):
    at = int(rng.integers(len(data) + 1))
    data[at:at] = rng.bytes(int(rng.integers(1, 17)))


def repeat(rng, data):
    at, to = int(rng.integers(len(data))), int(rng.integers(len(data)))
    data[to:to] = data[at:at + int(rng.integers(1, 65))]


def swap(rng, data):
    n = int(rng.integers(1, 33))
    a, b = (int(rng.integers(max(len(data) - n, 1))) for _ in range(2))
    data[a:a + n], data[b:b + n] = data[b:b + n], data[a:a + n]


def huge_length(rng, data):
    """A length that no file has, as a number of two to eight bytes of either order."""
    n = int(rng.choice([2, 4, 8]))
    value = HUGE[rng.integers(len(HUGE))] % 2**(8 * n)
    at = int(rng.integers(max(min(len(data), 64), 1)))
    data[at:at + n] = value.to_bytes(n, ("little", "big")[rng.integers(2)])


BYTES = (flip_bits, set_bytes, cut, drop, insert, repeat, swap, huge_length)


def damaged(rng, content):
    """The bytes after one to three such events."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        if data:
            BYTES[rng.integers(len(BYTES))](rng, data)
    return bytes(data)


# -- JSON -------------------------------------------------------------------------------------------------------------
def places(value, at=()):
    """The path of every part of a document."""
    if at:
        yield at
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*at, key))


def altered(rng, document):
    """The document as text, with one or two parts removed, replaced, renamed, exchanged or given twice."""
    result, twice = copy.deepcopy(document), None
    for _ in range(rng.integers(1, 3)):
        known = list(places(result))
        if not known:
            break
        at = known[rng.integers(len(known))]
        inner = result
        for key in at[:-1]:
            inner = inner[key]
        old, kind = inner[at[-1]], rng.integers(6)
        if kind == 0 and isinstance(inner, dict):
            inner[f"{at[-1]}{'x' * rng.integers(2)}"] = inner.pop(at[-1])
        elif kind == 1 and isinstance(inner, dict):
            twice = at[-1]
        elif kind == 2 and isinstance(old, (int, float)) and not isinstance(old, bool):
            inner[at[-1]] = old + int(rng.choice([-1, 1, 7])) if rng.integers(2) else -old
        elif kind == 3:
            other = known[rng.integers(len(known))]
            source = result
            try:
                for key in other:
                    source = source[key]
            except (KeyError, IndexError, TypeError):
                continue
            inner[at[-1]] = copy.deepcopy(source)
        else:
            value = JUNK[rng.integers(len(JUNK))]
            if value is GONE:
                del inner[at[-1]]
            else:
                inner[at[-1]] = copy.deepcopy(value)
    text = json.dumps(result)
    if twice is not None and f"{json.dumps(twice)}: " in text:
        text = text.replace(f"{json.dumps(twice)}: ", f"{json.dumps(twice)}: 1, {json.dumps(twice)}: ", 1)
    return text
