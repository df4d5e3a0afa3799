import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { client, eventTypes, withWorker } from '../lib/server.mjs';

test('a workflow answers what it was given', () => withWorker(async (scene) => {
  const handle = await scene.start('echo', [{ text: 'ü', numbers: [1, 2] }]);
  assert.deepEqual(await handle.result(), { text: 'ü', numbers: [1, 2] });
  assert.deepEqual(await eventTypes(handle), [
    'workflowExecutionStarted', 'workflowTaskScheduled', 'workflowTaskStarted', 'workflowTaskCompleted', 'workflowExecutionCompleted']);
}));

test('a workflow fails with its type, message and details', () => withWorker(async (scene) => {
  await assert.rejects(scene.execute('fails', ['broke']), (error) => {
    assert.ok(error instanceof WorkflowFailedError);
    assert.equal(error.cause.message, 'broke');
    assert.equal(error.cause.type, 'Asked');
    assert.deepEqual(error.cause.details, [{ why: 'asked to' }]);
    return true;
  });
}));

test('a failed run is tried again by its retry policy', () => withWorker(async (scene) => {
  assert.equal(await scene.execute('attempts', [], { retry: { initialInterval: '10ms', backoffCoefficient: 1 } }), 3);
}));

test('an id that is running is refused, used, or taken over', () => withWorker(async (scene) => {
  const first = await scene.start('waits');
  const workflowId = first.workflowId;
  await assert.rejects(scene.start('waits', [], { workflowId }), WorkflowExecutionAlreadyStartedError);
  const used = await scene.start('waits', [], { workflowId, workflowIdConflictPolicy: 'USE_EXISTING' });
  assert.equal(used.firstExecutionRunId, first.firstExecutionRunId);
  const taking = await scene.start('waits', [], { workflowId, workflowIdConflictPolicy: 'TERMINATE_EXISTING' });
  assert.notEqual(taking.firstExecutionRunId, first.firstExecutionRunId);
  assert.equal((await client.workflow.getHandle(workflowId, first.firstExecutionRunId).describe()).status.name, 'TERMINATED');
  await taking.terminate();
}));

test('an id that was used is refused as its reuse policy says', () => withWorker(async (scene) => {
  const first = await scene.start('echo', [1]);
  const workflowId = first.workflowId;
  await first.result();
  await assert.rejects(scene.start('echo', [2], { workflowId, workflowIdReusePolicy: 'REJECT_DUPLICATE' }), WorkflowExecutionAlreadyStartedError);
  await assert.rejects(scene.start('echo', [2], { workflowId, workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' }), WorkflowExecutionAlreadyStartedError);
  assert.equal(await scene.execute('echo', [3], { workflowId }), 3);
}));

test('a run times out', () => withWorker(async (scene) => {
  await assert.rejects(scene.execute('waits', [], { workflowRunTimeout: '1s' }), (error) => error.cause?.timeoutType === 'START_TO_CLOSE');
}));

test('continue-as-new keeps memo and chain', () => withWorker(async (scene) => {
  const handle = await scene.start('countsDown', [3], { memo: { kept: 'yes' } });
  assert.deepEqual(await handle.result(), { left: 0, memo: { kept: 'yes' }, first: handle.firstExecutionRunId });
  const { events } = await client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId).fetchHistory();
  assert.ok(events.at(-1).workflowExecutionContinuedAsNewEventAttributes.newExecutionRunId);
}));

test('patches and timers are recorded', () => withWorker(async (scene) => {
  const handle = await scene.start('patched');
  assert.deepEqual(await handle.result(), ['new', 36, 'number']);
  assert.ok((await eventTypes(handle)).includes('markerRecorded'));
  assert.equal(await scene.execute('sleeps', [300]), 'awake');
  const race = await scene.start('timerRace');
  assert.equal(await race.result(), 'cancelled');
  assert.ok((await eventTypes(race)).includes('timerCanceled'));
}));
