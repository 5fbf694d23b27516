/* Runs of bytes, where asked for by stores past the caches: a template, included by copy_loops.h. */
#define T float
#define SUFFIX f32

/* Streaming from the first aligned byte of the target to the last. */
static void ISA_NAME(copy_run)(char *to, const char *from, ptrdiff_t bytes, int streams) {
#if HAS_STREAMS
    const ptrdiff_t head = -(uintptr_t)to & (STREAM_BYTES - 1);
    if (streams && bytes >= head + STREAM_BYTES) {
        memcpy(to, from, head);
        ptrdiff_t i = head;
        for (; i + VECTOR_BYTES <= bytes; i += VECTOR_BYTES) V(stream)((T *)(to + i), V(load)((const T *)(from + i)));
        memcpy(to + i, from + i, bytes - i);
        return;
    }
#endif
    (void)streams;
    memcpy(to, from, bytes);
}

#if HAS_STREAMS
/* VECTOR_BYTES of `pattern`, which repeats an item, over and over; aligned as in copy_run. */
static void ISA_NAME(fill_run)(char *to, const char *pattern, ptrdiff_t bytes) {
    const ptrdiff_t head = -(uintptr_t)to & (STREAM_BYTES - 1);
    const VEC v = V(load)((const T *)pattern);
    memcpy(to, pattern, head);
    ptrdiff_t i = head;
    for (; i + VECTOR_BYTES <= bytes; i += VECTOR_BYTES) V(stream)((T *)(to + i), v);
    memcpy(to + i, pattern, bytes - i);
}
#endif

#undef T
#undef SUFFIX
