"""What tells the layers and weights of a model apart: identity, names, and paths of names."""
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from cytensor import registry
from cytensor.tensor import Variable

if TYPE_CHECKING:
    from cytensor.layers.base import Layer
    from cytensor.layers.contents import Owner

T = TypeVar("T")


def unique(items: Iterable[T]) -> list[T]:
    """The items in order, each object once. By identity: `==` on tensors is elementwise."""
    return list({id(item): item for item in items}.values())


def name_apart(layers: Sequence["Layer"]) -> None:
    """Number the layers that nobody named, so that no two of `layers` share a name: dense, dense_1, dense_2."""
    for layer, name in zip(layers, _names_of(layers, registry.snake_case), strict=True):
        layer._rename(name)


def _names_of(layers: Sequence["Layer"], stem_of: Callable[[str], str]) -> list[str]:
    """The names that layers have beside each other; stem_of: the class's name in lower case."""
    taken = dict.fromkeys((layer.name for layer in layers if layer.named_by_user), 0)
    return [layer.name if layer.named_by_user else registry.unused_name(stem_of(type(layer).__name__), taken)
            for layer in layers]


def named_inside(layer: "Owner") -> list[tuple[str, "Layer"]]:
    """[(name, layer)] of the layers directly inside, named apart.

    A layer that is in several models has the name that the last of them gave it; in files each model has its own.
    """
    inside = layer.sublayers
    return list(zip(_names_of(inside, registry.snake_case), inside, strict=True))


def named_weights(layer: "Owner", prefix: str = "") -> list[tuple[str, Variable]]:
    """[(path, variable)] in the order of `layer.weights`; a path such as "dense_1/kernel" is unique.

    A layer that is in several places has the path of the first.
    """
    found: list[tuple[str, Variable]] = []
    seen: set[int] = set()
    taken: dict[str, int] = {}

    def visit(owner: "Owner", prefix: str) -> None:
        for variable in owner.own_weights:
            if id(variable) not in seen:
                seen.add(id(variable))
                found.append((registry.unused_name(prefix + (variable.name or "variable"), taken), variable))
        for name, inner in named_inside(owner):
            if id(inner) not in seen:
                seen.add(id(inner))
                visit(inner, f"{prefix}{name}/")

    visit(layer, prefix)
    return found


def former_paths(layer: "Owner") -> dict[str, str]:
    """{path of a layer inside, in files written by versions that wrote `PReLU` as pre_lu: its path now}."""
    found: dict[str, str] = {}
    seen: set[int] = set()

    def visit(owner: "Owner", former: str, present: str) -> None:
        names = _names_of(owner.sublayers, registry.former_snake_case)
        for name, (now, inner) in zip(names, named_inside(owner), strict=True):
            if id(inner) not in seen:
                seen.add(id(inner))
                found[former + name] = present + now
                visit(inner, f"{former}{name}/", f"{present}{now}/")

    visit(layer, "", "")
    return found
