# recorder: the one door through which every op tells the active recorders of this thread what it did.
#
# A Recorder keeps, in order, what was computed from the tensors it was told to watch; backward.pyx walks its records
# back, by the rules that the package cytensor gives.

cdef extern from *:
    """
    /* The default model for a static variable, local-dynamic, makes GCC 12 fail with an internal error. */
    static _Thread_local PyObject *innermost_recorder __attribute__((tls_model("global-dynamic"))) = NULL;
    """
    PyObject *innermost_recorder

cdef int active_recorders = 0               # in all threads; tested before this thread's own is read
cdef unsigned long long last_id = 0


@cython.binding(False)
@cython.embedsignature(True)
@cython.embedsignature.format("clinic")
cdef class Record:
    """One op that a recorder saw: `op`, `inputs`, `output`, `params`, and the storage versions at that moment.

    What Python makes of this class itself is blank: its output is None, and no function here takes it for a record.
    """
    def __repr__(self):
        if self.output is None:
            return "Record()"
        shapes = ", ".join([str(shape_of(x)) if x is not None else "None" for x in self.inputs])
        return f"Record({self.op}: {shapes} -> {shape_of(self.output)})"


@cython.binding(False)
@cython.embedsignature(True)
@cython.embedsignature.format("clinic")
cdef class Recorder:
    """Keeps what is computed from watched tensors between `start` and `stop`, in this thread.

    A tensor marked trainable is watched as soon as an op reads it, unless `watch_trainable` is False. While the
    recorder is active, writing into a tensor it recorded raises ValueError. `pause` and `resume` leave that protection
    in place for the records made so far, and let this thread write.

    >>> import cyops
    >>> x = cyops.Strided([1., 2.])
    >>> recorder = cyops.Recorder()
    >>> recorder.watch(x)
    >>> recorder.start()
    >>> y = x * x
    >>> recorder.stop()
    >>> [record.op for record in recorder.records]
    ['multiply']
    """
    cdef readonly list records
    cdef readonly bint watch_trainable
    cdef readonly bint is_active
    cdef readonly list watched              # the tensors watched, in the order they were first seen
    cdef set tracked                        # ids of what was watched or computed from it
    cdef Recorder outer                     # the next one in this thread's stack
    cdef bint is_holding

    def __cinit__(self):
        self.records = []
        self.watched = []
        self.tracked = set()

    def __init__(self, bint watch_trainable=True):
        self.watch_trainable = watch_trainable

    def __dealloc__(self):
        if self.is_holding and self.records is not None:
            for entry in self.records:
                count_holds(entry, -1)

    def watch(self, Strided x not None):
        """Tracks everything computed from `x` from now on."""
        if not is_floating(x.v.dtype):
            raise TypeError(f"watch: only floating tensors have gradients; got dtype {x.dtype}")
        track(self, x)

    def tracks(self, Strided x not None):
        """Whether `x` is watched or was computed from a watched tensor."""
        return x.id != 0 and x.id in self.tracked

    def start(self):
        """Makes this the innermost recorder of the thread. ValueError when it is active already."""
        if self.is_active:
            raise ValueError("start: this recorder is active already")
        self.resume()
        if not self.is_holding:
            self.is_holding = True
            for entry in self.records:
                count_holds(entry, 1)

    def stop(self):
        """Ends the recording and the protection of what was recorded. ValueError when it was never started."""
        if not self.is_holding:
            raise ValueError("stop: this recorder is not active")
        if self.is_active:
            self.pause()
        self.is_holding = False
        for entry in self.records:
            count_holds(entry, -1)

    def pause(self):
        """Leaves the thread's stack: what follows is not recorded, and writes are allowed."""
        global active_recorders, innermost_recorder
        cdef Recorder above = <Recorder> <object> innermost_recorder if innermost_recorder != NULL else None
        if not self.is_active or above is None:
            raise ValueError("pause: this recorder is not active in this thread")
        if above is self:
            innermost_recorder = <PyObject *> self.outer if self.outer is not None else NULL
        else:
            while above.outer is not None and above.outer is not self:
                above = above.outer
            if above.outer is None:
                raise ValueError("pause: this recorder was started in another thread")
            above.outer = self.outer
        self.outer = None
        self.is_active = False
        active_recorders -= 1
        active_objects.remove(self)

    def resume(self):
        """Comes back after `pause`."""
        global active_recorders, innermost_recorder
        if self.is_active:
            raise ValueError("resume: this recorder is active already")
        self.outer = <Recorder> <object> innermost_recorder if innermost_recorder != NULL else None
        active_objects.append(self)         # the thread's stack itself borrows
        innermost_recorder = <PyObject *> self
        self.is_active = True
        active_recorders += 1

    def clear(self):
        """Forgets every record and every watched tensor."""
        if self.is_holding:
            for entry in self.records:
                count_holds(entry, -1)
        self.records = []
        self.watched = []
        self.tracked = set()


cdef list active_objects = []               # keeps the active recorders of all threads alive


cdef void identify(Strided x) noexcept:
    global last_id
    if x.id == 0:
        last_id += 1
        x.id = last_id


cdef void count_holds(object one, int change) noexcept:
    cdef object x
    cdef Record entry
    if not isinstance(one, Record) or (<Record> one).output is None:
        return                              # a walk puts None in the place of what it is done with
    entry = <Record> one
    for x in entry.inputs:
        if x is not None:
            (<Strided> x).base.holds += change
    entry.output.base.holds += change


cdef bint recording() noexcept:
    return active_recorders != 0 and innermost_recorder != NULL


cdef int track(Recorder recorder, Strided x) except -1:
    identify(x)
    number = x.id
    if number not in recorder.tracked:
        recorder.tracked.add(number)
        recorder.watched.append(x)
    return 0


cdef bint is_tracked(Recorder recorder, tuple inputs) except -1:
    cdef object one
    cdef Strided x
    cdef bint found = False
    for one in inputs:
        if one is None:
            continue
        x = <Strided> one
        if x.trainable and recorder.watch_trainable and is_floating(x.v.dtype):
            track(recorder, x)
            found = True
        elif x.id != 0 and not found and x.id in recorder.tracked:
            found = True
    return found


cdef int record(str op, tuple inputs, Strided out, dict params) except -1:
    return tell(op, inputs, out, params, False)


cdef int record_values(str op, tuple inputs, Strided out, dict params) except -1:
    return tell(op, inputs, out, params, True)


cdef int tell(str op, tuple inputs, Strided out, dict params, bint need_values) except -1:
    cdef Recorder recorder
    cdef Record entry = None
    if not is_floating(out.v.dtype) or innermost_recorder == NULL:
        return 0
    recorder = <Recorder> <object> innermost_recorder
    while recorder is not None:
        if is_tracked(recorder, inputs):
            if entry is None:
                entry = new_record(op, with_values_kept(inputs) if need_values else inputs, out, params)
            recorder.records.append(entry)
            recorder.tracked.add(out.id)
            count_holds(entry, 1)
        recorder = recorder.outer
    return 0


cdef tuple with_values_kept(tuple inputs):
    """The inputs, those copied that code outside may write unseen; not what a recorder follows, which it knows by
    identity."""
    cdef bint is_safe = True
    cdef object one
    for one in inputs:
        if one is not None and (<Strided> one).base.is_shared and not is_followed(<Strided> one):
            is_safe = False
    if is_safe:
        return inputs
    return tuple([fresh_copy(<Strided> one) if one is not None and (<Strided> one).base.is_shared and not is_followed(
        <Strided> one) else one for one in inputs])


cdef bint is_followed(Strided x) except -1:
    """Whether a recorder of this thread watches `x` or computed it from what it watches."""
    cdef Recorder recorder = <Recorder> <object> innermost_recorder if innermost_recorder != NULL else None
    while recorder is not None:
        if x.trainable and recorder.watch_trainable or x.id != 0 and x.id in recorder.tracked:
            return True
        recorder = recorder.outer
    return False


cdef Record new_record(str op, tuple inputs, Strided out, dict params):
    cdef Record entry = Record.__new__(Record)
    identify(out)
    entry.op = op
    entry.inputs = inputs
    entry.output = out
    entry.params = params
    entry.versions = tuple([(<Strided> x).base.version if x is not None else 0 for x in inputs])
    entry.output_version = out.base.version
    return entry


cdef inline int refuse_readonly(str op, Strided x) except -1:
    if x.base.is_readonly:
        raise ValueError(f"{op}: the tensor is read-only; write into a copy")
    return 0


cdef int begin_assign(str op, Strided x) except -1:
    cdef int i
    refuse_readonly(op, x)
    for i in range(x.v.ndim):
        if x.v.strides[i] == 0 and x.v.shape[i] > 1 and x.v.size > 0:
            raise ValueError(f"{op}: axis {i} of the tensor has stride 0, so {x.v.shape[i]} elements share one place "
                             "in memory; write into a copy")
    x.base.version += 1
    return 0


cdef int begin_write(str op, Strided x) except -1:
    if x.base.holds > 0 and recording():
        raise ValueError(f"{op}: an active tape recorded a tensor on this memory, so writing into it would change the "
                         "gradient; use where() or concat() to make a new tensor, or write inside stop_recording()")
    return begin_assign(op, x)


cdef int check(str op, int status) except -1:
    if status == CYOPS_OK:
        return 0
    if status == CYOPS_NO_MEMORY:
        raise MemoryError(f"{op}: not enough memory for its workspace")
    raise TypeError(f"{op}: there is no kernel for this dtype")


def is_recorded(Strided x not None):
    """Whether an active recorder of this thread watches `x`, or computed it from what it watches.

    >>> import cyops
    >>> cyops.is_recorded(cyops.ones(2))
    False
    """
    return is_followed(x)


def is_recording():
    """Whether a recorder is active in this thread.

    >>> import cyops
    >>> cyops.is_recording()
    False
    """
    return recording()
