"""Tensor operations as somebody writes them in their first week of Python: plain loops, one element at a time.

Each comes twice, for nested lists of floats and for NumPy arrays. Nothing here is slow on purpose; where one operation
is made of another (matrix-vector of dot, matrix-matrix of dot), it calls it, as a beginner would. No part of cytensor
uses these: they are what test_naive.py measures the kernels against.
"""

import numpy as np

# On nested lists: a matrix is a list of rows.


def relu_lists(x):
    """(m, n) -> (m, n): the larger of each element and zero."""
    result = []
    for row in x:
        new_row = []
        for value in row:
            new_row.append(max(value, 0.0))
        result.append(new_row)
    return result


def add_lists(a, b):
    """(m, n), (m, n) -> (m, n): sum of the elements in the same place."""
    result = []
    for i in range(len(a)):
        new_row = []
        for j in range(len(a[i])):
            new_row.append(a[i][j] + b[i][j])
        result.append(new_row)
    return result


def add_vector_lists(a, v):
    """(m, n), (n,) -> (m, n): the vector added to every row."""
    result = []
    for row in a:
        new_row = []
        for j in range(len(v)):
            new_row.append(row[j] + v[j])
        result.append(new_row)
    return result


def dot_lists(u, v):
    """(n,), (n,) -> number: sum of the products."""
    total = 0.0
    for i in range(len(u)):
        total += u[i] * v[i]
    return total


def matrix_vector_lists(a, v):
    """(m, n), (n,) -> (m,): the dot product of every row with the vector."""
    result = []
    for row in a:
        result.append(dot_lists(row, v))
    return result


def matmul_lists(a, b):
    """(m, k), (k, n) -> (m, n): the dot product of every row of a with every column of b."""
    columns = []
    for j in range(len(b[0])):
        columns.append([row[j] for row in b])
    result = []
    for row in a:
        new_row = []
        for column in columns:
            new_row.append(dot_lists(row, column))
        result.append(new_row)
    return result


# On NumPy arrays: the same loops, with indices.


def relu_arrays(x):
    """(m, n) -> (m, n): the larger of each element and zero."""
    result = np.empty_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            result[i, j] = max(x[i, j], 0.0)
    return result


def add_arrays(a, b):
    """(m, n), (m, n) -> (m, n): sum of the elements in the same place."""
    result = np.empty_like(a)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            result[i, j] = a[i, j] + b[i, j]
    return result


def add_vector_arrays(a, v):
    """(m, n), (n,) -> (m, n): the vector added to every row."""
    result = np.empty_like(a)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            result[i, j] = a[i, j] + v[j]
    return result


def dot_arrays(u, v):
    """(n,), (n,) -> number: sum of the products."""
    total = 0.0
    for i in range(u.shape[0]):
        total += u[i] * v[i]
    return total


def matrix_vector_arrays(a, v):
    """(m, n), (n,) -> (m,): the dot product of every row with the vector."""
    result = np.empty(a.shape[0], a.dtype)
    for i in range(a.shape[0]):
        result[i] = dot_arrays(a[i, :], v)
    return result


def matmul_arrays(a, b):
    """(m, k), (k, n) -> (m, n): the dot product of every row of a with every column of b."""
    result = np.empty((a.shape[0], b.shape[1]), a.dtype)
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            result[i, j] = dot_arrays(a[i, :], b[:, j])
    return result
