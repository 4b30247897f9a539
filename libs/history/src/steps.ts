import { describeActor, describeObject } from './actor.js';
import type { ChainLink, Explanation } from './model.js';

/**
 * asks = somebody wants something; sees = somebody is told of a revision and decides; acts = something is done outside
 * the API; saved = the API server writes to etcd.
 */
export type StepKind = 'asks' | 'sees' | 'acts' | 'saved';

/** One step of a chain as a user reads it. */
export interface Step {
  readonly kind: StepKind;
  readonly actor: string;
  readonly text: string;
  /** The revision that is saved, or that is seen. */
  readonly revision?: number;
  readonly time?: string;
  /** Milliseconds since the write before, in this chain. */
  readonly afterMs?: number;
  /** By which rule it was inferred what was seen. */
  readonly inferredBy?: string;
}

const at = ({ object, revision }: ChainLink): string => `${describeObject(object)}@${revision}`;

const VERBS: Readonly<Record<string, string>> = {
  create: 'create',
  update: 'change',
  patch: 'change',
  delete: 'delete',
  deletecollection: 'delete',
};

function asks(link: ChainLink): Step {
  const { actor, request, verb = 'update', object, subresource, reason } = link;
  const what = `${VERBS[verb] ?? verb} ${describeObject(object)}${subresource ? `/${subresource}` : ''}`;
  const detail = [reason, request ? `request ${request}` : undefined].filter((part) => part);
  return {
    kind: 'asks',
    actor: describeActor(actor),
    text: `${describeActor(actor)} asks to ${what}${detail.length > 0 ? ` (${detail.join('; ')})` : ''}`,
    ...(link.time ? { time: link.time } : {}),
  };
}

function saved(link: ChainLink, afterMs: number | undefined, prefix = ''): Step {
  return {
    kind: 'saved',
    actor: describeActor(link.actor),
    text: `${prefix}${describeObject(link.object)} is saved: ${link.summary}`,
    revision: link.revision,
    ...(link.time ? { time: link.time } : {}),
    ...(afterMs === undefined ? {} : { afterMs }),
  };
}

function sees(link: ChainLink, cause: ChainLink): Step {
  const { because, reason } = link;
  const why = reason ? ` (${reason})` : '';
  const { trigger } = because ?? {};
  const once = trigger
    ? `, once there is ${describeObject(trigger.object)}@${trigger.revision}`
    : '';
  return {
    kind: 'sees',
    actor: describeActor(link.actor),
    text: `${describeActor(link.actor)} sees ${at(cause)}${once}${why}`,
    revision: cause.revision,
    ...(because?.how === 'inferred' ? { inferredBy: because.rule ?? 'the newest event' } : {}),
  };
}

const isSame = (a: ChainLink, b: ChainLink): boolean =>
  a.object.kind === b.object.kind &&
  a.object.name === b.object.name &&
  a.object.namespace === b.object.namespace;

/** What of a status goes up to an owner is seen and written down in one step. */
const isRollUp = (link: ChainLink, cause: ChainLink): boolean =>
  link.subresource === 'status' && !isSame(link, cause);

function reaction(link: ChainLink, cause: ChainLink, afterMs: number | undefined): Step[] {
  const seen = sees(link, cause);
  if (isRollUp(link, cause)) {
    const { inferredBy } = seen;
    const one = saved(link, afterMs, `${seen.text}; `);
    return [inferredBy === undefined ? one : { ...one, inferredBy }];
  }
  const acts = (link.started ?? []).map(({ name, image, startedAt }): Step => ({
    kind: 'acts',
    actor: seen.actor,
    text: `${seen.actor} has the container runtime start ${name} (${image})`,
    time: startedAt,
  }));
  return [seen, ...acts, saved(link, afterMs)];
}

/** A chain as numbered steps, from the request to the state. */
export function stepsOf({ chain, root }: Explanation): Step[] {
  return chain.flatMap((link, index) => {
    const cause = chain[index - 1];
    if (!cause)
      return root === 'request' ? [asks(link), saved(link, undefined)] : [saved(link, undefined)];
    const afterMs =
      link.time && cause.time ? Date.parse(link.time) - Date.parse(cause.time) : undefined;
    return reaction(link, cause, afterMs);
  });
}

const ROOTS: Readonly<Record<Explanation['root'], string>> = {
  request: '',
  'own-accord': 'the first one acted of its own accord: nothing says or shows what it reacted to',
  unrecorded: 'nothing was recorded with the first write: who made it and why is not known',
  compacted: 'what came before is compacted away',
  limit: 'what came before is left out: the chain is too long',
};

/** What is to be said of a chain that does not begin with a request; '' when it does. */
export function describeRoot({ root, oldest }: Explanation): string {
  const since = root === 'compacted' && oldest ? `; the oldest revision left is ${oldest}` : '';
  return `${ROOTS[root]}${since}`;
}
