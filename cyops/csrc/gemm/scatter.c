/* Results whose rows or columns no stride leads along: tiles are computed in scratch on the stack, and their runs of
 * columns copied to where they belong. Where a panel's rows are apart but some columns are one run, they are written in
 * place.
 */
#include "gemm/problem.h"

typedef struct {
    const gemm_problem *p;
    ptrdiff_t rows, offsets[CYOPS_GEMM_MAX_MR]; /* of the panel's rows */
    ptrdiff_t stride;                           /* from row to row, where is_regular */
    int is_regular;
    ptrdiff_t run; /* how many columns lie side by side: all, or so many again and again */
} gemm_places;

static gemm_places find_places(const gemm_problem *p, ptrdiff_t row, ptrdiff_t rows) {
    gemm_places places = {.p = p, .rows = rows, .is_regular = 1, .run = p->n};
    if (p->rows_c != NULL) {
        cyops_gemm_offsets(p->rows_c, row, rows, places.offsets);
    } else {
        ptrdiff_t item = row / p->m, offset = gemm_offset(p->ndim, p->shape, p->strides_c, item);
        for (ptrdiff_t i = 0; i < rows; i++) places.offsets[i] = offset + (row % p->m + i) * p->rs_c;
    }
    places.stride = rows > 1 ? places.offsets[1] - places.offsets[0] : 0;
    for (ptrdiff_t i = 2; i < rows; i++)
        places.is_regular &= places.offsets[i] - places.offsets[i - 1] == places.stride;
    const gemm_walk *columns = p->columns_c;
    if (columns != NULL) places.run = columns->ndim > 0 && columns->strides[0] != 1 ? 1 : columns->shape[0];
    return places;
}

static ptrdiff_t column_offset(const gemm_problem *p, ptrdiff_t column) {
    if (p->columns_c == NULL) return column;
    gemm_cursor cursor;
    gemm_cursor_to(p->columns_c, &cursor, column);
    return cursor.offset;
}

#define COPY_TILE(T, to, from) \
    for (ptrdiff_t j = 0; j < width; j++) ((T *)(to))[j * step_to] = ((const T *)(from))[j * step_from];

/* Between the columns of a tile (rows, nr) and where they belong. */
static void copy_tile(const gemm_places *places, ptrdiff_t column, ptrdiff_t columns, char *tile, int to_tile) {
    const gemm_problem *p = places->p;
    const gemm_walk *walk = p->columns_c;
    ptrdiff_t nr = p->type->nr, itemsize = p->type->itemsize;
    gemm_cursor cursor = {.offset = column};
    if (walk != NULL) gemm_cursor_to(walk, &cursor, column);
    for (ptrdiff_t j = 0, width; j < columns; j += width) {
        width = walk == NULL ? columns - j : gemm_least(columns - j, gemm_cursor_run(walk, &cursor));
        ptrdiff_t stride = walk == NULL || walk->ndim == 0 ? 1 : walk->strides[0];
        for (ptrdiff_t i = 0; i < places->rows; i++) {
            char *c = p->c + (places->offsets[i] + cursor.offset) * itemsize;
            char *t = tile + (i * nr + j) * itemsize, *to = to_tile ? t : c, *from = to_tile ? c : t;
            ptrdiff_t step_to = to_tile ? 1 : stride, step_from = to_tile ? stride : 1;
            if (itemsize == sizeof(float)) {
                COPY_TILE(float, to, from)
            } else {
                COPY_TILE(double, to, from)
            }
        }
        if (walk != NULL) gemm_cursor_on(walk, &cursor, width);
    }
}

/* The columns from `column` on that a panel kernel may write in place: a run of whole column panels, or one that ends
 * with the last column; 0 where there are none. */
static ptrdiff_t columns_in_place(const gemm_places *places, ptrdiff_t column, ptrdiff_t columns) {
    if (!places->is_regular) return 0;
    ptrdiff_t left = gemm_least(columns, places->run - column % places->run), nr = places->p->type->nr;
    return left == columns ? columns : left / nr * nr;
}

void cyops_gemm_scatter_panel(const gemm_problem *p, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column,
                              const cyops_gemm_panel *panel) {
    _Alignas(64) char tile[CYOPS_GEMM_MAX_MR * CYOPS_GEMM_MAX_NR * sizeof(double)];
    const gemm_places places = find_places(p, row, rows);
    ptrdiff_t itemsize = p->type->itemsize, nr = p->type->nr, width;
    for (ptrdiff_t j = 0; j < panel->n; j += width) {
        cyops_gemm_panel some = *panel;
        width = columns_in_place(&places, column + j, panel->n - j);
        int is_in_place = width > 0;
        if (!is_in_place) width = gemm_least(nr, panel->n - j);
        some.n = width;
        some.b = (const char *)panel->b + j / nr * panel->ps_b;
        if (some.bias != NULL) some.bias = (const char *)panel->bias + j * itemsize;
        if (is_in_place) {
            some.c = p->c + (places.offsets[0] + column_offset(p, column + j)) * itemsize;
            some.rs_c = places.stride * itemsize;
            p->type->panel[rows](&some);
            continue;
        }
        some.c = tile;
        some.rs_c = nr * itemsize;
        if (some.flags & CYOPS_GEMM_ADD) copy_tile(&places, column + j, width, tile, 1);
        p->type->panel[rows](&some);
        copy_tile(&places, column + j, width, tile, 0);
    }
}
