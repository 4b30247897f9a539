import type { KubeObject } from '@orrery/apimachinery';
import { byWeight, diffObjects } from './diff.js';
import type { Actor, LoggedWrite, ObjectName, Write } from './model.js';
import { startedContainers, summarize } from './summary.js';

/** What the API server records with a write. */
export interface CauseFacts extends Actor {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly verb?: string;
  readonly subresource?: string;
  readonly request?: string;
  readonly reactedTo?: number;
  readonly reason?: string;
  readonly sent?: Readonly<Record<string, number>>;
}

export interface WriteFacts {
  readonly revision: number;
  readonly type: Write['type'];
  readonly object: ObjectName;
  readonly before?: KubeObject | undefined;
  readonly after?: KubeObject | undefined;
  readonly cause?: CauseFacts | undefined;
  readonly isCompacted?: boolean | undefined;
}

const MOST_CHANGES = 100;

function actorOf({ user, agent, manager, controller }: CauseFacts): Actor {
  return {
    user,
    ...(agent ? { agent } : {}),
    ...(manager ? { manager } : {}),
    ...(controller ? { controller } : {}),
  };
}

function recorded(cause: CauseFacts, revision: number): Partial<Write> {
  const { verb, subresource, request, reactedTo, reason } = cause;
  // Nobody reacts to what has not been: such a record is from before a restore.
  const isPast = reactedTo !== undefined && reactedTo < revision;
  return {
    time: new Date(cause.time).toISOString(),
    actor: actorOf(cause),
    ...(verb ? { verb } : {}),
    ...(subresource ? { subresource } : {}),
    ...(request ? { request } : {}),
    ...(isPast ? { reactedTo } : {}),
    ...(reason ? { reason } : {}),
  };
}

/** A write for people to read, from what etcd and the cause record hold. */
export function toWrite(facts: WriteFacts): LoggedWrite {
  const { revision, type, object, before, after, cause } = facts;
  const all = byWeight(diffObjects(before, after));
  const changes = all.slice(0, MOST_CHANGES);
  const started = startedContainers(before, after);
  return {
    revision,
    type,
    object,
    ...(cause ? recorded(cause, revision) : {}),
    summary: summarize(type, { before, after }, all),
    changes,
    ...(all.length > changes.length ? { moreChanges: all.length - changes.length } : {}),
    ...(started.length > 0 ? { started } : {}),
    ...(facts.isCompacted ? { isCompacted: true as const } : {}),
    ...(before ? { before } : {}),
    ...(after ? { after } : {}),
    ...(cause?.sent ? { sent: cause.sent } : {}),
  };
}

/** The write without the states around it, as it goes over the wire. */
export function withoutStates({
  before: _before,
  after: _after,
  sent: _sent,
  ...write
}: LoggedWrite): Write {
  return write;
}
