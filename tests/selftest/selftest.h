/* The self-test of the kernels: each against plain loops in double precision, for every instruction set of this CPU.
 *
 * It needs neither Python nor a library, so that it cross-compiles: `make selftest`. main.c runs the parts.
 */
#ifndef SELFTEST_H
#define SELFTEST_H

#include "base/api.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 4096 /* elements of a tensor here */

extern long checks, failures;
extern const char *isa;

/* The next of a fixed sequence of numbers in [-1, 1). */
double next_number(void);

double value_at(const cyops_view *v, ptrdiff_t offset);
void set_value(const cyops_view *v, ptrdiff_t offset, double value);

/* A view on `data` of dtype and shape; `layout` 0 is C order, 1 the axes the other way round in memory, 2 every second
 * element, 3 backward. */
cyops_view view_of(void *data, int dtype, int ndim, const ptrdiff_t *shape, int layout);

/* The offset of the i-th element in C order. */
ptrdiff_t offset_of(const cyops_view *v, ptrdiff_t i);

/* Fills a view with next_number() * scale + shift; for integers rounded. */
void fill(const cyops_view *v, double scale, double shift);

/* Counts a check, and says where it fails: |got - wanted| within tolerance times (1 + |wanted|), or both NaN. */
void expect(double got, double wanted, double tolerance, const char *what, ptrdiff_t where);
void expect_status(int status, const char *what);

static inline double tolerance_of(int dtype) {
    return dtype == CYOPS_FLOAT64 ? 1e-13 : cyops_is_floating(dtype) ? 2e-5 : 0;
}

void test_elementwise(void);
void test_casts(void);
void test_products(void);
void test_reductions(void);
void test_rows(void);
void test_gathering(void);
void test_windows(void);
void test_normalization(void);
void test_steps(void);

#endif
