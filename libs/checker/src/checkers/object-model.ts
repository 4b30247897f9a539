import type { Labels, ObjectVersion } from '../history/object-version.js';
import { canonicalLabels, isSelected } from '../history/object-version.js';
import type { Operation } from '../history/operation.js';

/** One object as a client may know it: after an unknown write its uid and revision are null until somebody reads them. */
export interface PresentState {
  readonly uid: string | null;
  readonly rv: number | null;
  readonly value: string;
  readonly labels: Labels | undefined;
}

/** Null = the object does not exist. */
export type ObjectState = PresentState | null;

/** A text that is equal exactly when the states are. */
export function stateKey(state: ObjectState): string {
  if (!state) return '-';
  const labels = canonicalLabels(state.labels);
  return `${state.uid ?? '?'} ${state.rv ?? '?'} ${state.value}${labels && ` ${labels}`}`;
}

/**
 * The state after the operation, or undefined when the operation cannot have had its answer in this state. The sequential
 * specification of one Kubernetes object; it believes no revision further than "every real write changes it".
 */
export function step(state: ObjectState, operation: Operation): ObjectState | undefined {
  if (operation.outcome === 'fail') return refuses(state, operation) ? state : undefined;
  if (operation.outcome === 'unknown') return stepUnknown(state, operation);
  switch (operation.f) {
    case 'create':
      return state ? undefined : written(null, operation);
    case 'update':
    case 'patch':
      return stepUpdate(state, operation);
    case 'delete':
      return stepDelete(state, operation);
    case 'get':
      return operation.body?.object ? observe(state, operation.body.object) : undefined;
    case 'list':
      return stepList(state, operation);
  }
}

/** Precondition met, or not decidable because the state's own uid or revision is not known. */
function meetsPreconditions(state: PresentState, { args }: Operation): boolean {
  return (
    (args.uid === undefined || state.uid === null || state.uid === args.uid) &&
    (args.rv === undefined || state.rv === null || state.rv === args.rv)
  );
}

function refuses(state: ObjectState, operation: Operation): boolean {
  const { args, f, reason } = operation;
  if (reason === 'NotFound') return f === 'create' || f === 'list' || state === null;
  if (reason === 'AlreadyExists') return state !== null;
  if (reason !== 'Conflict' || (args.rv === undefined && args.uid === undefined)) return true;
  if (!state) return true;
  return (
    (args.rv !== undefined && state.rv !== args.rv) ||
    (args.uid !== undefined && state.uid !== args.uid)
  );
}

/** Applied, if it can be; the search is free never to apply it. */
function stepUnknown(state: ObjectState, operation: Operation): ObjectState | undefined {
  if (operation.f === 'create') return state ? undefined : written(null, operation);
  if (!state || !meetsPreconditions(state, operation)) return undefined;
  return operation.f === 'delete' ? null : written(state, operation);
}

function written(state: ObjectState, { args, body, rv }: Operation): PresentState {
  const answered = body?.object;
  const known = answered ?? state;
  return {
    uid: known?.uid ?? null,
    rv: rv ?? null,
    value: args.value ?? known?.value ?? '',
    labels: args.labels ?? known?.labels,
  };
}

function stepUpdate(state: ObjectState, operation: Operation): ObjectState | undefined {
  if (!state || !meetsPreconditions(state, operation)) return undefined;
  const answered = operation.body?.object;
  if (answered && state.uid !== null && answered.uid !== state.uid) return undefined;
  const next = written(state, operation);
  if (answered && answered.value !== next.value) return undefined;
  const changes =
    next.value !== state.value || canonicalLabels(next.labels) !== canonicalLabels(state.labels);
  if (state.rv === null || next.rv === null) return next;
  if (changes === (state.rv === next.rv)) return undefined;
  return changes ? next : state;
}

function stepDelete(state: ObjectState, operation: Operation): ObjectState | undefined {
  if (!state || !meetsPreconditions(state, operation)) return undefined;
  const last = operation.body?.object;
  if (last && (last.value !== state.value || (state.uid !== null && last.uid !== state.uid)))
    return undefined;
  return null;
}

function stepList(state: ObjectState, operation: Operation): ObjectState | undefined {
  const seen = operation.body?.object;
  if (seen) return observe(state, seen);
  return !state || !isSelected(operation.args.selector, state.labels) ? state : undefined;
}

/** A read fills in what an unknown write left open. */
function observe(state: ObjectState, seen: ObjectVersion): ObjectState | undefined {
  if (!state || state.value !== seen.value) return undefined;
  if (canonicalLabels(state.labels) !== canonicalLabels(seen.labels)) return undefined;
  if (state.uid !== null && state.uid !== seen.uid) return undefined;
  if (state.rv !== null && state.rv !== seen.rv) return undefined;
  if (state.uid !== null && state.rv !== null) return state;
  return { ...state, uid: seen.uid, rv: seen.rv };
}
