/* Copies items of one width between any two stridings: a template, included by copy_loops.h.
 *
 * Expects WIDTH (1, 2, 4, 8 or 16), ITEM (a type of that width) and, for 4 and 8, T and SUFFIX of the vectors of
 * such items. The cases: rows that lie in memory as runs, one
 * item repeated, runs walked backwards, transposed, anything else.
 */
#define OF_WIDTH(name) ISA_NAME(CYOPS_JOIN(name, WIDTH))

/* Items a side of a square that is transposed at once. */
#if HAS_STREAMS && (WIDTH == 4 || WIDTH == 8)
#define TILE (VECTOR_BYTES / WIDTH)
#include "elementwise/copy_tile.h"
#else
#define TILE 8
#endif

/* A strip as wide as this is transposed at a time: its target lines stay in the first cache meanwhile. */
#define WIDEST_STRIP 64

CYOPS_INLINE void OF_WIDTH(copy_strided)(ITEM *to, const ITEM *from, ptrdiff_t to_step, ptrdiff_t from_step,
                                         ptrdiff_t n) {
    VECTORISE for (ptrdiff_t i = 0; i < n; i++) to[i * to_step] = from[i * from_step];
}

CYOPS_INLINE void OF_WIDTH(fill)(ITEM *to, ITEM item, ptrdiff_t n, int streams) {
#if HAS_STREAMS
    if (streams && n * WIDTH >= 2 * VECTOR_BYTES) {
        ITEM pattern[VECTOR_BYTES / WIDTH];
        for (int i = 0; i < VECTOR_BYTES / WIDTH; i++) pattern[i] = item;
        ISA_NAME(fill_run)((char *)to, (const char *)pattern, n * WIDTH);
        return;
    }
#endif
    (void)streams;
    for (ptrdiff_t i = 0; i < n; i++) to[i] = item;
}

CYOPS_INLINE void OF_WIDTH(copy_rows)(ITEM *to, const ITEM *from, const ptrdiff_t *to_strides,
                                      const ptrdiff_t *from_strides, ptrdiff_t n_inner, ptrdiff_t n_outer,
                                      int streams) {
    const ptrdiff_t to_step = to_strides[0], from_step = from_strides[0];
    for (ptrdiff_t row = 0; row < n_outer; row++, to += to_strides[1], from += from_strides[1]) {
        if (to_step == 1 && from_step == 1)
            ISA_NAME(copy_run)((char *)to, (const char *)from, n_inner * WIDTH, streams);
        else if (to_step == 1 && from_step == 0)
            OF_WIDTH(fill)(to, *from, n_inner, streams);
        else if (to_step == 1 && from_step == -1)
            OF_WIDTH(copy_strided)(to, from, 1, -1, n_inner);
        else if (to_step == 1 && from_step == 2)
            OF_WIDTH(copy_strided)(to, from, 1, 2, n_inner);
        else
            OF_WIDTH(copy_strided)(to, from, to_step, from_step, n_inner);
    }
}

/* Any rectangle of to[r * to_row + c] = from[c * from_row + r]. */
CYOPS_INLINE void OF_WIDTH(transpose_plain)(ITEM *to, ptrdiff_t to_row, const ITEM *from, ptrdiff_t from_row,
                                            ptrdiff_t rows, ptrdiff_t columns) {
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t c = 0; c < columns; c++) to[r * to_row + c] = from[c * from_row + r];
}

CYOPS_INLINE void OF_WIDTH(transpose_square)(ITEM *to, ptrdiff_t to_row, const ITEM *from, ptrdiff_t from_row,
                                             int streams) {
#if HAS_STREAMS && (WIDTH == 4 || WIDTH == 8)
    OF_WIDTH(transpose_tile)(to, to_row, from, from_row, streams);
#else
    (void)streams;
    OF_WIDTH(transpose_plain)(to, to_row, from, from_row, TILE, TILE);
#endif
}

CYOPS_INLINE void OF_WIDTH(transpose)(ITEM *to, ptrdiff_t to_row, const ITEM *from, ptrdiff_t from_row,
                                      ptrdiff_t columns, ptrdiff_t rows, int streams) {
    if (streams) {
        /* The columns before the first aligned one. */
        const ptrdiff_t head = (ptrdiff_t)(-(uintptr_t)to & (STREAM_BYTES - 1)) / WIDTH;
        const ptrdiff_t plain = head < columns ? head : columns;
        OF_WIDTH(transpose_plain)(to, to_row, from, from_row, rows, plain);
        to += plain, from += plain * from_row, columns -= plain;
    }
    const ptrdiff_t whole_rows = rows / TILE * TILE, whole_columns = columns / TILE * TILE;
    for (ptrdiff_t strip = 0; strip < whole_columns; strip += WIDEST_STRIP) {
        const ptrdiff_t end = strip + WIDEST_STRIP < whole_columns ? strip + WIDEST_STRIP : whole_columns;
        for (ptrdiff_t r = 0; r < whole_rows; r += TILE)
            for (ptrdiff_t c = strip; c < end; c += TILE)
                OF_WIDTH(transpose_square)(to + r * to_row + c, to_row, from + c * from_row + r, from_row, streams);
    }
    const ITEM *right = from + whole_columns * from_row, *below = from + whole_rows;
    OF_WIDTH(transpose_plain)(to + whole_columns, to_row, right, from_row, whole_rows, columns - whole_columns);
    OF_WIDTH(transpose_plain)(to + whole_rows * to_row, to_row, below, from_row, rows - whole_rows, columns);
}

CYOPS_INLINE void OF_WIDTH(copy_any)(char *to, const char *from, const ptrdiff_t *to_strides,
                                     const ptrdiff_t *from_strides, ptrdiff_t n_inner, ptrdiff_t n_outer, int streams) {
    ITEM *target = (ITEM *)to;
    const ITEM *source = (const ITEM *)from;
    if (n_outer > 1 && to_strides[0] == 1 && from_strides[0] != 1 && from_strides[1] == 1)
        OF_WIDTH(transpose)(target, to_strides[1], source, from_strides[0], n_inner, n_outer, streams);
    else if (n_outer > 1 && to_strides[1] == 1 && from_strides[0] == 1 && to_strides[0] != 1)
        OF_WIDTH(transpose)(target, to_strides[0], source, from_strides[1], n_outer, n_inner, streams);
    else
        OF_WIDTH(copy_rows)(target, source, to_strides, from_strides, n_inner, n_outer, streams);
}

static void OF_WIDTH(copy)(char *to, const char *from, const ptrdiff_t *to_strides, const ptrdiff_t *from_strides,
                           ptrdiff_t n_inner, ptrdiff_t n_outer) {
    OF_WIDTH(copy_any)(to, from, to_strides, from_strides, n_inner, n_outer, 0);
}

/* A transposed target whose rows are not all aligned alike, as streaming stores want them: pieces of it are made in
 * scratch that stays in the first cache, and their rows streamed from there. */
CYOPS_INLINE void OF_WIDTH(transpose_by_scratch)(ITEM *to, ptrdiff_t to_row, const ITEM *from, ptrdiff_t from_row,
                                                 ptrdiff_t columns, ptrdiff_t rows) {
    enum { HEIGHT = 16, LENGTH = 1024 / WIDTH };
    _Alignas(64) ITEM scratch[HEIGHT * LENGTH];
    for (ptrdiff_t c = 0; c < columns; c += LENGTH)
        for (ptrdiff_t r = 0; r < rows; r += HEIGHT) {
            const ptrdiff_t length = columns - c < LENGTH ? columns - c : LENGTH;
            const ptrdiff_t height = rows - r < HEIGHT ? rows - r : HEIGHT;
            OF_WIDTH(transpose)(scratch, LENGTH, from + c * from_row + r, from_row, length, height, 0);
            for (ptrdiff_t k = 0; k < height; k++)
                ISA_NAME(copy_run)((char *)(to + (r + k) * to_row + c), (const char *)(scratch + k * LENGTH),
                                   length * WIDTH, 1);
        }
}

static void OF_WIDTH(stream)(char *to, const char *from, const ptrdiff_t *to_strides, const ptrdiff_t *from_strides,
                             ptrdiff_t n_inner, ptrdiff_t n_outer) {
    const int is_aligned = (to_strides[1] * WIDTH & (STREAM_BYTES - 1)) == 0;
    const int is_transposed = from_strides[0] != 1 && from_strides[1] == 1;
    if (to_strides[0] != 1)
        OF_WIDTH(copy_any)(to, from, to_strides, from_strides, n_inner, n_outer, 0);
    else if (is_transposed && !is_aligned)
        OF_WIDTH(transpose_by_scratch)((ITEM *)to, to_strides[1], (const ITEM *)from, from_strides[0], n_inner,
                                       n_outer);
    else
        OF_WIDTH(copy_any)(to, from, to_strides, from_strides, n_inner, n_outer, 1);
}

#undef TILE
