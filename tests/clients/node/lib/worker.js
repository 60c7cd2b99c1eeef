'use strict';
/* A worker in a process of its own: takes tasks until it is told to stop. argv: port, id. */

const redis = require('redis');

const [, , port, id] = process.argv;

async function work(client, taskId) {
    const task = `ocr:task:data:${taskId}`;
    await client.hSet(task, { status: 'processing', worker_id: id, started_at: Date.now() });
    await client.hIncrBy(task, 'attempts', 1);
    const userId = await client.hGet(task, 'user_id');
    await client.hSet(task, { status: 'completed', completed_at: Date.now() });
    await client.incr('ocr:stats:tasks:completed');
    await client.expire(task, 86400);
    const note = JSON.stringify({ type: 'task_completed', task_id: taskId, user_id: userId });
    await client.publish(`ocr:notifications:user:${userId}`, note);
}

async function main() {
    const client = redis.createClient({ socket: { port: Number(port), host: '127.0.0.1' } });
    await client.connect();
    for (;;) {
        const taken = await client.brPop(['ocr:task:queue', 'ocr:worker:stop'], 0);
        if (taken.key === 'ocr:worker:stop') break;
        await work(client, taken.element);
    }
    await client.close();
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
