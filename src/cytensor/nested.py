"""Nested structures: the same shape of tuples, lists and dicts with something else at each leaf."""


def flatten(structure):
    """The leaves of nested tuples, lists and dicts, in order (dicts by sorted key)."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flatten(part)]
    return [structure]


def pack_like(structure, leaves):
    """The structure with its leaves replaced, in the order of `flatten`."""
    return _pack(structure, iter(leaves))


def _pack(structure, leaves):
    if isinstance(structure, dict):
        packed = {key: _pack(structure[key], leaves) for key in sorted(structure)}
        return {key: packed[key] for key in structure}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*[_pack(part, leaves) for part in structure])
    if isinstance(structure, (list, tuple)):
        return type(structure)(_pack(part, leaves) for part in structure)
    return next(leaves)
