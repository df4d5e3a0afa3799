import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { client, eventTypes, eventually, withWorker } from '../lib/server.mjs';

test('a child answers its parent', () => withWorker(async (scene) => {
  const handle = await scene.start('parent', ['echo', ['from the child']]);
  assert.equal(await handle.result(), 'from the child');
  const { events } = await handle.fetchHistory();
  const { workflowExecution } = events.find((event) => event.childWorkflowExecutionStartedEventAttributes).childWorkflowExecutionStartedEventAttributes;
  const child = scene.keep(client.workflow.getHandle(workflowExecution.workflowId));
  assert.equal((await child.describe()).parentExecution.workflowId, handle.workflowId);
}));

test('a child that fails tells its parent why', () => withWorker(async (scene) => {
  assert.deepEqual(await scene.execute('parentOfFailing'), ['ChildWorkflowFailure', 'child broke', 'Asked']);
}));

test('a parent cancels its child and waits for its end', () => withWorker(async (scene) => {
  const handle = await scene.start('cancelsChild');
  assert.equal(await handle.result(), 'cancelled');
  assert.ok((await eventTypes(handle)).includes('childWorkflowExecutionCanceled'));
}));

test('a child whose id runs already is not started', () => withWorker(async (scene) => {
  const running = await scene.start('waits');
  await assert.rejects(scene.execute('parent', ['waits', [], { workflowId: running.workflowId }]), /./);
  await running.terminate();
}));

for (const [policy, status] of [['TERMINATE', 'TERMINATED'], ['REQUEST_CANCEL', 'CANCELLED'], ['ABANDON', 'RUNNING']]) {
  test(`a parent that closes leaves its child by the policy ${policy}`, () => withWorker(async (scene) => {
    const child = client.workflow.getHandle(await scene.execute('leavesChild', [policy]));
    await eventually(async () => (await child.describe()).status.name === status, `the child is ${status}`);
    if (policy === 'ABANDON') await child.terminate();
    scene.keep(child);
  }));
}

test('a child of a terminated parent is terminated, too', () => withWorker(async (scene) => {
  const workflowId = `child-${randomUUID()}`;
  const handle = await scene.start('parent', ['waits', [], { workflowId }]);
  const child = client.workflow.getHandle(workflowId);
  await eventually(async () => (await eventTypes(handle)).includes('childWorkflowExecutionStarted'));
  await handle.terminate('enough');
  await eventually(async () => (await child.describe()).status.name === 'TERMINATED');
}));
