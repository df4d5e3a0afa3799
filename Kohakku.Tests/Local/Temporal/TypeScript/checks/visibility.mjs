import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, test } from 'node:test';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { client, connection, eventually, namespace, withWorker } from '../lib/server.mjs';

const keyword = defineSearchAttributeKey('TypeScriptKeyword', SearchAttributeType.KEYWORD);
const number = defineSearchAttributeKey('TypeScriptInt', SearchAttributeType.INT);

before(async () => {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  if (customAttributes[keyword.name]) return;
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: { [keyword.name]: 2, [number.name]: 3 } });
  await eventually(async () => (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes[number.name]);
});

test('search attributes and memo are given at the start and changed by the workflow', () => withWorker(async (scene) => {
  const tag = randomUUID();
  const handle = await scene.start('upserts', [[{ key: number, value: 42 }], { added: [1, 2] }], {
    typedSearchAttributes: new TypedSearchAttributes([{ key: keyword, value: tag }]), memo: { given: 'at the start' },
  });
  await eventually(async () => (await handle.describe()).typedSearchAttributes.get(number) === 42);
  const described = await handle.describe();
  assert.equal(described.typedSearchAttributes.get(keyword), tag);
  assert.deepEqual(described.memo, { given: 'at the start', added: [1, 2] });
  const query = `${keyword.name} = '${tag}' AND ${number.name} > 41 AND ExecutionStatus = 'Running'`;
  await eventually(async () => (await client.workflow.count(query)).count === 1);
  await handle.terminate();
  await eventually(async () => (await client.workflow.count(query)).count === 0);
}));

test('all runs are listed, page by page', () => withWorker(async (scene) => {
  const ids = new Set();
  for (let index = 0; index < 7; index++) {
    const handle = await scene.start('echo', [index]);
    ids.add(handle.workflowId);
    await handle.result();
  }
  const query = `TaskQueue = '${scene.taskQueue}'`;
  await eventually(async () => (await client.workflow.count(query)).count === 7);
  const listed = [];
  for await (const execution of client.workflow.list({ query, pageSize: 3 })) listed.push(execution.workflowId);
  assert.deepEqual(new Set(listed), ids);
  assert.equal(listed.length, 7);
}));

test('a description says what is going on', () => withWorker(async (scene) => {
  const handle = await scene.start('parent', ['waits']);
  const described = await eventually(async () => {
    const found = await handle.describe();
    return found.raw.pendingChildren?.length === 1 && found;
  });
  assert.deepEqual([described.type, described.status.name, described.taskQueue], ['parent', 'RUNNING', scene.taskQueue]);
  assert.ok(described.startTime instanceof Date && described.historyLength >= 5);
  await handle.cancel();
  await assert.rejects(handle.result());
  const closed = await handle.describe();
  assert.ok(closed.closeTime >= closed.startTime);
}));
