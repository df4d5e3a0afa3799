const { activityInfo, ApplicationFailure, cancelled, Context, heartbeat, CompleteAsyncError } = require('@temporalio/activity');

exports.echo = async (value) => value;

/** Fails until the attempt given. */
exports.flaky = async (succeedsAt) => {
  const { attempt } = activityInfo();
  if (attempt < succeedsAt) throw ApplicationFailure.create({ message: `attempt ${attempt}`, type: 'Flaky', details: [attempt] });
  return attempt;
};

exports.fatal = async () => {
  throw ApplicationFailure.nonRetryable('never again', 'Fatal', { code: 7 });
};

/** Heartbeats until it is told that it was cancelled. */
exports.beat = async () => {
  const context = Context.current();
  const timer = setInterval(() => heartbeat('beating'), 100);
  try {
    await cancelled();
  } finally {
    clearInterval(timer);
    heartbeat(`${context.info.attempt}: cancelled`);
  }
};

/** Its first attempt goes silent after a heartbeat; the next answers what that said. */
exports.silent = async () => {
  const { attempt, heartbeatDetails } = activityInfo();
  if (attempt > 1) return heartbeatDetails;
  heartbeat('said before');
  return await new Promise((_, reject) => Context.current().cancellationSignal.addEventListener('abort', () => reject(new Error('gone'))));
};

exports.later = async () => {
  throw new CompleteAsyncError();
};
