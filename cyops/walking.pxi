# walking: what a walk back over records asks of them, in compiled code because it is asked once an op and step.

class StaleValueError(RuntimeError):
    """A value that a tape saved was changed before the gradient needed it."""


def lead_back(list records not None, sources):
    """For each record, the positions of the inputs that are a source or were computed from one, as a tuple.

    records: in the order they were made; sources: tensors. None for a record without such an input.

    >>> import cyops
    >>> x, y = cyops.Strided([1.]), cyops.Strided([2.])
    >>> recorder = cyops.Recorder()
    >>> recorder.watch(x)
    >>> recorder.start()
    >>> z = cyops.exp(y * x) * y
    >>> recorder.stop()
    >>> cyops.lead_back(recorder.records, [x])
    [(1,), (0,), (0,)]
    """
    cdef set reached = set()
    cdef list leading = []
    cdef Record entry
    for x in sources:
        if not isinstance(x, Strided):
            raise TypeError(f"lead_back: sources must be tensors; got {type(x).__name__}")
        identify(<Strided> x)
        reached.add((<Strided> x).id)
    for one in records:
        entry = complete_record("lead_back", one)
        found = positions_in(reached, entry.inputs)
        if found is not None:
            reached.add(entry.output.id)
        leading.append(found)
    return leading


cdef Record complete_record(str op, object one):
    if not isinstance(one, Record) or (<Record> one).output is None:
        raise TypeError(f"{op}: needs the records of a Recorder; got {one!r:.200}")
    return <Record> one


cdef tuple positions_in(set reached, tuple inputs):
    cdef list found = []
    cdef Py_ssize_t i
    cdef Strided x
    for i in range(len(inputs)):
        x = <Strided> inputs[i]
        if x is not None and x.id != 0 and x.id in reached:
            found.append(i)
    return tuple(found) if len(found) > 0 else None


def look_up(Record entry not None, tuple names not None, tuple inputs not None, d, Py_ssize_t index):
    """The values that a gradient rule names, in its order, from a record and the gradient `d` of its output.

    inputs: the names of the record's inputs; index: the position of the input in question. rules.py in cytensor says
    what may be named. StaleValueError where a value was overwritten since it was recorded; an input's shape may always
    be asked for.
    """
    cdef list values = []
    complete_record("look_up", entry)
    for name in names:
        if name == "d":
            values.append(d)
        elif name == "out":
            check_version(entry, entry.output, entry.output_version, "output")
            values.append(entry.output)
        elif entry.params is not None and name in entry.params:
            values.append(entry.params[name])
        elif name == "index":
            values.append(index)
        elif name == "inputs":
            values.append(entry.inputs)
        elif not isinstance(name, str):
            raise TypeError(f"look_up: names are strings; got {type(name).__name__}")
        elif name.endswith("_shape"):
            values.append(shape_of(named_input(entry, inputs, name.removesuffix("_shape"), False)))
        else:
            values.append(named_input(entry, inputs, name, True))
    return values


cdef Strided named_input(Record entry, tuple inputs, object name, bint as_recorded):
    """The input called `name`, None where it was left out; `as_recorded`: its values are wanted, which may be stale."""
    cdef Py_ssize_t position = inputs.index(name) if name in inputs else -1
    cdef Strided x
    if position < 0 or position >= len(entry.inputs):
        raise ValueError(f"look_up: {entry.op} has no input or parameter {name!r}; its inputs are {inputs}")
    x = <Strided> entry.inputs[position]
    if x is None and not as_recorded:
        raise ValueError(f"look_up: {entry.op} was called without {name!r}, which has no shape then")
    if x is not None and as_recorded:
        check_version(entry, x, entry.versions[position], name)
    return x


cdef int check_version(Record entry, Strided x, unsigned long long version, str what) except -1:
    if x.base.version == version:
        return 0
    raise StaleValueError(
        f"gradient: {entry.op} needs its {what} of shape {shape_of(x)}, which was overwritten after the tape recorded "
        "it; compute the gradient before assigning")


def matches(Strided a not None, Strided b not None):
    """Whether the two tensors have one shape and one dtype.

    >>> import cyops
    >>> cyops.matches(cyops.Strided([1., 2.]), cyops.Strided([3., 4.]))
    True
    """
    return a.v.dtype == b.v.dtype and same_shape(&a.v, &b.v)


def separate(tensors, others):
    """The tensors as a list, each copied whose memory another before it or one of `others` views too.

    tensors: Nones stay. One that repeats elements (stride 0) is copied as well, so that each can be written.

    >>> import cyops
    >>> x = cyops.Strided([1., 2.])
    >>> first, nothing, second = cyops.separate([x, None, x[:1]], [])
    >>> first is x, nothing, cyops.shares_storage(second, x)
    (True, None, False)
    """
    cdef set seen = set()
    cdef list apart = []
    for one in others:
        if not isinstance(one, Strided):
            raise TypeError(f"separate: others must be tensors; got {type(one).__name__}")
        seen.add((<Strided> one).base)
    for one in tensors:
        if one is not None:
            if not isinstance(one, Strided):
                raise TypeError(f"separate: needs tensors or None; got {type(one).__name__}")
            if (<Strided> one).base in seen or repeats_elements(&(<Strided> one).v):
                one = unary_copy(<Strided> one)
            seen.add((<Strided> one).base)
        apart.append(one)
    return apart
