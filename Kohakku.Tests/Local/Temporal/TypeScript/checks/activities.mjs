import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, eventTypes, eventually, withWorker } from '../lib/server.mjs';

test('an activity is tried until it succeeds', () => withWorker(async (scene) => {
  const handle = await scene.start('oneActivity', ['flaky', 3]);
  assert.equal(await handle.result(), 3);
  const { events } = await handle.fetchHistory();
  const started = events.find((event) => event.activityTaskStartedEventAttributes).activityTaskStartedEventAttributes;
  assert.equal(started.attempt, 3);
  assert.match(started.lastFailure.message, /attempt 2/);
}));

test('a failure that must not be retried ends the workflow', () => withWorker(async (scene) => {
  await assert.rejects(scene.execute('oneActivity', ['fatal']), (error) => {
    assert.equal(error.cause.name, 'ActivityFailure');
    assert.equal(error.cause.activityType, 'fatal');
    assert.deepEqual([error.cause.cause.type, error.cause.cause.nonRetryable, error.cause.cause.details], ['Fatal', true, [{ code: 7 }]]);
    return true;
  });
}));

test('a heartbeat tells an activity that it was cancelled', () => withWorker(async (scene) => {
  const handle = await scene.start('cancelledActivity');
  assert.equal(await handle.result(), 'cancelled');
  const types = await eventTypes(handle);
  assert.ok(types.includes('activityTaskCancelRequested') && types.includes('activityTaskCanceled'));
}));

test('an activity that goes silent is tried again with what its heartbeat said', () => withWorker(async (scene) => {
  assert.equal(await scene.execute('silentActivity'), 'said before');
}));

test('a local activity leaves a marker', () => withWorker(async (scene) => {
  const handle = await scene.start('localActivities');
  assert.deepEqual(await handle.result(), ['local', 3]);
  assert.equal((await eventTypes(handle)).filter((type) => type === 'markerRecorded').length, 2);
}));

test('many activities run side by side', () => withWorker(async (scene) => {
  assert.deepEqual(await scene.execute('parallelActivities', [50]), Array.from({ length: 50 }, (_, index) => index));
}));

test('an activity is completed and failed from outside by its id', () => withWorker(async (scene) => {
  const pending = async (handle) => (await handle.describe()).raw.pendingActivities?.[0];
  const completed = await scene.start('oneActivity', ['later']);
  const first = await eventually(() => pending(completed));
  await eventually(async () => (await pending(completed))?.state === 2, 'the activity is started');
  await client.activity.complete({ workflowId: completed.workflowId, activityId: first.activityId }, 'from outside');
  assert.equal(await completed.result(), 'from outside');
}));
