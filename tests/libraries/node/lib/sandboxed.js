'use strict';
/* A BullMQ and Bull processor that runs in a process of its own. */

module.exports = async (job) => {
    await job.log('from the sandbox');
    if (job.data.n < 0) throw new Error('negative');
    if (job.updateProgress) await job.updateProgress(50);
    else await job.progress(50);
    return { twice: job.data.n * 2, pid: process.pid };
};
