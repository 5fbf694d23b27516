"""What tells the layers and weights of a model apart: identity, names, and paths of names."""
from cytensor import registry


def unique(items):
    """The items in order, each object once. By identity: `==` on tensors is elementwise."""
    return list({id(item): item for item in items}.values())


def name_apart(layers):
    """Number the layers that nobody named, so that no two of `layers` share a name: dense, dense_1, dense_2."""
    taken = {layer.name for layer in layers if layer.named_by_user}
    for layer in layers:
        if not layer.named_by_user:
            layer.name = registry.unused_name(registry.snake_case(type(layer).__name__), taken)


def named_weights(layer, prefix=""):
    """[(path, variable)] in the order of `layer.weights`; a path such as "dense_1/kernel" is unique."""
    found, seen, taken = [], set(), set()

    def visit(owner, prefix):
        for variable in owner.own_weights:
            if id(variable) in seen:
                continue
            seen.add(id(variable))
            found.append((registry.unused_name(prefix + (variable.name or "variable"), taken), variable))
        for inner in owner.sublayers:
            visit(inner, f"{prefix}{inner.name}/")

    visit(layer, prefix)
    return found
