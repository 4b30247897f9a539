import type { LogEvent } from '../history/log-event.js';
import type { LogIndex } from '../history/log-index.js';
import { canonicalLabels } from '../history/object-version.js';
import type { Operation } from '../history/operation.js';
import { describeOperation, isWrite } from '../history/operation.js';
import type { Violation } from './verdict.js';

export interface AttributionInput {
  /** Every operation as recorded: failures must not be found in the log. */
  readonly recorded: readonly Operation[];
  readonly operations: readonly Operation[];
  readonly makers: ReadonlyMap<LogEvent, Operation>;
  readonly isOwn: (key: string) => boolean;
}

/** Every acknowledged write is in the log as it was answered, and every event of the clients' own keys has one maker. */
export function checkAttribution(log: LogIndex, input: AttributionInput): Violation[] {
  const violations: Violation[] = [];
  const claimed = new Map<number, Operation>();
  const explained = new Set(input.makers.values());
  for (const operation of input.makers.values())
    if (operation.rv !== undefined) claimed.set(operation.rv, operation);
  for (const operation of input.operations) {
    if (!isWrite(operation.f) || operation.outcome !== 'ok') continue;
    const broken = checkWrite(operation, { log, claimed, makers: input.makers, explained });
    if (broken) violations.push(toViolation(operation, broken));
  }
  return [...violations, ...findUnexplained(log, input)];
}

type Broken = readonly [rule: string, message: string];

interface WriteContext {
  readonly log: LogIndex;
  readonly claimed: ReadonlyMap<number, Operation>;
  readonly makers: ReadonlyMap<LogEvent, Operation>;
  readonly explained: ReadonlySet<Operation>;
}

function toViolation(operation: Operation, [rule, message]: Broken): Violation {
  return {
    checker: 'revision-order',
    rule,
    message: `${describeOperation(operation)}: ${message}`,
    key: operation.key,
    ...(operation.rv === undefined ? {} : { rv: operation.rv }),
    operation,
  };
}

function checkWrite(
  operation: Operation,
  { log, claimed, makers, explained }: WriteContext,
): Broken | undefined {
  const { f, key, rv } = operation;
  if (rv === undefined)
    return explained.has(operation)
      ? undefined
      : ['lost-write', 'acknowledged, and no event of the log can be its effect'];
  const version = log.versionOf(key, rv);
  if (!version) {
    const other = claimed.get(rv);
    return other
      ? ['duplicate-revision', `answered revision ${rv}, which ${describeOperation(other)} made`]
      : ['lost-write', `acknowledged at revision ${rv}, which is not in the log`];
  }
  const maker = makers.get(version.event);
  if (maker !== operation)
    return f === 'update' || f === 'patch'
      ? checkContent(operation, version.object)
      : ['duplicate-revision', `answered revision ${rv}, which is another write's`];
  if (version.event.at !== undefined && version.event.at < operation.call)
    return ['effect-before-call', `its event was seen before it was called`];
  return (
    checkPreconditions(operation, version.before?.object) ??
    checkContent(operation, version.object ?? version.before?.object)
  );
}

type Seen = ReturnType<LogIndex['objectAt']>;

function checkPreconditions({ f, args }: Operation, previous: Seen): Broken | undefined {
  if (f === 'create')
    return previous
      ? ['created-over-existing', 'acknowledged though the object existed']
      : undefined;
  if (!previous) return ['wrote-absent', 'acknowledged though there was no object'];
  if (args.rv !== undefined && args.rv !== previous.rv)
    return [
      'stale-precondition',
      `accepted with resourceVersion ${args.rv}, the object had ${previous.rv}`,
    ];
  if (args.uid !== undefined && args.uid !== previous.uid)
    return ['stale-precondition', `accepted with uid ${args.uid}, the object had ${previous.uid}`];
  return undefined;
}

function checkContent(operation: Operation, object: Seen): Broken | undefined {
  const { f, args, body } = operation;
  if (!object) return ['wrong-content', 'the log has no object at its revision'];
  if (f !== 'delete') {
    if (args.value !== undefined && args.value !== object.value)
      return ['wrong-content', `wrote ${args.value}, the log has ${object.value}`];
    if (args.labels && canonicalLabels(args.labels) !== canonicalLabels(object.labels))
      return ['wrong-content', 'wrote other labels than the log has'];
  }
  const answered = body?.object;
  if (answered && (answered.uid !== object.uid || answered.value !== object.value))
    return [
      'wrong-answer',
      `answered ${answered.uid} ${answered.value}, the log has ${object.uid} ${object.value}`,
    ];
  return undefined;
}

function findUnexplained(log: LogIndex, input: AttributionInput): Violation[] {
  const failed = new Map<string, Operation>();
  for (const operation of input.recorded)
    if (operation.outcome === 'fail' && isWrite(operation.f))
      failed.set(`${operation.key} ${operation.args.value ?? ''}`, operation);
  const violations: Violation[] = [];
  for (const event of log.events) {
    if (!input.isOwn(event.key) || input.makers.has(event)) continue;
    const culprit = failed.get(`${event.key} ${event.object?.value ?? ''}`);
    violations.push(
      culprit
        ? {
            ...toViolation(culprit, [
              'failed-write-took-effect',
              `refused, yet in the log at ${event.rv}`,
            ]),
            rv: event.rv,
          }
        : {
            checker: 'revision-order',
            rule: 'unexplained-event',
            message: `${event.type} of ${event.key} at revision ${event.rv} is no client's`,
            key: event.key,
            rv: event.rv,
          },
    );
  }
  return violations;
}
