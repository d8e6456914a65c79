/* An instance norm, once a convolution has measured what it made: what is left of it is a scale and a shift for each
   channel, which whoever reads the cells applies.

   Statistics are of groups of cells. They are merged in double precision, since a mean may be large beside what varies
   around it. */

#define NORM_CHANNELS 16

typedef struct {
    work work; /* pictures x blocks of NORM_CHANNELS channels */
    const float *statistics;   /* [picture][group][mean, sum of squared deviations][measured channel] */
    const float *counts;       /* [group]: cells */
    const float *gain, *shift; /* [channel] */
    float *scales, *shifts;    /* [picture][channel] */
    int64_t groups, measured, channels;
    float epsilon;
} norm_job;

void NAME(norm)(norm_job *job) {
    int64_t blocks = parts_of(job->channels, NORM_CHANNELS);
    double count = 0;
    for (int64_t g = 0; g < job->groups; g++) count += job->counts[g];
    for (int64_t item; (item = take(&job->work)) >= 0;) {
        int64_t picture = item / blocks, first = item % blocks * NORM_CHANNELS;
        int64_t channels = least_of(NORM_CHANNELS, job->channels - first);
        const float *means = job->statistics + picture * job->groups * 2 * job->measured + first;
        double mean[NORM_CHANNELS] = {0}, squares[NORM_CHANNELS] = {0};
        for (int64_t g = 0; g < job->groups; g++)
            for (int64_t c = 0; c < channels; c++) mean[c] += job->counts[g] / count * means[2 * g * job->measured + c];
        for (int64_t g = 0; g < job->groups; g++)
            for (int64_t c = 0; c < channels; c++) {
                double apart = means[2 * g * job->measured + c] - mean[c];
                squares[c] += means[(2 * g + 1) * job->measured + c] + job->counts[g] * apart * apart;
            }
        for (int64_t c = first; c < first + channels; c++) {
            double scale = job->gain[c] / __builtin_sqrt(squares[c - first] / count + job->epsilon);
            job->scales[picture * job->channels + c] = scale;
            job->shifts[picture * job->channels + c] = job->shift[c] - mean[c - first] * scale;
        }
    }
}
