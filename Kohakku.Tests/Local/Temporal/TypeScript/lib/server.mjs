import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import activities from '../workflows/activities.js';

const address = process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233';
export const namespace = process.env.TEMPORAL_NAMESPACE ?? 'default';

Runtime.install({ logger: new DefaultLogger(process.env.LOG_LEVEL ?? 'ERROR') });

export const connection = await Connection.connect({ address, connectTimeout: '20s' });
export const client = new Client({ connection, namespace });
export const nativeConnection = await NativeConnection.connect({ address });
export const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../workflows/index.js', import.meta.url)),
  logger: new DefaultLogger('ERROR'),
});

export async function close() {
  await connection.close();
  await nativeConnection.close();
}

/** A task queue of its own, with what a check needs to start workflows on it. */
export class Scene {
  taskQueue = `ts-${randomUUID()}`;
  started = [];

  worker(options = {}) {
    return Worker.create({
      connection: nativeConnection, namespace, taskQueue: this.taskQueue, workflowBundle, activities,
      shutdownGraceTime: '1s', shutdownForceTime: '10s', ...options,
    });
  }

  async start(type, args = [], options = {}) {
    const handle = await client.workflow.start(type, {
      taskQueue: this.taskQueue, workflowId: `${type}-${randomUUID()}`, args, workflowTaskTimeout: '10s', ...options,
    });
    return this.keep(handle);
  }

  async execute(type, args = [], options = {}) {
    return await (await this.start(type, args, options)).result();
  }

  /** Remembers a run, so that its history is checked. */
  keep(handle) {
    this.started.push(handle.workflowId);
    return handle;
  }

  async checkHistories() {
    const histories = [];
    for (const workflowId of new Set(this.started)) {
      const history = await client.workflow.getHandle(workflowId).fetchHistory();
      history.events.forEach((event, index) => assert.equal(Number(event.eventId), index + 1, `event ids of ${workflowId}`));
      histories.push({ workflowId, history });
    }
    for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle, replayName: this.taskQueue }, histories)) {
      assert.equal(error, undefined, `replay of ${workflowId}: ${error?.message}`);
    }
  }
}

/** Runs a check with a worker, then replays every history that it left. */
export async function withWorker(check, options = {}) {
  const scene = new Scene();
  const worker = await scene.worker(options);
  await worker.runUntil(() => check(scene));
  await scene.checkHistories();
}

/** Waits for what will become true. */
export async function eventually(condition, what = condition.toString(), timeout = 30_000) {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) assert.fail(`Did not become true in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export async function eventTypes(handle) {
  const { events } = await handle.fetchHistory();
  return events.map((event) => Object.keys(event).find((key) => key.endsWith('EventAttributes') && event[key]).replace('EventAttributes', ''));
}
