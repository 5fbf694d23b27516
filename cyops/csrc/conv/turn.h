/* Matrices turned around, LANES by PIECE elements at a time: how images whose channels lie apart become such whose
 * channels lie side by side, and back. Template: see simd/vector.h; kernels.h has the contract.
 */
CYOPS_INLINE void CONV_NAME(turn_piece)(const cyops_conv_turn *turn, const T *const *from, ptrdiff_t row, T *to,
                                        MASK mask) {
    VEC columns[PIECE];
    ptrdiff_t line = row / turn->run, at = row % turn->run;
    V(transpose_pieces)(from, row, columns);
    for (int q = 0; q < PIECE; q++) {
        V(store_masked)(to + line * turn->to_run + at * turn->to_row, mask, columns[q]);
        if (++at == turn->run) at = 0, line++;
    }
}

static void CONV_NAME(turn)(const cyops_conv_turn *turn) {
    for (ptrdiff_t c = 0; c < turn->columns; c += LANES) {
        const ptrdiff_t left = turn->columns - c, n = left < LANES ? left : LANES;
        const T *from[LANES];
        T *to = (T *)turn->to + c;
        for (ptrdiff_t i = 0; i < LANES; i++)
            from[i] = (const T *)turn->from + (c + (i < n ? i : n - 1)) * turn->from_column;
        if (turn->rows >= PIECE) {
            ptrdiff_t row = 0;
            for (; row + PIECE <= turn->rows; row += PIECE) CONV_NAME(turn_piece)(turn, from, row, to, V(mask_of)(n));
            if (row < turn->rows) CONV_NAME(turn_piece)(turn, from, turn->rows - PIECE, to, V(mask_of)(n));
        } else {
            for (ptrdiff_t row = 0; row < turn->rows; row++)
                for (ptrdiff_t i = 0; i < n; i++)
                    to[row / turn->run * turn->to_run + row % turn->run * turn->to_row + i] = from[i][row];
        }
    }
}
