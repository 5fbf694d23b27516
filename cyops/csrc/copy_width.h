/* Copies items of one width between any two stridings: a template, included by copy_loops.h.
 *
 * Expects WIDTH (1, 2, 4 or 8), ITEM (the unsigned type of that width), TILE and, where a kernel transposes a TILE x
 * TILE square in registers, TRANSPOSE_TILE. Undefines them. The cases: rows that lie in memory as runs, one item
 * repeated, runs walked backwards, transposed, anything else.
 */
#define OF_WIDTH(name) ISA_NAME(CYOPS_JOIN(name, WIDTH))

/* A strip as wide as this is transposed at a time: its destination lines stay in the first cache meanwhile. */
#define STRIP 64

CYOPS_INLINE void OF_WIDTH(copy_strided)(ITEM *to, const ITEM *from, ptrdiff_t to_step, ptrdiff_t from_step,
                                         ptrdiff_t n) {
    VECTORISE for (ptrdiff_t i = 0; i < n; i++) to[i * to_step] = from[i * from_step];
}

static void OF_WIDTH(copy_rows)(ITEM *to, const ITEM *from, const ptrdiff_t *to_strides, const ptrdiff_t *from_strides,
                                ptrdiff_t n_inner, ptrdiff_t n_outer) {
    for (ptrdiff_t row = 0; row < n_outer; row++, to += to_strides[1], from += from_strides[1]) {
        if (to_strides[0] == 1 && from_strides[0] == 1)
            memcpy(to, from, n_inner * sizeof *to);
        else if (to_strides[0] == 1 && from_strides[0] == 0) {
            const ITEM item = *from;
            for (ptrdiff_t i = 0; i < n_inner; i++) to[i] = item;
        } else if (to_strides[0] == 1 && from_strides[0] == -1)
            OF_WIDTH(copy_strided)(to, from, 1, -1, n_inner);
        else if (to_strides[0] == 1 && from_strides[0] == 2)
            OF_WIDTH(copy_strided)(to, from, 1, 2, n_inner);
        else
            OF_WIDTH(copy_strided)(to, from, to_strides[0], from_strides[0], n_inner);
    }
}

/* Any rectangle of to[r * to_row + c] = from[c * from_row + r]. */
CYOPS_INLINE void OF_WIDTH(transpose_plain)(ITEM *to, ptrdiff_t to_row, const ITEM *from, ptrdiff_t from_row,
                                            ptrdiff_t rows, ptrdiff_t columns) {
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t c = 0; c < columns; c++) to[r * to_row + c] = from[c * from_row + r];
}

#ifndef TRANSPOSE_TILE
#define TRANSPOSE_TILE(to, to_row, from, from_row) OF_WIDTH(transpose_plain)(to, to_row, from, from_row, TILE, TILE)
#endif

static void OF_WIDTH(transpose)(ITEM *to, ptrdiff_t to_row, const ITEM *from, ptrdiff_t from_row, ptrdiff_t columns,
                                ptrdiff_t rows) {
    const ptrdiff_t whole_rows = rows / TILE * TILE, whole_columns = columns / TILE * TILE;
    for (ptrdiff_t strip = 0; strip < whole_columns; strip += STRIP) {
        const ptrdiff_t end = strip + STRIP < whole_columns ? strip + STRIP : whole_columns;
        for (ptrdiff_t r = 0; r < whole_rows; r += TILE)
            for (ptrdiff_t c = strip; c < end; c += TILE)
                TRANSPOSE_TILE(to + r * to_row + c, to_row, from + c * from_row + r, from_row);
    }
    const ITEM *right = from + whole_columns * from_row, *below = from + whole_rows;
    OF_WIDTH(transpose_plain)(to + whole_columns, to_row, right, from_row, whole_rows, columns - whole_columns);
    OF_WIDTH(transpose_plain)(to + whole_rows * to_row, to_row, below, from_row, rows - whole_rows, columns);
}

static void OF_WIDTH(copy)(char *to, const char *from, const ptrdiff_t *to_strides, const ptrdiff_t *from_strides,
                           ptrdiff_t n_inner, ptrdiff_t n_outer) {
    ITEM *target = (ITEM *)to;
    const ITEM *source = (const ITEM *)from;
    if (n_outer > 1 && to_strides[0] == 1 && from_strides[0] != 1 && from_strides[1] == 1)
        OF_WIDTH(transpose)(target, to_strides[1], source, from_strides[0], n_inner, n_outer);
    else if (n_outer > 1 && to_strides[1] == 1 && from_strides[0] == 1 && to_strides[0] != 1)
        OF_WIDTH(transpose)(target, to_strides[0], source, from_strides[1], n_outer, n_inner);
    else
        OF_WIDTH(copy_rows)(target, source, to_strides, from_strides, n_inner, n_outer);
}

#undef OF_WIDTH
#undef STRIP
#undef WIDTH
#undef ITEM
#undef TILE
#undef TRANSPOSE_TILE
