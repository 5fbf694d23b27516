"""Storage: owned and borrowed memory, versions, the read-only flag, the pool."""
import gc
import mmap

import numpy as np
import pytest

import cyops

keeps_memory = pytest.mark.skipif(cyops.memory_stats()["limit"] == 0, reason="a sanitizer's build keeps no memory")


def address(x):
    return np.asarray(x).__array_interface__["data"][0]


def test_owned_memory_is_aligned_zeroed_and_counted():
    for nbytes in (0, 1, 63, 64, 65, 4096, 4097, 1_000_003):
        storage = cyops.Storage(nbytes)
        assert storage.nbytes == nbytes
        assert storage.is_owned and not storage.is_readonly and storage.version == 0
        assert bytes(memoryview(storage)) == bytes(nbytes)
    for n in (1, 5, 1000, 100_000):
        assert address(cyops.empty(n)) % 64 == 0


def test_a_second_init_does_not_replace_the_memory():
    storage = cyops.Storage(8)
    with pytest.raises(ValueError, match="its memory is set once"):
        storage.__init__(16)
    with pytest.raises(ValueError, match="must not be negative"):
        cyops.Storage(-1)


@keeps_memory
def test_released_memory_is_reused_by_the_next_tensor_of_its_class():
    first = cyops.empty(100_000)
    where = address(first)
    del first
    assert address(cyops.empty(100_000)) == where


@keeps_memory
def test_the_pool_counts_and_gives_back():
    cyops.empty_cache()
    before = cyops.memory_stats()
    x = cyops.empty(250_000)
    during = cyops.memory_stats()
    assert during["in_use"] - before["in_use"] >= 1_000_000
    assert during["allocations"] == before["allocations"] + 1
    del x
    after = cyops.memory_stats()
    assert after["in_use"] == before["in_use"]
    assert after["cached"] - before["cached"] >= 1_000_000
    cyops.empty_cache()
    assert cyops.memory_stats()["cached"] == 0


def test_a_cache_limit_of_zero_keeps_nothing():
    limit = cyops.memory_stats()["limit"]
    try:
        cyops.set_cache_limit(0)
        cyops.empty(1000)
        assert cyops.memory_stats()["cached"] == 0
    finally:
        cyops.set_cache_limit(limit)
    with pytest.raises(ValueError, match="must not be negative"):
        cyops.set_cache_limit(-1)
    with pytest.raises(TypeError, match="set_cache_limit: nbytes must be an integer; got '1 GB'"):
        cyops.set_cache_limit("1 GB")
    with pytest.raises(ValueError, match=f"set_cache_limit: nbytes must be .*got {1 << 80}"):
        cyops.set_cache_limit(1 << 80)


def test_every_size_gets_a_block_that_holds_it():
    for nbytes in [*range(0, 300, 7), *[2**p + d for p in range(6, 24) for d in (-1, 0, 1)]]:
        x = cyops.zeros(nbytes, "uint8")
        x[:] = 7
        assert int(np.asarray(x).sum()) == 7 * nbytes


def test_memory_of_a_numpy_array_is_shared_and_kept_alive():
    array = np.arange(6.0)
    x = cyops.Strided(array)
    array[2] = 99
    assert x[2].item() == 99
    assert not x.storage.is_owned
    x[3] = -1.0
    assert array[3] == -1
    del array
    gc.collect()
    assert x.tolist() == [0, 1, 99, -1, 4, 5]


def test_a_read_only_buffer_stays_read_only():
    array = np.arange(3.0)
    array.flags.writeable = False
    for source in (array, np.frombuffer(b"abc", np.uint8), memoryview(b"abc")):
        x = cyops.Strided(source)
        assert x.storage.is_readonly
        with pytest.raises(ValueError, match="setitem: the tensor is read-only"):
            x[0] = 1
        with pytest.raises(ValueError, match="read-only"):
            x[:] += cyops.Strided(x[:])
        assert np.asarray(x).flags.writeable is False
    assert array.tolist() == [0, 1, 2]


def test_a_memory_map_and_a_bytearray_are_viewed(tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(np.arange(8, dtype=np.int32).tobytes())
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        x = cyops.Strided(memoryview(mapped).cast("i"))
        assert x.tolist() == list(range(8))
        x[0] = 41
        del x
        assert mapped[:4] == (41).to_bytes(4, "little")
    raw = bytearray(4)
    cyops.Strided(raw)[1] = 5
    assert raw == bytearray([0, 5, 0, 0])


def test_writing_raises_the_version_of_the_shared_storage():
    x = cyops.zeros((2, 3))
    row = x[0]
    before = x.storage.version
    row[:] = 1
    assert x.storage is row.storage and x.storage.version == before + 1
    x[1, ::2] = 5
    assert x.storage.version == before + 2


def test_a_failed_write_leaves_values_and_version():
    x = cyops.zeros((2, 3))
    before = x.storage.version
    with pytest.raises(ValueError, match=r"setitem: shapes must broadcast; got \(2, 3\) and \(4,\)"):
        x[:] = [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(ValueError, match=r"must broadcast to the target; got value \(2, 2, 3\), target \(2, 3\)"):
        x[:] = np.ones((2, 2, 3))
    with pytest.raises(IndexError):
        x[5] = 1
    assert x.storage.version == before and x.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_sizes_that_overflow_raise():
    for shape in ((2**62,), (2**40, 2**40), (2**63,)):
        with pytest.raises(ValueError, match=r"more bytes than memory can address|than a machine word counts"):
            cyops.empty(shape)
    with pytest.raises(MemoryError, match="cannot allocate"):
        cyops.empty(2**56)
    with pytest.raises(ValueError, match="must not be negative"):
        cyops.empty((2, -1))
    assert cyops.empty((0, 2**62)).size == 0


def test_one_allocator_serves_every_extension():
    x = cyops.Strided(np.ones((4, 4), np.float32))
    calls = [
        lambda: x + x, lambda: cyops.exp(x), lambda: cyops.matmul(x, x), lambda: cyops.sum(x, axis=0),
        lambda: cyops.softmax(x), lambda: cyops.concat([x, x]), lambda: cyops.zeros(3), lambda: cyops.copy(x),
    ]
    for call in calls:
        before = cyops.memory_stats()["allocations"]
        call()
        assert cyops.memory_stats()["allocations"] > before
