/* Two rates of the machine, for benchmarks/machine.py: fused multiply-adds, and copying memory. Each thread works on
 * its own and times itself; the rate of all is the sum of theirs. Compiled for the processor at hand, which has vectors
 * of WIDTH bytes. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#define WIDTH 64
#elif defined(__AVX__)
#define WIDTH 32
#else
#define WIDTH 16
#endif

#define SECONDS 0.02     /* each thread works about this long, several times */
#define REPEATS 5        /* and keeps its best */
#define CHAINS 12        /* independent sums: more than latency times units, fewer than registers */
#define MAX_THREADS 256

typedef float vector __attribute__((vector_size(WIDTH)));

typedef struct {
    size_t bytes; /* how much to copy; 0 to multiply and add instead */
    double rate;
} job;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Floating-point operations in `count` rounds. */
static double multiply_add(long count) {
    vector sums[CHAINS] = {{0}}, a = {0}, b = {0};
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS; c++) __asm__ volatile("" : "+x"(sums[c])); /* opaque: the compiler cannot merge them */
    for (long i = 0; i < count; i++) {
        __asm__ volatile("" : "+x"(a), "+x"(b)); /* nor compute ahead */
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++) sums[c] = sums[c] * a + b;
    }
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS; c++) __asm__ volatile("" : : "x"(sums[c]));
    return 2.0 * CHAINS * (WIDTH / sizeof(float)) * (double)count;
}

/* Bytes read and written in `count` copies. */
static double copy(char *to, const char *from, size_t bytes, long count) {
    for (long i = 0; i < count; i++) {
        memcpy(to, from, bytes);
        __asm__ volatile("" : : "r"(to), "r"(from) : "memory");
    }
    return 2.0 * (double)bytes * (double)count;
}

static void *work(void *argument) {
    job *j = argument;
    char *from = NULL, *to = NULL;
    if (j->bytes) {
        if (posix_memalign((void **)&from, 64, j->bytes) || posix_memalign((void **)&to, 64, j->bytes)) return NULL;
        memset(from, 1, j->bytes);
        memset(to, 2, j->bytes);
    }
    long count = 1;
    for (int repeat = 0; repeat < REPEATS;) {
        double start = now();
        double done = j->bytes ? copy(to, from, j->bytes, count) : multiply_add(count);
        double took = now() - start;
        if (took < SECONDS / 2 && count < (1L << 40)) {
            count *= 2; /* still too short to be timed */
            continue;
        }
        if (done / took > j->rate) j->rate = done / took;
        repeat++;
    }
    free(from);
    free(to);
    return NULL;
}

static double sum_of_rates(size_t bytes, int threads) {
    pthread_t ids[MAX_THREADS];
    job jobs[MAX_THREADS];
    double sum = 0;
    for (int i = 0; i < threads; i++) {
        jobs[i] = (job){bytes / (size_t)threads, 0};
        pthread_create(&ids[i], NULL, work, &jobs[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        sum += jobs[i].rate;
    }
    return sum;
}

double fma_rate(int threads) { return sum_of_rates(0, threads); }

/* `bytes` are those of the source, over all threads. */
double copy_rate(size_t bytes, int threads) { return sum_of_rates(bytes, threads); }
