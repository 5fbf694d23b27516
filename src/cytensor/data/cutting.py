"""Which rows of a batch belong to which shard, and which shards to which rank.

Shards are contiguous and as even as they can be: the first ones have a row more where the number of rows does not
divide. A rank holds contiguous shards, too, so that for every number of ranks that divides that of the shards the
shards are the same.
"""
from cytensor.parallel import Part


class Cut:
    """How batches are cut into `shards` for `ranks`, seen from one rank; None: one a rank, `is_fixed` is then False."""
    is_fixed: bool
    rank: int
    ranks: int
    shards: int

    def __init__(self, rank: int, ranks: int, shards: int | None) -> None:
        self.rank, self.ranks, self.is_fixed = rank, ranks, shards is not None
        self.shards = ranks if shards is None else shards
        if self.shards % ranks:
            raise ValueError(f"DataParallel: shards must be a multiple of the number of ranks, that each may hold as "
                             f"many; got {self.shards} shards and {ranks} ranks")

    @property
    def mine(self) -> range:
        """The numbers of this rank's shards."""
        each = self.shards // self.ranks
        return range(self.rank * each, (self.rank + 1) * each)

    def counts(self, total: int) -> list[int]:
        """The number of rows of each shard.

        >>> Cut(0, 1, 4).counts(10)
        [3, 3, 2, 2]
        """
        each, more = divmod(total, self.shards)
        return [each + (index < more) for index in range(self.shards)]

    def parts(self, total: int) -> list[Part]:
        """This rank's parts of a batch of `total` rows that every process reads as a whole; at least one.

        >>> [(part.start, part.stop, part.weight) for part in Cut(1, 2, 4).parts(10)]
        [(6, 8, 0.2), (8, 10, 0.2)]
        >>> [(part.start, part.stop, part.weight) for part in Cut(2, 3, None).parts(2)]
        [(0, 1, 0.0)]
        """
        counts = self.counts(total)
        starts = [sum(counts[:index]) for index in self.mine]
        parts = [Part(index, start, start + counts[index], total, start, counts[index], counts[index] / total)
                 for index, start in zip(self.mine, starts, strict=True) if counts[index]]
        return parts or [Part(self.mine[0], 0, 1, total, 0, 1, 0.0)]
