import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { QueryNotRegisteredError, WithStartWorkflowOperation, WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateStage } from '@temporalio/client';
import { client, eventTypes, withWorker } from '../lib/server.mjs';

test('signals arrive in order', () => withWorker(async (scene) => {
  const handle = await scene.start('list');
  for (let index = 0; index < 50; index++) await handle.signal('push', index);
  await handle.signal('finish');
  assert.deepEqual(await handle.result(), Array.from({ length: 50 }, (_, index) => index));
  await assert.rejects(handle.signal('push', 1), WorkflowNotFoundError);
}));

test('signalWithStart starts once and signals each time', () => withWorker(async (scene) => {
  const options = { taskQueue: scene.taskQueue, workflowId: `list-${randomUUID()}`, signal: 'push' };
  const first = scene.keep(await client.workflow.signalWithStart('list', { ...options, signalArgs: ['one'] }));
  const second = await client.workflow.signalWithStart('list', { ...options, signalArgs: ['two'] });
  assert.equal(first.signaledRunId, second.signaledRunId);
  await first.signal('finish');
  assert.deepEqual(await first.result(), ['one', 'two']);
}));

test('queries are answered while running, by a worker without a cache, and after the end', () => withWorker(async (scene) => {
  const handle = await scene.start('list');
  await handle.signal('push', 'a');
  assert.deepEqual(await handle.query('items'), ['a']);
  await assert.rejects(handle.query('broken'), (error) => error.message.includes('the query is broken'));
  await assert.rejects(handle.query('unknown'), QueryNotRegisteredError);
  await handle.signal('finish');
  await handle.result();
  assert.deepEqual(await handle.query('items'), ['a']);
}, { maxCachedWorkflows: 0 }));

test('an update is accepted and answers, or is rejected and leaves no trace', () => withWorker(async (scene) => {
  const handle = await scene.start('list');
  assert.equal(await handle.executeUpdate('add', { args: [5] }), 1);
  const before = (await eventTypes(handle)).length;
  await assert.rejects(handle.executeUpdate('add', { args: [-1] }), (error) => error instanceof WorkflowUpdateFailedError && error.cause.type === 'Negative');
  assert.equal((await eventTypes(handle)).filter((type) => type.startsWith('workflowExecutionUpdate')).length, 2);
  assert.ok((await eventTypes(handle)).length >= before);
  await handle.signal('finish');
  assert.deepEqual(await handle.result(), [5]);
}));

test('an update that takes its time is waited for by its stage and by its id', () => withWorker(async (scene) => {
  const handle = await scene.start('list');
  const update = await handle.startUpdate('slowAdd', { args: [9], updateId: 'nine', waitForStage: WorkflowUpdateStage.ACCEPTED });
  assert.equal(await update.result(), 1);
  assert.equal(await handle.executeUpdate('slowAdd', { args: [9], updateId: 'nine' }), 1);
  assert.equal(await handle.getUpdateHandle('nine').result(), 1);
  await assert.rejects(handle.executeUpdate('slowAdd', { args: [0] }), (error) => error.cause.type === 'Zero');
  await handle.signal('finish');
  assert.deepEqual(await handle.result(), [9]);
  await assert.rejects(handle.executeUpdate('add', { args: [1] }), WorkflowNotFoundError);
}));

test('an update with start begins the run that it updates', () => withWorker(async (scene) => {
  const workflowId = `list-${randomUUID()}`;
  const operation = () => new WithStartWorkflowOperation('list', { taskQueue: scene.taskQueue, workflowId, workflowIdConflictPolicy: 'USE_EXISTING' });
  assert.equal(await client.workflow.executeUpdateWithStart('add', { args: [1], startWorkflowOperation: operation() }), 1);
  assert.equal(await client.workflow.executeUpdateWithStart('add', { args: [2], startWorkflowOperation: operation() }), 2);
  const handle = scene.keep(client.workflow.getHandle(workflowId));
  await handle.signal('finish');
  assert.deepEqual(await handle.result(), [1, 2]);
}));

test('a workflow signals and cancels another, and hears when there is none', () => withWorker(async (scene) => {
  const other = await scene.start('list');
  assert.equal(await scene.execute('signalsExternal', [other.workflowId]), 'done');
  await assert.rejects(other.result(), (error) => error.cause.name === 'CancelledFailure');
  assert.ok((await eventTypes(other)).includes('workflowExecutionSignaled'));
  assert.match(await scene.execute('signalsExternal', [`none-${randomUUID()}`]), /not found|Unable to/i);
}));
