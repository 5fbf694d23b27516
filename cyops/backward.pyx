# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""The walk back over what a Recorder kept: pruning, un-broadcasting and accumulation happen here and nowhere else.

What the gradient of an op is, this module does not know: the rules say it, which the caller gives (autodiff/rules.py of
the package cytensor). Compiled because it is gone through once an op and step. May import everything but
cyops.derived.
"""
from cyops.strided cimport (
    Record, Strided, alias, identify, is_floating, recording, repeats_elements, result_class, same_shape, shape_of,
)

from cyops.creation import ones
from cyops.elementwise import astype, copy
from cyops.reduce import sum as sum_over
from cyops.reshaping import reshape
from cyops.views import broadcast_to


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
                one = copy(one)
            seen.add((<Strided> one).base)
        apart.append(one)
    return apart


# -- the walk ---------------------------------------------------------------------------------------------------------
cdef class Gathered:
    """The gradients of tensors so far, by identity."""
    cdef dict gradients
    cdef set owned                      # the tensors whose gradient nothing else can see: it may be added to in place

    def __cinit__(self):
        self.gradients = {}
        self.owned = set()

    cdef object of(self, Strided x):
        return self.gradients.get(x.id) if x is not None else None

    cdef int add(self, Strided x, Strided gradient, bint is_fresh) except -1:
        """Adds to the gradient of `x`, in its shape and dtype."""
        if not same_shape(&gradient.v, &x.v):
            gradient = summed_to(gradient, x)
        if gradient.v.dtype != x.v.dtype:
            gradient = astype(gradient, x.dtype)
        known = self.gradients.get(x.id)
        self.gradients[x.id] = gradient if known is None else known + gradient
        if is_fresh or known is not None:
            self.owned.add(x.id)
        return 0


cdef Strided summed_to(Strided gradient, Strided x):
    """Undoes broadcasting: sums over the axes along which `x` was stretched, or stretches to its shape."""
    cdef int axis
    cdef int extra = gradient.v.ndim - x.v.ndim
    cdef list stretched = list(range(extra))
    if extra < 0:
        return broadcast_to(gradient, shape_of(x))
    for axis in range(extra, gradient.v.ndim):
        if gradient.v.shape[axis] == 1 != x.v.shape[axis - extra]:
            return broadcast_to(gradient, shape_of(x))
        if gradient.v.shape[axis] != 1 == x.v.shape[axis - extra]:
            stretched.append(axis)
    return reshape(sum_over(gradient, axis=tuple(stretched)), shape_of(x))


cdef Strided seed_of(object target, object seed):
    """The gradient of a target with respect to itself: ones, or what the caller gives."""
    if not isinstance(target, Strided) or not is_floating((<Strided> target).v.dtype):
        kind = f"dtype {target.dtype}" if isinstance(target, Strided) else type(target).__name__
        raise TypeError(f"gradient: the target must be a floating tensor; got {kind}")
    identify(<Strided> target)
    if seed is None:
        return alias(result_class(target, None), <Strided> ones(shape_of(<Strided> target), target.dtype))
    return <Strided?> seed


def walk_back(list records not None, targets, seeds, sources, dict rules not None, set without=None, *,
              bint free=False, check=None, ready=None):
    """The gradient of the targets, weighted by the seeds, for each source; None where no record leads to it.

    records: what a Recorder kept; targets: floating tensors; seeds: for each a tensor of its shape, or None for ones.
    rules: by the name of an op its rule, as cytensor's autodiff/rules.py describes it; without: the names of ops that
    have no gradient. Tensors are told apart by identity: the records keep every tensor alive that is named here. With
    `free`, a record is dropped from the list as soon as it was walked, so that what it saved goes back to the
    allocator. `check` is called with each record and the gradients that its inputs have after it; `ready` with the
    position of a source, its gradient, and whether nothing else sees the gradient's memory, as soon as it is known as a
    whole. TypeError for an op without a rule and for a target that is not floating; StaleValueError where a value that
    a rule names was overwritten.

    >>> import cyops
    >>> x = cyops.Strided([1., 2.])
    >>> recorder = cyops.Recorder()
    >>> recorder.watch(x)
    >>> recorder.start()
    >>> y = cyops.copy(x)
    >>> recorder.stop()
    >>> cyops.walk_back(recorder.records, [x], [None], [x], {})[0].tolist()
    [1.0, 1.0]
    """
    cdef list entries = records[:]      # a rule is Python's code, which may change the caller's
    cdef list leading = lead_back(entries, sources)
    cdef list named = [*targets, *sources]
    cdef set kept = {(<Strided> x).id for x in sources}
    cdef Gathered gathered = Gathered()
    cdef Py_ssize_t i
    cdef Record entry
    cdef Strided start
    cdef dict last = None if ready is None else last_uses(entries, leading, sources)
    if len(targets) != len(seeds):
        raise ValueError(f"gradient: one output gradient per target; got {len(seeds)} for {len(targets)}")
    for target, seed in zip(targets, seeds):
        start = seed_of(target, seed)
        gathered.add(<Strided> target, start, False)
    for i in range(len(leading) - 1, -1, -1):
        entry = complete_record("gradient", entries[i])
        d = gathered.of(entry.output)
        if d is not None and entry.output.id not in kept:
            del gathered.gradients[entry.output.id]
        gathered.owned.discard(entry.output.id)
        if d is not None and leading[i] is not None:
            pass_back(entries, i, leading[i], d, gathered, rules, without, named)
        if check is not None and d is not None:
            check(entry, [gathered.of(x) for x in entry.inputs])
        if last is not None and i in last:
            for position in last[i]:
                source = gathered.of(sources[position])
                if source is not None:
                    ready(position, source, (<Strided> sources[position]).id in gathered.owned)
        if free:
            entries[i] = entry = d = None
            if i < len(records):
                records[i] = None
    return [gathered.of(source) for source in sources]


cdef dict last_uses(list entries, list leading, sources):
    """{i: positions of the sources whose gradient is whole once record i was walked}."""
    cdef dict first = {}, last = {}
    cdef Py_ssize_t i
    cdef Record entry
    for i in range(len(leading) - 1, -1, -1):
        if leading[i] is not None:
            entry = <Record> entries[i]
            for position in leading[i]:
                first[(<Strided> entry.inputs[position]).id] = i
    for position, source in enumerate(sources):
        if (<Strided> source).id in first:
            last.setdefault(first[(<Strided> source).id], []).append(position)
    return last


cdef int pass_back(list entries, Py_ssize_t i, tuple positions, object d, Gathered gathered, dict rules,
                   set without, list named) except -1:
    """Adds what record i passes on of its output's gradient `d` to the gradients of its inputs at `positions`."""
    cdef Record entry = complete_record("gradient", entries[i])
    cdef Py_ssize_t position
    rule = rules.get(entry.op)
    if rule is None:
        if without is not None and entry.op in without:
            return 0
        raise TypeError(f"gradient: {entry.op} has no gradient rule")
    if not recording():
        if rule.shortcut is not None and positions == (0,):
            step = rule.shortcut(entries, i, named)
            if step is not None:
                return gathered.add(<Strided?> step.x, <Strided?> step.gradient(d), False)
        if rule.joint is not None:
            return pass_back_jointly(rule, entry, positions, d, gathered)
    if rule.before is not None:
        d = rule.before.function(*look_up(entry, rule.before.needs, rule.inputs, d, 0))
    for position in positions:
        derivative = rule.of(position)
        if derivative is not None:
            gradient = derivative.function(*look_up(entry, derivative.needs, rule.inputs, d, position))
            gathered.add(<Strided> entry.inputs[position], <Strided?> gradient, False)
    return 0


cdef int pass_back_jointly(object rule, Record entry, tuple positions, object d, Gathered gathered) except -1:
    """The same where one function gives all gradients, some of them added to what is known in place."""
    cdef tuple names = rule.needs(positions)
    cdef list known = []
    cdef Strided x
    for i in positions:
        x = <Strided> entry.inputs[i]
        known.append(gathered.of(x) if x.id in gathered.owned else None)
    named = dict(zip(names, look_up(entry, names, rule.inputs, d, 0)))
    for i, before, gradient in zip(positions, known, rule.joint(positions, known, **named), strict=True):
        if before is None or gradient is not before:
            gathered.add(<Strided> entry.inputs[i], <Strided?> gradient, True)
    return 0
