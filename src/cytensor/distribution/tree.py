"""Sums in an order that depends on the number of shards alone, whoever holds them.

The shards are the leaves of a binary tree; a sum of floating-point numbers rounds in the same places for any number of
ranks, for each node is computed as a whole by one of them. Nodes are called by the shards that they add: (first, stop).
A shard without rows is left out, it does not count as zeros: -0.0 + 0.0 has another sign than -0.0.
"""
from collections.abc import Iterable

import numpy as np

from cytensor.types import Array

Node = tuple[int, int]


def children(node: Node) -> tuple[Node, Node]:
    """The two halves of a node: the left one as large a power of two as can be.

    >>> children((0, 6))
    ((0, 4), (4, 6))
    """
    first, stop = node
    middle = first + (1 << ((stop - first - 1).bit_length() - 1))
    return (first, middle), (middle, stop)


def nodes_within(node: Node, first: int, stop: int) -> list[Node]:
    """The largest nodes below `node` that lie within the shards from `first` to `stop`, in order.

    >>> nodes_within((0, 6), 3, 6)
    [(3, 4), (4, 6)]
    """
    if first <= node[0] and node[1] <= stop:
        return [node]
    if node[1] <= first or stop <= node[0]:
        return []
    return [found for child in children(node) for found in nodes_within(child, first, stop)]


def added(node: Node, known: dict[Node, Array | None]) -> Array | None:
    """The sum below `node` from those of the nodes in `known`, each None where no shard has rows; may write into them.
    """
    if node in known:
        return known[node]
    left, right = (added(child, known) for child in children(node))
    if left is None or right is None:
        return right if left is None else left
    return np.add(left, right, out=left)


class Growing:
    """The sums of one rank's shards, which come one by one: at most log2 of them are held at a time."""
    nodes: list[Node]

    def __init__(self, shards: int, first: int, stop: int) -> None:
        self.nodes = nodes_within((0, shards), first, stop)
        self.known: dict[Node, Array | None] = {}
        self._parents = {child: node for top in self.nodes for node in _below(top) for child in children(node)}

    def add(self, index: int, values: Array | None) -> None:
        """Take the values of shard `index`, None where it has no rows; they may be written into later."""
        node = (index, index + 1)
        self.known[node] = values
        while (parent := self._parents.get(node)) and all(child in self.known for child in children(parent)):
            self.known[parent] = added(parent, {child: self.known.pop(child) for child in children(parent)})
            node = parent


def _below(node: Node) -> Iterable[Node]:
    """The nodes that have children, from `node` down."""
    if node[1] - node[0] > 1:
        yield node
        for child in children(node):
            yield from _below(child)
