/* See pool.h.
 *
 * The state of the pool is one 64-bit number: the job's epoch in the upper half, and how many of its tiles were claimed
 * from the front and from the back in the quarters below. Whoever raises one of the two by a compare-and-swap owns that
 * tile; a worker that wakes late holds an old epoch, fails, and goes back to waiting. So the caller waits only for
 * tiles that somebody has claimed, never for a worker that was not scheduled, when other processes want
 * the same cores.
 *
 * The caller and every second worker claim from the front, the others from the back. So a thread gets the same end of
 * the work in one job after the other, and finds in its core's cache what it left there. What
 * was measured: docs/kernels.md, Threads.
 */
#define _POSIX_C_SOURCE 200809L /* pthread_sigmask and clock_gettime under -std=c11 */
#include "runtime/pool.h"
#include "simd/cpu.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

static _Atomic int thread_count = 1;

int cyops_get_num_threads(void) { return atomic_load_explicit(&thread_count, memory_order_relaxed); }

static void run_inline(ptrdiff_t tiles, void (*run)(void *, ptrdiff_t), void *context) {
    for (ptrdiff_t tile = 0; tile < tiles; tile++) run(context, tile);
}

#define MAX_WORKERS 255
#define MOST_TILES UINT16_MAX   /* of one job: what a quarter of the state can count */
#define SPIN_NANOSECONDS 500000 /* beyond what lies between the products of a training step: docs/kernels.md, Threads */
#define STACK_BYTES (2 << 20) /* of a worker: kernels keep packed panels there, and some platforms give 128 KB */
/* The work of one thread, in nanoseconds, that is worth sharing with threads that spin, and with threads that have to
 * be woken: docs/kernels.md, Threads. */
#define LEAST_WHEN_AWAKE 5e3
#define LEAST_WHEN_ASLEEP 120e3
#define PAUSES_PER_CLOCK 32 /* how often a waiting thread looks between two readings of the clock */

/* Each group on a cache line of its own: every thread reads the first all the time. */
static struct {
    _Alignas(64) _Atomic uint64_t state; /* epoch << 32 | tiles claimed from the back << 16 | from the front */
    _Alignas(64) _Atomic uint32_t done; /* tiles of this epoch that have been run */
    _Alignas(64) void (*_Atomic run)(void *context, ptrdiff_t tile);
    void *_Atomic context;
    _Atomic uint32_t tiles;
    _Atomic int stopping;
    _Alignas(64) _Atomic int sleepers;
} pool;

static pthread_mutex_t submit_lock = PTHREAD_MUTEX_INITIALIZER; /* held while a job runs, and around fork */
static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t new_epoch = PTHREAD_COND_INITIALIZER;

typedef struct {
    pthread_t thread; /* under submit_lock, like the count of workers */
    int index;
    uint32_t epoch; /* the last one before the worker was made */
    int sleeps; /* under sleep_lock, like the rest */
#ifdef __linux__
    int is_kept_away; /* whether its mask is `kept` in place of `allowed` until it goes on */
    cpu_set_t allowed, kept;
#endif
} worker;

static worker workers[MAX_WORKERS];
static _Atomic int worker_count = 0, kept_away = 0; /* the latter: of them, those whose mask is not their own */
#ifndef _WIN32
static int fork_handlers_registered = 0;
#endif

static inline uint32_t epoch_of(uint64_t state) { return (uint32_t)(state >> 32); }
static inline uint32_t claimed_from_back(uint64_t state) { return state >> 16 & UINT16_MAX; }
static inline uint32_t claimed_from_front(uint64_t state) { return state & UINT16_MAX; }

static int64_t now_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Claims and runs tiles of the job `epoch` until none is left. The job's fields are read before the claim; they belong
 * to this epoch if the claim succeeds, because publish() closes the old epoch before it writes new ones. */
static void run_tiles(uint32_t epoch, int from_back) {
    uint64_t one = from_back ? 1 << 16 : 1;
    for (;;) {
        uint64_t state = atomic_load_explicit(&pool.state, memory_order_acquire);
        if (epoch_of(state) != epoch) return;
        uint32_t tiles = atomic_load_explicit(&pool.tiles, memory_order_acquire);
        uint32_t front = claimed_from_front(state), back = claimed_from_back(state);
        if (front + back >= tiles) return;
        void (*run)(void *, ptrdiff_t) = atomic_load_explicit(&pool.run, memory_order_acquire);
        void *context = atomic_load_explicit(&pool.context, memory_order_acquire);
        if (atomic_compare_exchange_weak_explicit(&pool.state, &state, state + one, memory_order_acq_rel,
                                                  memory_order_relaxed)) {
            run(context, from_back ? tiles - 1 - back : front);
            atomic_fetch_add_explicit(&pool.done, 1, memory_order_acq_rel);
        }
    }
}

/* Linux often puts a thread that is woken on the processor of the one that wakes it, where it waits until the next
 * tick, some milliseconds. So this processor is taken out of the masks of those that sleep; each gives it back to
 * itself when it goes on. */
static void leave_this_cpu(void) {
#ifdef __linux__
    const int count = atomic_load_explicit(&worker_count, memory_order_relaxed), here = sched_getcpu();
    for (worker *w = workers; w < workers + count; w++) {
        cpu_set_t now;
        if (here < 0 || !w->sleeps || pthread_getaffinity_np(w->thread, sizeof now, &now) != 0) continue;
        if (!w->is_kept_away || !CPU_EQUAL(&now, &w->kept)) w->allowed = now; /* what it or somebody else has set */
        w->kept = w->allowed;
        CPU_CLR(here, &w->kept);
        int was = w->is_kept_away;
        w->is_kept_away = CPU_COUNT(&w->kept) > 0 && pthread_setaffinity_np(w->thread, sizeof w->kept, &w->kept) == 0;
        atomic_fetch_add(&kept_away, w->is_kept_away - was);
    }
#endif
}

/* Gives a worker its own mask back, unless somebody else has set one since. */
static void come_back(worker *self) {
#ifdef __linux__
    cpu_set_t now;
    if (!self->is_kept_away) return;
    self->is_kept_away = 0;
    atomic_fetch_sub(&kept_away, 1);
    if (pthread_getaffinity_np(self->thread, sizeof now, &now) == 0 && CPU_EQUAL(&now, &self->kept))
        pthread_setaffinity_np(self->thread, sizeof now, &self->allowed);
#else
    (void)self;
#endif
}

/* At the end of a job, for workers that it did not need or that have not run yet: a mask that somebody else sets from
 * here on may be the one that a worker was kept away by, and must not be taken for it. */
static void let_all_come_back(void) {
    if (atomic_load(&kept_away) == 0) return;
    pthread_mutex_lock(&sleep_lock);
    const int count = atomic_load_explicit(&worker_count, memory_order_relaxed);
    for (worker *w = workers; w < workers + count; w++) come_back(w);
    pthread_mutex_unlock(&sleep_lock);
}

static void sleep_until_new_epoch(worker *self, uint32_t last) {
    pthread_mutex_lock(&sleep_lock);
    self->sleeps = 1;
    atomic_fetch_add(&pool.sleepers, 1); /* before the epoch is read again; publish() has it the other way round */
    while (epoch_of(atomic_load(&pool.state)) == last) pthread_cond_wait(&new_epoch, &sleep_lock);
    atomic_fetch_sub(&pool.sleepers, 1);
    self->sleeps = 0;
    come_back(self);
    pthread_mutex_unlock(&sleep_lock);
}

static uint32_t wait_for_new_epoch(worker *self, uint32_t last) {
    int64_t deadline = now_nanoseconds() + SPIN_NANOSECONDS;
    for (;;) {
        for (int i = 0; i < PAUSES_PER_CLOCK; i++) {
            uint32_t epoch = epoch_of(atomic_load_explicit(&pool.state, memory_order_acquire));
            if (epoch != last) return epoch;
            cyops_pause();
        }
        if (now_nanoseconds() > deadline) sleep_until_new_epoch(self, last);
    }
}

static void *work(void *argument) {
    worker *self = argument;
    uint32_t epoch = self->epoch;
    for (;;) {
        epoch = wait_for_new_epoch(self, epoch);
        if (atomic_load(&pool.stopping)) return NULL;
        if (self->index + 1 >= cyops_get_num_threads()) continue; /* there are more workers than wanted */
        run_tiles(epoch, self->index % 2 == 0);
    }
}

/* Lets `wanted` of the workers that sleep go on, or all of them. */
static void wake_workers(int wanted) {
    pthread_mutex_lock(&sleep_lock);
    leave_this_cpu();
    if (wanted >= atomic_load(&pool.sleepers))
        pthread_cond_broadcast(&new_epoch);
    else
        for (int i = 0; i < wanted; i++) pthread_cond_signal(&new_epoch);
    pthread_mutex_unlock(&sleep_lock);
}

/* How many workers to wake for a job of so many tiles: the caller takes one, and so does each worker that is awake. All
 * of them for a job without tiles, which says that the pool stops, and where some may not take part. */
static int count_wanted(uint32_t tiles) {
    const int count = atomic_load_explicit(&worker_count, memory_order_relaxed), sleepers = atomic_load(&pool.sleepers);
    if (tiles == 0 || count >= cyops_get_num_threads()) return sleepers;
    const int64_t missing = (int64_t)tiles - 1 - (count - sleepers);
    return missing < 0 ? 0 : missing < sleepers ? (int)missing : sleepers;
}

/* Makes a job known. Only the holder of submit_lock calls it, after the job before has run all its tiles. */
static uint32_t publish(uint32_t tiles, void (*run)(void *, ptrdiff_t), void *context) {
    uint32_t old = epoch_of(atomic_load_explicit(&pool.state, memory_order_relaxed));
    atomic_store(&pool.state, (uint64_t)old << 32 | MOST_TILES); /* closed: a claim under way for the old job fails */
    atomic_store_explicit(&pool.run, run, memory_order_release);
    atomic_store_explicit(&pool.context, context, memory_order_release);
    atomic_store_explicit(&pool.tiles, tiles, memory_order_release);
    atomic_store_explicit(&pool.done, 0, memory_order_release);
    atomic_store(&pool.state, (uint64_t)(old + 1) << 32);
    const int wanted = count_wanted(tiles);
    if (wanted > 0) wake_workers(wanted);
    return old + 1;
}

/* The claimed tiles that are not done yet are running in workers; after a while let them have this core. */
static void wait_for_claimed_tiles(uint32_t tiles) {
    for (int looks = 0; atomic_load_explicit(&pool.done, memory_order_acquire) < tiles; looks++) {
        if (looks < 1000)
            cyops_pause();
        else
            sched_yield();
    }
}

#ifndef _WIN32
/* Before fork: no worker exists while the process is copied, so none is missing in the child. */
static void stop_workers_for_fork(void) {
    pthread_mutex_lock(&submit_lock);
    int count = atomic_load(&worker_count);
    if (count == 0) return;
    atomic_store(&pool.stopping, 1);
    publish(0, NULL, NULL);
    for (int i = 0; i < count; i++) pthread_join(workers[i].thread, NULL);
    atomic_store(&worker_count, 0);
    atomic_store(&pool.stopping, 0);
}

static void resume_after_fork(void) { pthread_mutex_unlock(&submit_lock); }
#endif

static int start_worker(int index) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return 0;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    worker *made = &workers[index];
    made->index = index;
    made->epoch = epoch_of(atomic_load(&pool.state));
    made->sleeps = 0;
#ifdef __linux__
    made->is_kept_away = 0;
#endif
    int failed = pthread_create(&made->thread, &attributes, work, made);
    pthread_attr_destroy(&attributes);
    return !failed;
}

/* Starts the workers that are missing. Signals stay with the threads of the program. */
static void start_workers(int wanted) {
    int count = atomic_load_explicit(&worker_count, memory_order_relaxed);
    if (count >= wanted) return;
#ifdef _WIN32 /* has neither fork nor signals that go to one thread */
    while (count < wanted && start_worker(count)) count++;
#else
    if (!fork_handlers_registered) {
        if (pthread_atfork(stop_workers_for_fork, resume_after_fork, resume_after_fork) != 0) return;
        fork_handlers_registered = 1;
    }
    sigset_t all_signals, previous;
    sigfillset(&all_signals);
    pthread_sigmask(SIG_SETMASK, &all_signals, &previous);
    while (count < wanted && start_worker(count)) count++;
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
#endif
    atomic_store(&worker_count, count);
}

typedef struct {
    void (*run)(void *, ptrdiff_t);
    void *context;
    ptrdiff_t tiles, each;
} tile_bundles;

/* Several neighbouring tiles as one, of a job that has too many to count. */
static void run_bundle(void *context, ptrdiff_t index) {
    const tile_bundles *b = context;
    ptrdiff_t end = (index + 1) * b->each < b->tiles ? (index + 1) * b->each : b->tiles;
    for (ptrdiff_t tile = index * b->each; tile < end; tile++) b->run(b->context, tile);
}

void cyops_parallel(ptrdiff_t tiles, void (*run)(void *, ptrdiff_t), void *context) {
    int threads = cyops_get_num_threads();
    if (tiles > MOST_TILES) {
        tile_bundles bundles = {run, context, tiles, tiles / MOST_TILES + 1};
        cyops_parallel((tiles + bundles.each - 1) / bundles.each, run_bundle, &bundles);
        return;
    }
    if (tiles < 2 || threads < 2 || pthread_mutex_trylock(&submit_lock) != 0) {
        run_inline(tiles, run, context);
        return;
    }
    start_workers(threads - 1);
    run_tiles(publish((uint32_t)tiles, run, context), 0);
    wait_for_claimed_tiles((uint32_t)tiles);
    let_all_come_back();
    pthread_mutex_unlock(&submit_lock);
}

void cyops_set_num_threads(int count) {
    atomic_store(&thread_count, count < 1 ? 1 : count > MAX_WORKERS + 1 ? MAX_WORKERS + 1 : count);
}

int cyops_count_workers(void) { return atomic_load_explicit(&worker_count, memory_order_relaxed); }

/* Whether as many workers spin as the work could use. */
static int enough_are_awake(double nanoseconds) {
    const double useful = nanoseconds / LEAST_WHEN_AWAKE, wanted = cyops_get_num_threads() - 1;
    const int awake = cyops_count_workers() - atomic_load_explicit(&pool.sleepers, memory_order_relaxed);
    return awake >= (useful < wanted ? useful : wanted);
}

/* The work that was lately done alone because the workers slept, and when that was. */
static _Atomic int64_t done_alone, done_alone_at;

/* One job may not be worth waking the workers, but many are, one soon after the other: the first of them that bring the
 * work to what waking is worth are done alone, and the workers then stay awake for the others. */
int cyops_is_worth_sharing(double nanoseconds) {
    if (nanoseconds < LEAST_WHEN_AWAKE || cyops_get_num_threads() < 2) return 0;
    if (enough_are_awake(nanoseconds)) return 1;
    const int64_t now = now_nanoseconds(), before = atomic_load_explicit(&done_alone_at, memory_order_relaxed);
    if (now - before < SPIN_NANOSECONDS) nanoseconds += atomic_load_explicit(&done_alone, memory_order_relaxed);
    const int is_worth_waking = nanoseconds >= LEAST_WHEN_ASLEEP;
    atomic_store_explicit(&done_alone, is_worth_waking ? 0 : (int64_t)nanoseconds, memory_order_relaxed);
    atomic_store_explicit(&done_alone_at, now, memory_order_relaxed);
    return is_worth_waking;
}
