/* The rate of multiply-adds that this processor can reach: the ceiling that engines are held against.

   Twelve chains of v = v * factor + term keep two units of four cycles' latency busy, and with the two constants they fit
   into the 16 registers of AVX2 and SSE2. Factor and term come from memory, and all chains' ends go there, so that the
   compiler can neither compute the result beforehand nor leave the work out. With factor 1/2 and term 1 all values
   approach 2: nothing overflows, and no small number slows the units down. */

typedef struct {
    work work;
    int64_t rounds;      /* of every item: a multiply-add in each of the chains' lanes */
    const float *values; /* factor, term */
    float *ends;         /* one for each item */
    int64_t num_lanes;   /* set by the kernel: of all chains together */
} peak_job;

void NAME(peak)(peak_job *job) {
    vector factor = broadcast(job->values[0]), term = broadcast(job->values[1]);
    for (int64_t item; (item = take(&job->work)) >= 0;) {
        vector a = term, b = term + 1, c = term + 2, d = term + 3, e = term + 4, f = term + 5;
        vector g = term + 6, h = term + 7, i = term + 8, j = term + 9, k = term + 10, l = term + 11;
        for (int64_t round = 0; round < job->rounds; round++) {
            a = a * factor + term, b = b * factor + term, c = c * factor + term, d = d * factor + term;
            e = e * factor + term, f = f * factor + term, g = g * factor + term, h = h * factor + term;
            i = i * factor + term, j = j * factor + term, k = k * factor + term, l = l * factor + term;
        }
        vector sum = (a + b + c) + (d + e + f) + (g + h + i) + (j + k + l);
        job->ends[item] = 0;
        for (int lane = 0; lane < LANES; lane++) job->ends[item] += sum[lane];
        if (item == 0) job->num_lanes = 12 * LANES;
    }
}
