/* The row kernels of one dtype. A template: no include guard.
 *
 * Expects T, SUFFIX (f32 or f64), EXP(x) and LOG(x). A kernel goes over its rows three times:
 * for the largest element, for the exponentials and their sum, for the result. Rows that fit into ROOM are taken GROUP
 * at a time, so that one row's steps fill the waits of the others, and keep their exponentials there: a vector stored
 * whole can be read back at once, one stored in part cannot. Longer rows keep them in the output. An element goes into
 * the same lane in both ways, so a row has the same bits in any batch and for any strides.
 *
 * Rows that exceed the second cache are no exception: docs/kernels.md, Vectors. What a long row adds up is the sum of its
 * blocks of ROOM in a binary tree, so that the error grows with the logarithm of its length.
 */
#define ROW_NAME(name) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(row, name), SUFFIX))

/* The formulas are scalar; over an array of the vector's lanes the compiler makes one vector of them, and the array
 * never reaches memory. Unrolled before that, they would stay scalar. */
#define OF_LANES(name, formula)                                       \
    CYOPS_INLINE VEC ROW_NAME(name)(VEC x) {                          \
        T lanes[LANES];                                               \
        V(store)(lanes, x);                                           \
        CYOPS_PRAGMA(GCC unroll 1)                                    \
        for (int l = 0; l < LANES; l++) lanes[l] = formula(lanes[l]); \
        return V(load)(lanes);                                        \
    }
OF_LANES(exp, EXP)
OF_LANES(log, LOG)

#define GROUP 4
#define ROOM 512     /* classes; a group's exponentials are 8 KB of float32 in the first cache */
#define ROW_NUMBERS 16  /* numbers: one for each row of a group, and enough of them for whole vectors */

/* Some rows of one tensor. */
typedef struct {
    T *data;
    ptrdiff_t stride;
} ROW_NAME(part);

CYOPS_INLINE ROW_NAME(part) ROW_NAME(part_of)(const cyops_row_tile *t, int tensor, ptrdiff_t row) {
    T *data = (T *)t->data[tensor];
    return (ROW_NAME(part)){data == NULL ? NULL : data + row * t->strides[tensor], t->strides[tensor]};
}

/* The statements for every vector of n rows; c is its first class. READ and WRITE leave out what is beyond the row. */
#define EACH_STEP(...)                                     \
    {                                                      \
        ptrdiff_t c = 0, left = classes;                   \
        for (; left >= LANES; c += LANES, left -= LANES) { \
            enum { IS_WHOLE = 1 };                         \
            for (int r = 0; r < n; r++) {                  \
                __VA_ARGS__                                \
            }                                              \
        }                                                  \
        if (left > 0) {                                    \
            enum { IS_WHOLE = 0 };                         \
            for (int r = 0; r < n; r++) {                  \
                __VA_ARGS__                                \
            }                                              \
        }                                                  \
    }
#define PLACE(part) ((part).data + r * (part).stride + c)
#define READ(part, filler) (IS_WHOLE ? V(load)(PLACE(part)) : V(load_or)(PLACE(part), V(mask_of)(left), filler))
#define WRITE(part, v)                                         \
    do {                                                       \
        if (IS_WHOLE)                                          \
            V(store)(PLACE(part), v);                          \
        else                                                   \
            V(store_masked)(PLACE(part), V(mask_of)(left), v); \
    } while (0)
#define COUNTED(v) (IS_WHOLE ? (v) : V(keep)(V(mask_of)(left), v))

/* -- sums of long rows --------------------------------------------------------------------------------------------- */

/* Complete subtrees, each larger than the next, wait for their equals. */
typedef struct {
    T subtrees[64];
    int depth;
    ptrdiff_t blocks;
} ROW_NAME(tree);

CYOPS_INLINE void ROW_NAME(add_block)(ROW_NAME(tree) * tree, T sum) {
    tree->subtrees[tree->depth++] = sum;
    for (ptrdiff_t pairs = ++tree->blocks; (pairs & 1) == 0; pairs >>= 1, tree->depth--)
        tree->subtrees[tree->depth - 2] += tree->subtrees[tree->depth - 1];
}

CYOPS_INLINE T ROW_NAME(sum_of_tree)(ROW_NAME(tree) * tree) {
    for (; tree->depth > 1; tree->depth--) tree->subtrees[tree->depth - 2] += tree->subtrees[tree->depth - 1];
    return tree->depth == 0 ? 0 : tree->subtrees[0];
}

CYOPS_INLINE ROW_NAME(part) ROW_NAME(part_from)(ROW_NAME(part) whole, ptrdiff_t first) {
    return (ROW_NAME(part)){whole.data == NULL ? NULL : whole.data + first, whole.stride};
}

/* sum = what PASS(first, length, sum) gives for all classes of n short rows, or for each block of a long one. */
#define SUM_IN_BLOCKS(n, classes, sum, PASS)                                            \
    if ((n) > 1 || (classes) <= ROOM) {                                                 \
        PASS(0, classes, sum);                                                          \
    } else {                                                                            \
        ROW_NAME(tree) tree = {.depth = 0};                                             \
        T of_block[ROW_NUMBERS];                                                        \
        for (ptrdiff_t first = 0; first < (classes); first += ROOM) {                   \
            PASS(first, (classes) - first < ROOM ? (classes) - first : ROOM, of_block); \
            ROW_NAME(add_block)(&tree, of_block[0]);                                    \
        }                                                                               \
        (sum)[0] = ROW_NAME(sum_of_tree)(&tree);                                        \
    }

/* -- passes over n rows, a constant -------------------------------------------------------------------------------- */

/* The largest element; a NaN may be passed over, it comes back through the exponential. */
CYOPS_INLINE void ROW_NAME(tops)(ROW_NAME(part) x, ptrdiff_t classes, const int n, T *top) {
    const VEC lowest = V(set1)(-(T)INFINITY);
    VEC tops[GROUP];
    for (int r = 0; r < n; r++) tops[r] = lowest;
    EACH_STEP(tops[r] = V(larger)(tops[r], READ(x, lowest));)
    for (int r = 0; r < n; r++) top[r] = V(top)(tops[r]);
}

/* Of one long row, whose quarters are taken side by side. */
CYOPS_INLINE T ROW_NAME(top_of_long)(const T *x, ptrdiff_t classes) {
    const ptrdiff_t quarter = classes / GROUP;
    T tops[GROUP + 1];
    ROW_NAME(tops)((ROW_NAME(part)){(T *)x, quarter}, quarter, GROUP, tops);
    ROW_NAME(tops)((ROW_NAME(part)){(T *)x + GROUP * quarter, 0}, classes - GROUP * quarter, 1, tops + GROUP);
    for (int r = 0; r < GROUP; r++) tops[GROUP] = tops[r] > tops[GROUP] ? tops[r] : tops[GROUP];
    return tops[GROUP];
}

/* powers = exp(x - top), unless its data is NULL; sum = their sums. The padding of a row is `top`: the exponential of
 * -infinity would go through the denormals, each of which costs the CPU as much as a whole step. */
CYOPS_INLINE void ROW_NAME(exponentials_of_block)(ROW_NAME(part) powers, ROW_NAME(part) x, ptrdiff_t classes,
                                                  const int n, const int fits, const T *top, T *sum) {
    VEC tops[GROUP], sums[GROUP];
    for (int r = 0; r < n; r++) tops[r] = V(set1)(top[r]);
    for (int r = 0; r < n; r++) sums[r] = V(set1)(0);
    /* clang-format off */
    EACH_STEP(const VEC step = ROW_NAME(exp)(READ(x, tops[r]) - tops[r]);
              if (fits)
                  V(store)(PLACE(powers), step);
              else if (powers.data != NULL)
                  WRITE(powers, step);
              sums[r] += COUNTED(step);)
    /* clang-format on */
    for (int r = 0; r < n; r++) sum[r] = V(sum)(sums[r]);
}

CYOPS_INLINE void ROW_NAME(exponentials)(ROW_NAME(part) powers, ROW_NAME(part) x, ptrdiff_t classes, const int n,
                                         const int fits, const T *top, T *sum) {
    for (int r = 0; r < ROW_NUMBERS; r++) sum[r] = 1;
#define PASS(first, length, sum)    \
    ROW_NAME(exponentials_of_block) \
    (ROW_NAME(part_from)(powers, first), ROW_NAME(part_from)(x, first), length, n, fits, top, sum)
    SUM_IN_BLOCKS(n, classes, sum, PASS)
#undef PASS
}

/* out = powers * factor */
CYOPS_INLINE void ROW_NAME(scale)(ROW_NAME(part) out, ROW_NAME(part) powers, ptrdiff_t classes, const int n,
                                  const T *factor) {
    const VEC zero = V(set1)(0);
    EACH_STEP(WRITE(out, READ(powers, zero) * V(set1)(factor[r]));)
}

CYOPS_INLINE void ROW_NAME(dot_of_block)(ROW_NAME(part) a, ROW_NAME(part) b, ptrdiff_t classes, const int n, T *sum) {
    const VEC zero = V(set1)(0);
    VEC sums[GROUP];
    for (int r = 0; r < n; r++) sums[r] = zero;
    EACH_STEP(sums[r] += READ(a, zero) * READ(b, zero);)
    for (int r = 0; r < n; r++) sum[r] = V(sum)(sums[r]);
}

/* sum = the sums of a * b */
CYOPS_INLINE void ROW_NAME(dot)(ROW_NAME(part) a, ROW_NAME(part) b, ptrdiff_t classes, const int n, T *sum){
#define PASS(first, length, sum) \
    ROW_NAME(dot_of_block)(ROW_NAME(part_from)(a, first), ROW_NAME(part_from)(b, first), length, n, sum)
    SUM_IN_BLOCKS(n, classes, sum, PASS)
#undef PASS
}

CYOPS_INLINE void ROW_NAME(total_of_block)(ROW_NAME(part) a, ptrdiff_t classes, const int n, T *sum) {
    const VEC zero = V(set1)(0);
    VEC sums[GROUP];
    for (int r = 0; r < n; r++) sums[r] = zero;
    EACH_STEP(sums[r] += READ(a, zero);)
    for (int r = 0; r < n; r++) sum[r] = V(sum)(sums[r]);
}

CYOPS_INLINE void ROW_NAME(total)(ROW_NAME(part) a, ptrdiff_t classes, const int n, T *sum){
#define PASS(first, length, sum) ROW_NAME(total_of_block)(ROW_NAME(part_from)(a, first), length, n, sum)
    SUM_IN_BLOCKS(n, classes, sum, PASS)
#undef PASS
}

CYOPS_INLINE void ROW_NAME(weighted_of_block)(ROW_NAME(part) y, ROW_NAME(part) x, ptrdiff_t classes, const int n,
                                              const T *top, T *sum) {
    const VEC zero = V(set1)(0);
    VEC sums[GROUP];
    for (int r = 0; r < n; r++) sums[r] = zero;
    EACH_STEP(sums[r] += READ(y, zero) * (READ(x, V(set1)(top[r])) - V(set1)(top[r]));)
    for (int r = 0; r < n; r++) sum[r] = V(sum)(sums[r]);
}

/* sum = the sums of y * (x - top) */
CYOPS_INLINE void ROW_NAME(weighted)(ROW_NAME(part) y, ROW_NAME(part) x, ptrdiff_t classes, const int n, const T *top,
                                     T *sum){
#define PASS(first, length, sum) \
    ROW_NAME(weighted_of_block)(ROW_NAME(part_from)(y, first), ROW_NAME(part_from)(x, first), length, n, top, sum)
    SUM_IN_BLOCKS(n, classes, sum, PASS)
#undef PASS
}

CYOPS_INLINE void ROW_NAME(logs)(T *out, const T *x, const int n) {
    for (int r = 0; r < n; r += LANES) V(store)(out + r, ROW_NAME(log)(V(load)(x + r)));
}

/* -- the kernels: `row` and the n - 1 after it --------------------------------------------------------------------- */

/* Where the exponentials of the rows are kept. */
#define POWERS(fits, room, out) ((fits) ? (ROW_NAME(part)){room, ROOM} : (out))
#define TOPS(x)                             \
    if (fits)                               \
        ROW_NAME(tops)(x, classes, n, top); \
    else                                    \
        top[0] = ROW_NAME(top_of_long)((x).data, classes);

CYOPS_INLINE void ROW_NAME(softmax)(const cyops_row_tile *t, ptrdiff_t row, const int n, const int fits) {
    const ROW_NAME(part) out = ROW_NAME(part_of)(t, 0, row), x = ROW_NAME(part_of)(t, 1, row);
    const ptrdiff_t classes = t->classes;
    T room[GROUP * ROOM], top[ROW_NUMBERS], sum[ROW_NUMBERS];
    const ROW_NAME(part) powers = POWERS(fits, room, out);
    TOPS(x)
    ROW_NAME(exponentials)(powers, x, classes, n, fits, top, sum);
    for (int r = 0; r < ROW_NUMBERS; r++) sum[r] = 1 / sum[r];
    ROW_NAME(scale)(out, powers, classes, n, sum);
}

CYOPS_INLINE void ROW_NAME(log_softmax)(const cyops_row_tile *t, ptrdiff_t row, const int n, const int fits) {
    const ROW_NAME(part) out = ROW_NAME(part_of)(t, 0, row), x = ROW_NAME(part_of)(t, 1, row), none = {NULL, 0};
    const ptrdiff_t classes = t->classes;
    T top[ROW_NUMBERS], sum[ROW_NUMBERS];
    TOPS(x)
    ROW_NAME(exponentials)(none, x, classes, n, 0, top, sum);
    ROW_NAME(logs)(sum, sum, n);
    const VEC zero = V(set1)(0);
    EACH_STEP(WRITE(out, (READ(x, zero) - V(set1)(top[r])) - V(set1)(sum[r]));)
}

CYOPS_INLINE void ROW_NAME(softmax_gradient)(const cyops_row_tile *t, ptrdiff_t row, const int n, const int fits) {
    const ROW_NAME(part) out = ROW_NAME(part_of)(t, 0, row), d = ROW_NAME(part_of)(t, 1, row);
    const ROW_NAME(part) y = ROW_NAME(part_of)(t, 2, row);
    const ptrdiff_t classes = t->classes;
    const VEC zero = V(set1)(0);
    T dot[ROW_NUMBERS];
    (void)fits;
    ROW_NAME(dot)(d, y, classes, n, dot);
    EACH_STEP(WRITE(out, READ(y, zero) * (READ(d, zero) - V(set1)(dot[r])));)
}

CYOPS_INLINE void ROW_NAME(log_softmax_gradient)(const cyops_row_tile *t, ptrdiff_t row, const int n, const int fits) {
    const ROW_NAME(part) out = ROW_NAME(part_of)(t, 0, row), d = ROW_NAME(part_of)(t, 1, row);
    const ROW_NAME(part) y = ROW_NAME(part_of)(t, 2, row);
    const ptrdiff_t classes = t->classes;
    const VEC zero = V(set1)(0);
    T sum[ROW_NUMBERS];
    (void)fits;
    ROW_NAME(total)(d, classes, n, sum);
    EACH_STEP(WRITE(out, READ(d, zero) - ROW_NAME(exp)(READ(y, zero)) * V(set1)(sum[r]));)
}

/* The logit of the label is read before the gradient may overwrite it. */
CYOPS_INLINE void ROW_NAME(label_loss)(const cyops_row_tile *t, ptrdiff_t row, const int n, const int fits) {
    const ROW_NAME(part) out = ROW_NAME(part_of)(t, 0, row), x = ROW_NAME(part_of)(t, 1, row);
    const ptrdiff_t classes = t->classes;
    const int64_t *labels = t->labels + row;
    T room[GROUP * ROOM], top[ROW_NUMBERS], sum[ROW_NUMBERS], of_label[GROUP], factor[ROW_NUMBERS];
    const ROW_NAME(part) powers = POWERS(fits, room, out);
    TOPS(x)
    for (int r = 0; r < n; r++) of_label[r] = x.data[r * x.stride + labels[r]] - top[r];
    ROW_NAME(exponentials)(powers, x, classes, n, fits, top, sum);
    for (int r = 0; r < ROW_NUMBERS; r++) factor[r] = (T)t->scale / sum[r];
    ROW_NAME(logs)(sum, sum, n);
    for (int r = 0; r < n; r++) ((T *)t->losses)[row + r] = sum[r] - of_label[r];
    if (out.data == NULL) return;
    ROW_NAME(scale)(out, powers, classes, n, factor);
    for (int r = 0; r < n; r++) out.data[r * out.stride + labels[r]] -= (T)t->scale;
}

/* sum(y * (x - top)) of one row in which 0 met -infinity: a class of no weight adds nothing, however unlikely. */
static T ROW_NAME(weighted_without_zeros)(const T *y, const T *x, ptrdiff_t classes, T top) {
    ROW_NAME(tree) tree = {.depth = 0};
    for (ptrdiff_t first = 0; first < classes; first += ROOM) {
        T sum = 0;
        for (ptrdiff_t c = first; c < classes && c < first + ROOM; c++)
            if (y[c] != 0) sum += y[c] * (x[c] - top);
        ROW_NAME(add_block)(&tree, sum);
    }
    return ROW_NAME(sum_of_tree)(&tree);
}

/* -sum(y * (x - top - log sum)) = log sum * sum(y) - sum(y * (x - top)) */
CYOPS_INLINE void ROW_NAME(target_loss)(const cyops_row_tile *t, ptrdiff_t row, const int n, const int fits) {
    const ROW_NAME(part) out = ROW_NAME(part_of)(t, 0, row), x = ROW_NAME(part_of)(t, 1, row);
    const ROW_NAME(part) y = ROW_NAME(part_of)(t, 2, row);
    const ptrdiff_t classes = t->classes;
    const VEC zero = V(set1)(0), scale = V(set1)((T)t->scale);
    T room[GROUP * ROOM], top[ROW_NUMBERS], sum[ROW_NUMBERS], total[ROW_NUMBERS], log_sum[ROW_NUMBERS];
    T weighted[ROW_NUMBERS];
    const ROW_NAME(part) powers = POWERS(fits, room, out);
    TOPS(x)
    ROW_NAME(weighted)(y, x, classes, n, top, weighted);
    ROW_NAME(total)(y, classes, n, total);
    ROW_NAME(exponentials)(powers, x, classes, n, fits, top, sum);
    ROW_NAME(logs)(log_sum, sum, n);
    for (int r = 0; r < n; r++) {
        T sum_of_weighted = weighted[r];
        if (isnan(sum_of_weighted) && !isnan(log_sum[r]))
            sum_of_weighted = ROW_NAME(weighted_without_zeros)(y.data + r * y.stride, x.data + r * x.stride, classes,
                                                               top[r]);
        ((T *)t->losses)[row + r] = log_sum[r] * total[r] - sum_of_weighted;
    }
    if (out.data == NULL) return;
    for (int r = 0; r < n; r++) total[r] /= sum[r];
    EACH_STEP(WRITE(out, scale * (READ(powers, zero) * V(set1)(total[r]) - READ(y, zero)));)
}

#define ROW_LOOP(name)                                                                                       \
    static void ROW_NAME(name##_loop)(const cyops_row_tile *t) {                                             \
        ptrdiff_t row = 0;                                                                                   \
        for (; t->classes <= ROOM && row + GROUP <= t->rows; row += GROUP) ROW_NAME(name)(t, row, GROUP, 1); \
        for (; t->classes <= ROOM && row < t->rows; row++) ROW_NAME(name)(t, row, 1, 1);                     \
        for (; row < t->rows; row++) ROW_NAME(name)(t, row, 1, 0);                                           \
    }
ROW_LOOP(softmax)
ROW_LOOP(log_softmax)
ROW_LOOP(softmax_gradient)
ROW_LOOP(log_softmax_gradient)
ROW_LOOP(label_loss)
ROW_LOOP(target_loss)
