/* A kernel whose threads, but for the one that calls it, do something else first: see errands.py.

   The calling thread runs none of that: it may be the one that Python interrupts, and an exception that is raised in a
   callback would be lost. */

typedef void function(void *);
typedef void parallel(function *of, void *data, unsigned num_threads, unsigned flags);

typedef struct {
    function *kernel;
    void *job;
    void (*errand)(void);
} shared_kernel;

static _Thread_local const void *called;

static void share(void *data) {
    const shared_kernel *shared = data;
    if (called != shared) shared->errand();
    shared->kernel(shared->job);
}

void run_with_errands(parallel *run, function *kernel, void *job, void (*errand)(void), unsigned num_threads) {
    shared_kernel shared = {kernel, job, errand};
    called = &shared;
    run(share, &shared, num_threads, 0);
    called = 0;
}
