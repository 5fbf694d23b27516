"""The table that `model.summary()` prints, in Keras's form: plain text, no colour."""
COLUMNS = (("Layer (type)", 0.45), ("Output Shape", 0.33), ("Param #", 0.22))


def table(model, line_length=None, expand_nested=False):
    """The summary of a model as text."""
    widths = [max(len(title) + 2, round((line_length or 75) * share)) for title, share in COLUMNS]
    rows = list(_rows(model, expand_nested, 0))
    for i in range(3):
        widths[i] = max([widths[i], *(len(row[i]) + 2 for row in rows)])
    lines = [f'Model: "{model.name}"', _rule("┏", "━", "┳", "┓", widths),
             _row([title for title, _ in COLUMNS], "┃", widths), _rule("┡", "━", "╇", "┩", widths)]
    for i, row in enumerate(rows):
        if i:
            lines.append(_rule("├", "─", "┼", "┤", widths))
        lines.append(_row(row, "│", widths))
    lines.append(_rule("└", "─", "┴", "┘", widths))
    return "\n".join([*lines, *_totals(model)])


def _rule(left, fill, cross, right, widths):
    return left + cross.join(fill * width for width in widths) + right


def _row(cells, edge, widths):
    name, shape, count = (f" {cell} ".ljust(width) for cell, width in zip(cells, widths, strict=True))
    count = f" {cells[2]} ".rjust(widths[2])
    return edge + edge.join((name, shape, count)) + edge


def _rows(model, expand_nested, depth):
    shape = model.build_shape
    for layer in model.layers:
        shape = output_shape(layer, shape)
        count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
        yield [f"{'    ' * depth}{layer.name} ({type(layer).__name__})", "?" if shape is None else str(shape), count]
        if expand_nested and getattr(layer, "layers", None):
            yield from _rows(layer, True, depth + 1)


def output_shape(layer, input_shape):
    """The layer's output shape: from the shape before it in a Sequential, else from what it was built for."""
    for shape in (input_shape, layer.build_shape):
        if layer.built and isinstance(shape, tuple):
            try:
                return tuple(layer.compute_output_shape(shape))
            except Exception:          # a subclass's call need not take zeros of this shape; the table says "?"
                continue
    return None


def _totals(model):
    trainable = sum(variable.size for variable in model.trainable_weights)
    others = sum(variable.size for variable in model.non_trainable_weights)
    optimizer = getattr(model, "optimizer", None)
    state = list(optimizer.variables) if optimizer is not None else []
    total = trainable + others + sum(tensor.size for tensor in state)
    yield f" Total params: {total:,} ({_size([*model.weights, *state])})"
    yield f" Trainable params: {trainable:,} ({_size(model.trainable_weights)})"
    yield f" Non-trainable params: {others:,} ({_size(model.non_trainable_weights)})"
    if state:
        yield f" Optimizer params: {sum(tensor.size for tensor in state):,} ({_size(state)})"


def _size(tensors):
    """The memory of the tensors: `1.55 MB`."""
    count = float(sum(tensor.size * tensor.dtype.itemsize for tensor in tensors))
    unit = 0
    while count >= 1024 and unit < 4:
        count, unit = count / 1024, unit + 1
    return f"{count:.2f} {('B', 'KB', 'MB', 'GB', 'TB')[unit]}"
