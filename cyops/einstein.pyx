# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
# cython: auto_pickle=False
"""Einstein's notation: einsum, on operands as they lie in memory.

An equation is read once (equation.py) and kept. What it asks of one operand is a view and a sum; what it asks of two is
a view and a sum of each and one product: of axes that both have and the result has not a contraction (contract.pyx),
else elementwise. Many operands are multiplied two by two. May be imported by everything above cyops.reduce.
"""
from cyops.ids cimport *
from cyops.strided cimport (
    CYOPS_BOOL, CYOPS_FLOAT64, CYOPS_MAX_NDIM, Strided, alias, binary, cast_to, computing_dtype, dtype_object,
    finish_geometry, fresh_copy, is_complex, is_text, operand_beside, promote, record, recording, require_real,
    result_class, shape_of, write_result,
)

import numpy

from cyops.contract import contract
from cyops.equation import COUNT, check_optimize, name_of, parse, path_of, spell
from cyops.reduce import any as any_of, sum as sum_of
from cyops.views import permute_dims

cdef enum:
    MAX_LABELS = 68                 # equation.COUNT
    KEPT = 1024                     # equations and paths that are kept, read

assert COUNT == MAX_LABELS

cdef dict equations = {}
cdef dict paths = {}


# -- one operand ------------------------------------------------------------------------------------------------------
cdef class Term:
    """An operand as a view with one axis for each of its labels: the axes of a label that repeats are its diagonal."""
    cdef Strided x
    cdef int labels[CYOPS_MAX_NDIM]


cdef int place_of(int label, const int *labels, int count) noexcept:
    cdef int i
    for i in range(count):
        if labels[i] == label:
            return i
    return -1


cdef Term term_of(Strided x, tuple labels, Py_ssize_t *lengths):
    """The term, whose axes also set the length of each label that had none, or 1."""
    cdef Term term = Term.__new__(Term)
    cdef Strided view = alias(type(x), x)
    cdef int axis, label, place, count = 0
    if len(labels) != x.v.ndim:
        raise ValueError(f"einsum: one label for each axis; got {len(labels)} for shape {shape_of(x)}")
    for axis in range(x.v.ndim):
        label = labels[axis]
        if label < 0 or label >= MAX_LABELS:
            raise ValueError(f"einsum: a label lies between 0 and {MAX_LABELS - 1}; got {label}")
        place = place_of(label, term.labels, count)
        if place >= 0:
            if x.v.shape[axis] != view.v.shape[place]:
                raise ValueError(f"einsum: the axes of one operand that share a label have one length; those of "
                                 f"{name_of(label)} have {view.v.shape[place]} and {x.v.shape[axis]} in {shape_of(x)}")
            view.v.strides[place] += x.v.strides[axis]
            continue
        view.v.shape[count], view.v.strides[count] = x.v.shape[axis], x.v.strides[axis]
        term.labels[count] = label
        count += 1
    view.v.ndim = count
    finish_geometry(x, view)
    term.x = view
    for axis in range(count):
        if lengths[term.labels[axis]] < 0 or lengths[term.labels[axis]] == 1:
            lengths[term.labels[axis]] = view.v.shape[axis]
    return term


cdef int sum_away(Term term, const char *is_kept) except -1:
    """Sums over the axes whose labels are not kept."""
    cdef list axes = []
    cdef int i, count = 0
    cdef int ndim = term.x.v.ndim
    cdef Strided x = term.x
    for i in range(ndim):
        if not is_kept[term.labels[i]]:
            axes.append(i)
    if len(axes) == 0:
        return 0
    if x.v.dtype == CYOPS_BOOL:
        term.x = any_of(x, tuple(axes))
    else:
        term.x = sum_of(x, tuple(axes), dtype=dtype_object(x.v.dtype, x.v.itemsize))
    for i in range(ndim):
        if is_kept[term.labels[i]]:
            term.labels[count] = term.labels[i]
            count += 1
    return 0


cdef void drop_stretched(Term term, const Py_ssize_t *lengths) noexcept:
    """Takes away the axes of length 1 that the other operand stretches: they are no part of the product."""
    cdef int i, count = 0
    cdef Strided x = term.x
    for i in range(x.v.ndim):
        if x.v.shape[i] != 1 or lengths[term.labels[i]] == 1:
            x.v.shape[count], x.v.strides[count] = x.v.shape[i], x.v.strides[i]
            term.labels[count] = term.labels[i]
            count += 1
    x.v.ndim = count


cdef Strided in_order(Term term, tuple out, const Py_ssize_t *lengths):
    """A view whose axes are those of the result, of length 1 where the term has none."""
    cdef Strided x = term.x
    cdef Strided view = alias(type(x), x)
    cdef int i, place
    for i in range(len(out)):
        place = place_of(out[i], term.labels, x.v.ndim)
        view.v.shape[i] = x.v.shape[place] if place >= 0 else 1
        view.v.strides[i] = x.v.strides[place] if place >= 0 else 0
    view.v.ndim = len(out)
    return view


# -- two operands -----------------------------------------------------------------------------------------------------
cdef Strided multiplied(Term a, Term b, tuple out, const Py_ssize_t *lengths):
    """The product of two terms, summed over the labels that both have and the result has not."""
    cdef char in_a[MAX_LABELS]
    cdef char in_b[MAX_LABELS]
    cdef char in_out[MAX_LABELS]
    cdef int numbers[MAX_LABELS]
    cdef Term larger
    cdef int i
    cdef bint contracts = False
    drop_stretched(a, lengths)
    drop_stretched(b, lengths)
    for i in range(MAX_LABELS):
        in_a[i] = in_b[i] = in_out[i] = False
    for label in out:
        in_a[<int> label] = in_b[<int> label] = in_out[<int> label] = True
    for i in range(a.x.v.ndim):
        in_a[a.labels[i]] = True
    for i in range(b.x.v.ndim):
        in_b[b.labels[i]] = True
    sum_away(a, in_b)
    sum_away(b, in_a)
    # A contraction sums in the order of its numbers, fastest where that is the order of the larger operand's axes.
    larger = a if a.x.v.size >= b.x.v.size else b
    for i in range(MAX_LABELS):
        numbers[i] = i
    for i in range(larger.x.v.ndim):
        if not in_out[larger.labels[i]]:
            numbers[larger.labels[i]] = MAX_LABELS + i
            contracts = True
    if contracts:
        return contracted(a, b, out, numbers)
    return binary(CYOPS_OP_multiply, in_order(a, out, lengths), in_order(b, out, lengths), None)


cdef Strided contracted(Term a, Term b, tuple out, const int *numbers):
    """The contraction in C order where the result's last axis is the last of an operand's that it has. Else its axes
    lie in memory as in the operands, a's before b's: the kernels write whole rows, and the result is a view in order.

    Measured on one thread: efbad,cf->abcde of (12, 48, 16, 14, 10) and (24, 48) 0.57 ms instead of 3.5, a view as it
    is NumPy's and PyTorch's result.
    """
    cdef tuple of_a = numbers_of(a, numbers)
    cdef tuple of_b = numbers_of(b, numbers)
    cdef list rows = [label for label in of_a if label in out and label not in of_b]
    cdef list columns = [label for label in of_b if label in out and label not in of_a]
    cdef list order
    if len(rows) == 0 or len(columns) == 0 or out[len(out) - 1] in (rows[len(rows) - 1], columns[len(columns) - 1]):
        return contract(a.x, of_a, b.x, of_b, out)
    order = [*[label for label in out if label not in rows and label not in columns], *rows, *columns]
    return permute_dims(contract(a.x, of_a, b.x, of_b, order), [order.index(label) for label in out])


cdef tuple numbers_of(Term term, const int *numbers):
    return tuple([numbers[term.labels[i]] for i in range(term.x.v.ndim)])


cdef int check_lengths(Strided x, Strided y, Term a, Term b, const Py_ssize_t *lengths) except -1:
    """A label has one length in both, or 1."""
    cdef int i
    cdef Term term
    for term in (a, b):
        for i in range(term.x.v.ndim):
            if term.x.v.shape[i] != 1 and term.x.v.shape[i] != lengths[term.labels[i]]:
                raise ValueError(f"einsum: a label has one length in all operands, or 1; {name_of(term.labels[i])} has "
                                 f"{lengths[term.labels[i]]} and {term.x.v.shape[i]}, in shapes {shape_of(x)} and "
                                 f"{shape_of(y)}")
    return 0


cdef int require_number(Strided x) except -1:
    return require_real("einsum", x.v.dtype, x.v.itemsize) if is_text(x.v.dtype) else 0


cdef Strided complex_step(Strided x, Strided y, tuple of_x, tuple of_y, tuple out):
    """NumPy's sum of products of complex numbers, on the same memory; no tape records it."""
    cdef dict numbers = {label: i for i, label in enumerate(dict.fromkeys((*of_x, *of_y)))}     # NumPy has 52 labels
    cdef list labels = [[numbers[label] for label in term] for term in (of_x, of_y, out)]
    with numpy.errstate(all="ignore"):
        found = numpy.einsum(numpy.asarray(x), labels[0], numpy.asarray(y), labels[1], labels[2])
    return operand_beside("einsum", numpy.asarray(found), None)


cdef Strided run(tuple operands, tuple terms, tuple out):
    """The recorded step: one or two tensors, the labels of each and of the result."""
    cdef Strided x = <Strided> operands[0]
    cdef Strided y = <Strided> operands[1] if len(operands) > 1 else None
    cdef Strided result
    cdef Py_ssize_t lengths[MAX_LABELS]
    cdef char is_kept[MAX_LABELS]
    cdef Term a, b
    cdef int i, dtype
    for i in range(MAX_LABELS):
        lengths[i] = -1
        is_kept[i] = False
    if len(out) > CYOPS_MAX_NDIM:
        raise ValueError(f"einsum: the result has {len(out)} axes; at most {CYOPS_MAX_NDIM} are possible")
    require_number(x)
    if y is None:
        a = term_of(x, <tuple> terms[0], lengths)
        for label in out:
            is_kept[<int> label] = True
        sum_away(a, is_kept)
        result = in_order(a, out, lengths)
    elif is_complex(x.v.dtype) or is_complex(y.v.dtype):
        require_number(y)
        result = complex_step(x, y, <tuple> terms[0], <tuple> terms[1], out)
    else:
        require_number(y)
        dtype = x.v.dtype if x.v.dtype == y.v.dtype else promote(x.v.dtype, y.v.dtype)
        a = term_of(cast_to(x, computing_dtype(dtype)), <tuple> terms[0], lengths)
        b = term_of(cast_to(y, computing_dtype(dtype)), <tuple> terms[1], lengths)
        check_lengths(x, y, a, b, lengths)
        result = cast_to(multiplied(a, b, out, lengths), dtype)
    result = alias(result_class(x, y), result)
    if recording():
        record("einsum", operands, result, {"terms": terms, "out_labels": out})
    return result


def contract_labels(tuple operands not None, tuple terms not None, tuple out not None):
    """einsum of one or two tensors by labels, integers below 68: what its gradient rule is written with.

    `terms` has a tuple for each operand with one label an axis, `out` those of the result, each once and of an operand.
    ValueError where they are others.

    >>> import cyops
    >>> x = cyops.Strided([[1., 2.], [3., 4.]])
    >>> cyops.contract_labels((x, x), ((0, 1), (2, 1)), (0, 2)).tolist()
    [[5.0, 11.0], [11.0, 25.0]]
    """
    known = {label for term in terms for label in term}
    if len(operands) not in (1, 2) or len(terms) != len(operands) or len(set(out)) != len(out) or not known.issuperset(
            out):
        raise ValueError(f"contract_labels: needs one or two operands with the labels of each, and a result of these; "
                         f"got {len(operands)} operands, terms {terms} and out {out}")
    for x in operands:
        if not isinstance(x, Strided):
            raise TypeError(f"contract_labels: operands must be tensors; got {type(x).__name__}")
    return run(operands, terms, out)


# -- many operands ----------------------------------------------------------------------------------------------------
cdef Strided run_chain(list operands, list terms, tuple out, list pairs):
    """Two by two, each product recorded for itself: the gradients then share what has been multiplied."""
    for first, second in pairs:
        y, labels_y = operands.pop(second), terms.pop(second)
        x, labels_x = operands.pop(first), terms.pop(first)
        wanted = out
        if len(operands) > 0:
            needed = set(out).union(*terms)
            wanted = tuple(dict.fromkeys([label for label in (*labels_x, *labels_y) if label in needed]))
        operands.append(run((x, y), (labels_x, labels_y), wanted))
        terms.append(wanted)
    return <Strided> operands[0]


cdef object kept(dict cache, object key, object value):
    """Remembers a value, and forgets all when there are too many."""
    if len(cache) >= KEPT:
        cache.clear()
    cache[key] = value
    return value


cdef object equation_of(str subscripts, tuple operands):
    key = (subscripts, *[(<Strided> x).v.ndim for x in operands])
    equation = equations.get(key)
    return kept(equations, key, parse(subscripts, key[1:])) if equation is None else equation


cdef list pairs_of(str subscripts, tuple operands, object optimize):
    if optimize is not True and optimize is not False:
        check_optimize(optimize)
        optimize = tuple(optimize) if isinstance(optimize, list) else optimize
    key = (subscripts, optimize, *[shape_of(<Strided> x) for x in operands])
    pairs = paths.get(key)
    return kept(paths, key, path_of(subscripts, key[2:], optimize)) if pairs is None else pairs


cdef tuple read_operands(tuple given):
    """The operands as tensors; lists of numbers keep their digits beside one of float64."""
    cdef object beside = None
    cdef bint are_tensors = True
    cdef list found
    for x in given:
        are_tensors = are_tensors and isinstance(x, Strided)
    if are_tensors:
        return given
    found = [operand_beside("einsum", x, None) if hasattr(x, "dtype") else x for x in given]
    for x in found:
        if isinstance(x, Strided) and (<Strided> x).v.dtype == CYOPS_FLOAT64:
            beside = x
    return tuple([operand_beside("einsum", x, beside) for x in found])


def einsum(subscripts, *operands, optimize=True, out=None):
    """Sums of products by Einstein's notation: einsum("ij,jk->ik", a, b) is the matrix product.

    subscripts: a term of letters for each operand, one letter an axis, and after "->" those of the result; without it
    the letters that occur once, in alphabetical order, capitals first. Axes of one letter are multiplied along each
    other and summed where the result lacks it; a letter twice in a term is a diagonal: "ii->i" and "ij->ji" give views,
    as all of one operand that sums nothing. "..." stands for the axes that no letter names, which broadcast; so does an
    axis of length 1. Or each operand is followed by a list of integers below 52 (and Ellipsis), a last list being the
    result's: einsum(a, [0, 1], b, [1, 2]).
    optimize: how three operands and more are paired, as in `numpy.einsum_path`: "greedy" (True), "optimal", its path,
    or from left to right (False). Dtypes, strides and `out` as in `matmul`: any strides, no operand is copied whole.
    The result of several operands is fresh, its axes in C order or in that which was fastest to write.

    ValueError where terms and operands differ in number, a term and its operand in axes, the lengths of a letter in
    operands, or a step has more than 16 axes; TypeError for strings as operands. As `numpy.einsum`.

    >>> import cyops
    >>> a = cyops.Strided([[1., 2.], [3., 4.]])
    >>> cyops.einsum("ij,jk->ik", a, a).tolist()
    [[7.0, 10.0], [15.0, 22.0]]
    >>> cyops.einsum("ii", a).item(), cyops.einsum("ij->j", a).tolist()
    (5.0, [4.0, 6.0])
    """
    cdef Strided result, given
    if not isinstance(subscripts, str):
        subscripts, operands = spell((subscripts, *operands))
    operands = read_operands(operands)
    terms, labels = equation_of(subscripts, operands)
    if len(operands) <= 2:
        result = run(operands, terms, labels)
    else:
        result = run_many(subscripts, operands, terms, labels, optimize)
    if out is None:
        return result
    is_view = isinstance(out, Strided) and (<Strided> out).base is result.base
    given = write_result("einsum", fresh_copy(result) if is_view else result, out)
    if recording():
        record("copy", (result,), given, None)
    return given


cdef Strided run_many(str subscripts, tuple operands, tuple terms, tuple labels, object optimize):
    """Three operands and more, in the dtype in which their product is computed."""
    from cyops.elementwise import astype

    cdef int dtype = (<Strided> operands[0]).v.dtype
    cdef int computing
    for x in operands:
        require_number(<Strided> x)
        dtype = promote(dtype, (<Strided> x).v.dtype)
    computing = computing_dtype(dtype)
    wanted = dtype_object(computing, 0)
    cast = [x if (<Strided> x).v.dtype == computing else astype(x, wanted) for x in operands]
    result = run_chain(cast, list(terms), labels, pairs_of(subscripts, operands, optimize))
    return result if computing == dtype else astype(result, dtype_object(dtype, 0))


FUNCTIONS = (einsum,)
