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
    cdef list ways = []
    cdef Record entry
    cdef Strided x
    for x in sources:
        identify(x)
        reached.add(x.id)
    for entry in records:
        way = positions_in(reached, entry.inputs)
        if way is not None:
            reached.add(entry.output.id)
        ways.append(way)
    return ways


cdef tuple positions_in(set reached, tuple inputs):
    cdef list found = []
    cdef Py_ssize_t i
    cdef Strided x
    for i in range(len(inputs)):
        x = <Strided> inputs[i]
        if x is not None and x.id != 0 and x.id in reached:
            found.append(i)
    return tuple(found) if len(found) > 0 else None


def count_uses(list records not None, Strided x not None):
    """How many times the records have `x` as an input."""
    cdef Py_ssize_t count = 0
    cdef Record entry
    for entry in records:
        for one in entry.inputs:
            count += one is x
    return count


def look_up(Record entry not None, tuple names not None, tuple inputs not None, d, Py_ssize_t index):
    """The values that a gradient rule names, in its order, from a record and the gradient `d` of its output.

    inputs: the names of the record's inputs; index: the position of the input in question. rules.py in cytensor says
    what may be named. StaleValueError where a value was overwritten since it was recorded; an input's shape may always
    be asked for.
    """
    cdef list values = []
    cdef str name
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
        elif name.endswith("_shape"):
            values.append(shape_of(<Strided> entry.inputs[inputs.index(name.removesuffix("_shape"))]))
        else:
            values.append(unchanged_input(entry, inputs.index(name), name))
    return values


cdef Strided unchanged_input(Record entry, Py_ssize_t position, str name):
    cdef Strided x = <Strided> entry.inputs[position]
    if x is not None:
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
