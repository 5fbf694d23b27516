# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Optimizer steps: one call for all parameters, one pass over memory for each.

Every function takes one tensor or a sequence of tensors per argument, checks all of them, then writes in place: the
parameters and what the optimizer keeps beside them. The formulas are the rows of csrc/update/ops.h, Keras 3's. May be
imported by everything above cyops.strided.
"""
from cyops.ids cimport *
from cyops.strided cimport (
    CYOPS_FLOAT32, CYOPS_FLOAT64, Strided, api, begin_assign, check, cyops_api, cyops_parameter,
    is_floating, is_long, same_shape, shape_of,
)

from libc.math cimport pow, sqrt
from libc.stdlib cimport free, malloc

from types import MappingProxyType

cdef extern from *:
    """
    #define STEP_NAME(name, slots, scalars, ...) #name,
    #define STEP_SLOTS(name, slots, ...) slots,
    #define STEP_SCALARS(name, slots, scalars, ...) #scalars,
    static const char *const step_names[] = {CYOPS_UPDATE_STEPS(STEP_NAME)};
    static const int step_slots[] = {CYOPS_UPDATE_STEPS(STEP_SLOTS)};
    static const char *const step_scalars[] = {CYOPS_UPDATE_STEPS(STEP_SCALARS)};
    """
    const char *const *step_names
    const int *step_slots
    const char *const *step_scalars


# -- parts shared by all ----------------------------------------------------------------------------------------------
cdef tuple tensors_of(str op, str name, object given):
    """A sequence of tensors as a tuple, which nobody can change during the step; a single one counts as one of one."""
    cdef tuple tensors = (given,) if isinstance(given, Strided) else tuple(given)
    for x in tensors:
        if not isinstance(x, Strided):
            raise TypeError(f"{op}: {name} must be a tensor or a sequence of tensors; got {type(x).__name__}")
    return tensors


cdef int check_parameter(str op, Strided parameter, Strided other, str name, object index) except -1:
    if parameter.v.dtype != CYOPS_FLOAT32 and parameter.v.dtype != CYOPS_FLOAT64:
        is_half = is_floating(parameter.v.dtype) and parameter.v.itemsize == 2
        hint = "; keep float32 ones and compute with casts of them, as mixed_bfloat16 does" if is_half else ""
        raise TypeError(f"{op}: parameters must be float32 or float64; got dtype {parameter.dtype} at {index}{hint}")
    if other.v.dtype != parameter.v.dtype or not same_shape(&parameter.v, &other.v):
        raise ValueError(f"{op}: {name} must have the shape and dtype of its parameter; got {name} {shape_of(other)} "
                         f"{other.dtype}, parameter {shape_of(parameter)} {parameter.dtype} at {index}")
    return 0


cdef tuple factors_of(str op, str name, object given, Py_ssize_t count):
    """A Python float for each parameter; None stands for 1, one number for all of them."""
    if given is None or isinstance(given, (int, float)):
        return (1.0 if given is None else float(given),) * count
    cdef tuple factors = tuple([float(factor) for factor in given])
    if len(factors) != count:
        raise ValueError(f"{op}: needs one {name} per parameter; got {len(factors)} for {count} parameters")
    return factors


cdef int run_step(str op, int step, tuple names, tuple lists, const double *scalars, object parameter_factor,
                  object gradient_factor) except -1:
    """`lists` holds parameters, gradients and the slots in the order of the table; nothing is written if any is bad."""
    cdef Py_ssize_t count = len(lists[0])
    cdef tuple of_parameters = factors_of(op, "parameter_factor", parameter_factor, count)
    cdef tuple of_gradients = factors_of(op, "gradient_factor", gradient_factor, count)
    cdef Py_ssize_t i, size = 0
    cdef int k, status
    cdef cyops_parameter *parameters
    cdef const cyops_api *c = api()
    cdef Strided x
    for k in range(1, len(lists)):
        if len(lists[k]) != count:
            raise ValueError(f"{op}: needs one {names[k]} per parameter; got {len(lists[k])} for {count} parameters")
        for i in range(count):
            check_parameter(op, lists[0][i], lists[k][i], names[k], i)
    for k in range(len(lists)):
        for i in range(count if k != 1 else 0):
            begin_assign(op, lists[k][i])
    parameters = <cyops_parameter *> malloc((count + 1) * sizeof(cyops_parameter))
    if parameters == NULL:
        raise MemoryError()
    for i in range(count):
        x = <Strided> lists[0][i]
        size += x.v.size
        parameters[i].parameter = &x.v
        x = <Strided> lists[1][i]
        parameters[i].gradient = &x.v
        parameters[i].factors.parameter = of_parameters[i]
        parameters[i].factors.gradient = of_gradients[i]
        for k in range(2, len(lists)):
            x = <Strided> lists[k][i]
            parameters[i].slots[k - 2] = &x.v
    if is_long(0.7 * size):
        with nogil:
            status = c.update(step, parameters, count, scalars)
    else:
        status = c.update(step, parameters, count, scalars)
    free(parameters)
    return check(op, status)


# -- steps ------------------------------------------------------------------------------------------------------------
def sgd_step(parameter, gradient, double learning_rate, *, parameter_factor=None, gradient_factor=None):
    """w -= learning_rate * g, in place.

    parameter, gradient: one tensor each, or sequences of as many; float32 or float64, one shape and dtype per
    parameter, any strides. Nothing is written where an argument is bad: ValueError for shapes, dtypes or counts that
    differ and for a read-only parameter, TypeError for other dtypes and for what is no tensor. The factors, one number
    or one per parameter, multiply parameters and gradients first, in the same pass: weight decay and clipping by norm.

    >>> import cyops
    >>> w = cyops.Strided([1., 2.])
    >>> cyops.sgd_step(w, cyops.Strided([2., 4.]), 0.25)
    >>> w.tolist()
    [0.5, 1.0]
    """
    run_step("sgd_step", CYOPS_STEP_sgd, ("parameter", "gradient"),
             (tensors_of("sgd_step", "parameter", parameter), tensors_of("sgd_step", "gradient", gradient)),
             &learning_rate, parameter_factor, gradient_factor)


def momentum_step(parameter, gradient, velocity, double learning_rate, double momentum, bint nesterov=False, *,
                  parameter_factor=None, gradient_factor=None):
    """v = momentum * v - learning_rate * g, then w += v; with `nesterov` w += momentum * v - learning_rate * g.

    velocity is written too. Arguments and errors as in `sgd_step`. Source: Sutskever, Martens, Dahl, Hinton, "On the
    importance of initialization and momentum in deep learning" (2013).

    >>> import cyops
    >>> w, v = cyops.Strided([1.]), cyops.Strided([-1.])
    >>> cyops.momentum_step(w, cyops.Strided([2.]), v, 0.25, 0.5)
    >>> w.tolist(), v.tolist()
    ([0.0], [-1.0])
    """
    cdef str op = "momentum_step"
    cdef double[2] scalars = [learning_rate, momentum]
    run_step(op, CYOPS_STEP_nesterov if nesterov else CYOPS_STEP_momentum, ("parameter", "gradient", "velocity"),
             (tensors_of(op, "parameter", parameter), tensors_of(op, "gradient", gradient),
              tensors_of(op, "velocity", velocity)), scalars, parameter_factor, gradient_factor)


def rmsprop_step(parameter, gradient, mean_square, double learning_rate, double rho, double epsilon, *,
                 double momentum=0, velocity=None, mean=None, parameter_factor=None, gradient_factor=None):
    """s = rho * s + (1 - rho) * g^2, then w -= learning_rate * g / sqrt(s + epsilon).

    With `mean`, the centred form, m = rho * m + (1 - rho) * g is kept there and s - m^2 takes the place of s under the
    root. With `velocity`, the steps are added up in it, v = momentum * v + step, and w -= v. mean_square, mean and
    velocity are written too. Arguments and errors as in `sgd_step`. Source: Hinton, "Neural networks for machine
    learning", lecture 6 (2012).

    >>> import cyops
    >>> w, s = cyops.Strided([1.]), cyops.Strided([0.])
    >>> cyops.rmsprop_step(w, cyops.Strided([2.]), s, 0.5, 0.75, 0.0)
    >>> w.tolist(), s.tolist()
    ([0.0], [1.0])
    """
    cdef str op = "rmsprop_step"
    cdef double[5] scalars = [learning_rate, rho, 1 - rho, epsilon, momentum]
    cdef tuple names = ("parameter", "gradient", "mean_square")
    cdef tuple lists = (tensors_of(op, "parameter", parameter), tensors_of(op, "gradient", gradient),
                        tensors_of(op, "mean_square", mean_square))
    cdef int step = CYOPS_STEP_rmsprop
    if mean is not None:
        names += ("mean",)
        lists += (tensors_of(op, "mean", mean),)
        step = CYOPS_STEP_rmsprop_centered
    if velocity is not None:
        names += ("velocity",)
        lists += (tensors_of(op, "velocity", velocity),)
        step = CYOPS_STEP_rmsprop_centered_momentum if mean is not None else CYOPS_STEP_rmsprop_momentum
    elif momentum != 0:
        raise ValueError("rmsprop_step: a momentum needs a velocity to keep the steps in")
    run_step(op, step, names, lists, scalars, parameter_factor, gradient_factor)


def adam_step(parameter, gradient, m, v, double learning_rate, double beta_1, double beta_2, double epsilon, step, *,
              parameter_factor=None, gradient_factor=None):
    """m += (g - m) * (1 - beta_1), v += (g^2 - v) * (1 - beta_2), then w -= a * m / (sqrt(v) + epsilon).

    a = learning_rate * sqrt(1 - beta_2^step) / (1 - beta_1^step), with step = 1, 2, ..., makes good for m and v that
    began as zeros. m and v are written too. Arguments and errors as in `sgd_step`; ValueError for a step below 1.
    Source: Kingma, Ba, "Adam: a method for stochastic optimization" (2014).

    >>> import cyops
    >>> w, m, v = cyops.Strided([1.]), cyops.Strided([0.]), cyops.Strided([0.])
    >>> cyops.adam_step(w, cyops.Strided([2.]), m, v, 0.5, 0.5, 0.75, 0.0, 1)
    >>> w.tolist(), m.tolist(), v.tolist()
    ([0.5], [1.0], [1.0])
    """
    cdef str op = "adam_step"
    cdef double t = step
    if t < 1:
        raise ValueError(f"adam_step: steps count from 1; got step {step}")
    cdef double rate = learning_rate * sqrt(1 - pow(beta_2, t)) / (1 - pow(beta_1, t))
    cdef double[4] scalars = [rate, 1 - beta_1, 1 - beta_2, epsilon]
    run_step(op, CYOPS_STEP_adam, ("parameter", "gradient", "m", "v"),
             (tensors_of(op, "parameter", parameter), tensors_of(op, "gradient", gradient), tensors_of(op, "m", m),
              tensors_of(op, "v", v)), scalars, parameter_factor, gradient_factor)


# Every row of the table: its number, how many slots it has, and the names of its scalars.
STEPS = MappingProxyType({
    step_names[i].decode(): (i, step_slots[i], tuple(step_scalars[i].decode().strip("()").split(", ")))
    for i in range(CYOPS_STEP_COUNT)
})


def step(name, parameter, gradient, *slots, parameter_factor=None, gradient_factor=None, **scalars):
    """One step by the row `name` of the table in csrc/update/ops.h, in place.

    name: a key of `STEPS`. slots: what the row keeps beside each parameter, in its order, each one tensor or a
    sequence. scalars: those that the row names, all of them. Factors and errors otherwise as in `sgd_step`; ValueError
    for an unknown row and for slots or scalars that are not the row's.

    >>> import cyops
    >>> w, a = cyops.Strided([1.]), cyops.Strided([0.])
    >>> cyops.update.step("adagrad", w, cyops.Strided([2.]), a, learning_rate=0.5, epsilon=0.0)
    >>> w.tolist(), a.tolist()
    ([0.5], [4.0])
    """
    cdef double[6] values
    if name not in STEPS:
        raise ValueError(f"step: unknown name {name!r}; known are {', '.join(STEPS)}")
    number, count, names = STEPS[name]
    if len(slots) != count or scalars.keys() != set(names):
        raise ValueError(f"step: {name} takes {count} slots and the scalars {', '.join(names)}; "
                         f"got {len(slots)} slots and {', '.join(scalars) or 'no scalars'}")
    for i, scalar in enumerate(names):
        values[i] = scalars[scalar]
    labels = ("parameter", "gradient", *(f"slot {i}" for i in range(count)))
    lists = (parameter, gradient, *slots)
    run_step(name, number, labels, tuple([tensors_of(name, labels[i], lists[i]) for i in range(count + 2)]), values,
             parameter_factor, gradient_factor)


FUNCTIONS = (sgd_step, momentum_step, rmsprop_step, adam_step)
