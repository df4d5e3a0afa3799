const wf = require('@temporalio/workflow');

const activities = wf.proxyActivities({ startToCloseTimeout: '30s', retry: { initialInterval: '50ms', backoffCoefficient: 1 } });
const beating = wf.proxyActivities({
  startToCloseTimeout: '60s', heartbeatTimeout: '2s', retry: { initialInterval: '50ms' },
  cancellationType: wf.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});
const local = wf.proxyLocalActivities({ startToCloseTimeout: '10s', retry: { initialInterval: '10ms', backoffCoefficient: 1 } });

exports.echo = async (value) => value;
exports.fails = async (message) => {
  throw wf.ApplicationFailure.create({ message, type: 'Asked', details: [{ why: 'asked to' }] });
};
exports.oneActivity = async (name, ...args) => activities[name](...args);
exports.silentActivity = async () => beating.silent();
exports.localActivities = async () => [await local.echo('local'), await local.flaky(3)];
exports.parallelActivities = async (count) => Promise.all(Array.from({ length: count }, (_, index) => activities.echo(index)));

exports.sleeps = async (milliseconds) => {
  await wf.sleep(milliseconds);
  return 'awake';
};

exports.timerRace = async () => {
  const scope = new wf.CancellationScope();
  const long = scope.run(() => wf.sleep('1 day')).catch((error) => (wf.isCancellation(error) ? 'cancelled' : 'fired'));
  await wf.sleep(10);
  scope.cancel();
  return await long;
};

exports.cancelledActivity = async () => {
  const scope = new wf.CancellationScope();
  const running = scope.run(() => beating.beat());
  await wf.sleep(500);
  scope.cancel();
  try {
    await running;
    return 'completed';
  } catch (error) {
    return wf.isCancellation(error) ? 'cancelled' : error.message;
  }
};

const push = wf.defineSignal('push');
const finish = wf.defineSignal('finish');
const items = wf.defineQuery('items');
const broken = wf.defineQuery('broken');
const add = wf.defineUpdate('add');
const slowAdd = wf.defineUpdate('slowAdd');

/** A list that signals and updates fill, and a signal closes. */
exports.list = async () => {
  const list = [];
  let done = false;
  wf.setHandler(push, (item) => void list.push(item));
  wf.setHandler(finish, () => void (done = true));
  wf.setHandler(items, () => list);
  wf.setHandler(broken, () => {
    throw new Error('the query is broken');
  });
  wf.setHandler(add, (item) => list.push(item), {
    validator(item) {
      if (item < 0) throw wf.ApplicationFailure.create({ message: 'negative', type: 'Negative' });
    },
  });
  wf.setHandler(slowAdd, async (item) => {
    const echoed = await activities.echo(item);
    await wf.sleep(10);
    if (echoed === 0) throw wf.ApplicationFailure.create({ message: 'zero', type: 'Zero' });
    return list.push(echoed);
  });
  await wf.condition(() => done && wf.allHandlersFinished());
  return list;
};

exports.waits = async () => wf.condition(() => false);

exports.cleansUp = async () => {
  try {
    await wf.condition(() => false);
  } finally {
    await wf.CancellationScope.nonCancellable(() => activities.echo('cleaned'));
  }
};

exports.parent = async (type, args = [], options = {}) => wf.executeChild(type, { args, ...options });

exports.parentOfFailing = async () => {
  try {
    await wf.executeChild('fails', { args: ['child broke'] });
    return 'completed';
  } catch (error) {
    return [error.name, error.cause.message, error.cause.type];
  }
};

exports.cancelsChild = async () => {
  const scope = new wf.CancellationScope();
  const child = await scope.run(() => wf.startChild('waits', { cancellationType: wf.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED }));
  await wf.sleep(10);
  scope.cancel();
  return await child.result().catch((error) => (wf.isCancellation(error) ? 'cancelled' : error.message));
};

exports.leavesChild = async (parentClosePolicy) => {
  const child = await wf.startChild('waits', { parentClosePolicy });
  return child.workflowId;
};

exports.signalsExternal = async (workflowId) => {
  try {
    await wf.getExternalWorkflowHandle(workflowId).signal('push', 'from outside');
    await wf.getExternalWorkflowHandle(workflowId).cancel();
    return 'done';
  } catch (error) {
    return error.message;
  }
};

exports.countsDown = async (n) => {
  if (n > 0) await wf.continueAsNew(n - 1);
  return { left: n, memo: wf.workflowInfo().memo, first: wf.workflowInfo().firstExecutionRunId };
};

exports.patched = async () => {
  const how = wf.patched('faster') ? 'new' : 'old';
  wf.deprecatePatch('gone');
  return [how, await activities.echo(wf.uuid4().length), typeof Math.random()];
};

exports.upserts = async (attributes, memo) => {
  wf.upsertSearchAttributes(attributes);
  wf.upsertMemo(memo);
  await wf.condition(() => false);
};

exports.attempts = async () => {
  if (wf.workflowInfo().attempt < 3) throw wf.ApplicationFailure.create({ message: 'again' });
  return wf.workflowInfo().attempt;
};
