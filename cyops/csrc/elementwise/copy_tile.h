/* A square of 4- or 8-byte items transposed in registers: a template, included by copy_width.h where the items of a
 * width are as wide as T and there are HAS_STREAMS.
 */

/* to[r * to_row + c] = from[c * from_row + r] for r and c below LANES; row steps in items. `streams` is a constant
 * where this is called; streaming stores need targets aligned to a vector. */
CYOPS_INLINE void OF_WIDTH(transpose_tile)(ITEM *to, ptrdiff_t to_row, const ITEM *from, ptrdiff_t from_row,
                                           int streams) {
    const T *rows[LANES];
    for (int r = 0; r < LANES; r++) rows[r] = (const T *)(from + r * from_row);
    for (int k = 0; k < LANES; k += PIECE) {
        VEC columns[PIECE];
        V(transpose_pieces)(rows, k, columns);
        for (int c = 0; c < PIECE; c++) {
            T *target = (T *)(to + (k + c) * to_row);
            if (streams)
                V(stream)(target, columns[c]);
            else
                V(store)(target, columns[c]);
        }
    }
}
