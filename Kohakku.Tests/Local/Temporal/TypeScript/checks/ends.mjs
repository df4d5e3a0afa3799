import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TerminatedFailure, WorkflowNotFoundError } from '@temporalio/client';
import { Scene, client, eventTypes, eventually, withWorker } from '../lib/server.mjs';

test('a cancelled workflow ends as cancelled', () => withWorker(async (scene) => {
  const handle = await scene.start('waits');
  await handle.cancel();
  await handle.cancel();
  await assert.rejects(handle.result(), (error) => error.cause.name === 'CancelledFailure');
  assert.equal((await eventTypes(handle)).filter((type) => type === 'workflowExecutionCancelRequested').length, 1);
}));

test('a cancelled workflow may clean up first', () => withWorker(async (scene) => {
  const handle = await scene.start('cleansUp');
  await handle.cancel();
  await assert.rejects(handle.result(), (error) => error.cause.name === 'CancelledFailure');
  assert.ok((await eventTypes(handle)).includes('activityTaskCompleted'));
}));

test('a terminated workflow ends with its reason', () => withWorker(async (scene) => {
  const handle = await scene.start('waits');
  await handle.terminate('enough');
  await assert.rejects(handle.result(), (error) => error.cause instanceof TerminatedFailure && error.cause.message === 'enough');
  await assert.rejects(handle.terminate('again'), WorkflowNotFoundError);
}));

test('what is unknown is not found', async () => {
  const handle = client.workflow.getHandle('there is no such workflow');
  for (const call of [() => handle.describe(), () => handle.signal('push'), () => handle.cancel(), () => handle.result()]) {
    await assert.rejects(call(), WorkflowNotFoundError);
  }
  await assert.rejects(handle.fetchHistory(), (error) => error.code === 5);
});

test('a second worker goes on where the first one left', async () => {
  const scene = new Scene();
  const handle = await scene.start('list');
  const first = await scene.worker();
  await first.runUntil(async () => {
    await handle.signal('push', 1);
    assert.deepEqual(await handle.query('items'), [1]);
  });
  await handle.signal('push', 2);
  const second = await scene.worker();
  await second.runUntil(async () => {
    await handle.signal('finish');
    assert.deepEqual(await handle.result(), [1, 2]);
  });
  await scene.checkHistories();
});

test('a workflow that waits for a worker is run when one comes, and its result was waited for meanwhile', async () => {
  const scene = new Scene();
  const handle = await scene.start('echo', ['late']);
  const result = handle.result();
  await eventually(async () => (await handle.describe()).status.name === 'RUNNING');
  const worker = await scene.worker();
  await worker.runUntil(async () => assert.equal(await result, 'late'));
  await scene.checkHistories();
});
