import type { KubeObject } from '@orrery/apimachinery';
import { describeActor, isComponent } from './actor.js';
import type { Because, ChainLink, ChainRoot, Explanation, LoggedWrite } from './model.js';
import { HistoryGone } from './model.js';
import type { RelatedObject } from './relations.js';
import { dependentKindOf, relationsOf, typeKey } from './relations.js';
import { withoutStates } from './to-write.js';

/** Where chains are read from. Throws {@link HistoryGone} for what is compacted away. */
export interface ChainReader {
  /** What a revision wrote; undefined when it wrote no object. */
  write(revision: number): Promise<LoggedWrite | undefined>;
  /** The newest write of an object before a revision, its deletion included. */
  newestBefore(target: RelatedObject, revision: number): Promise<LoggedWrite | undefined>;
  /** The newest write between two revisions of an object that `owner` owns. */
  newestDependent(
    owner: KubeObject,
    between: { readonly after: number; readonly before: number },
  ): Promise<LoggedWrite | undefined>;
}

export interface ChainOptions {
  /** Links that a chain may have. Default 64. */
  readonly limit?: number;
}

/** How far a writer's own earlier writes are stepped over to find what another wrote. */
const OWN_WRITES = 10;

interface Candidate {
  readonly write: LoggedWrite;
  readonly rule: string;
}

const newer = (a: Candidate | undefined, b: Candidate | undefined): Candidate | undefined =>
  a && b ? (a.write.revision >= b.write.revision ? a : b) : (a ?? b);

const sameWriter = (a: LoggedWrite, b: LoggedWrite): boolean =>
  a.actor !== undefined && describeActor(a.actor) === describeActor(b.actor);

const toTarget = ({ object, before, after }: LoggedWrite): RelatedObject => {
  const { group, kind, namespace, name } = object;
  const uid = (after ?? before)?.metadata.uid;
  return { group, kind, name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) };
};

const NOT_KNOWN = '; what the writer had been sent is not known';

/** Below which revision the writer can have seen events of a type, and how that is to be marked. */
function horizon(
  { revision, sent }: LoggedWrite,
  type: { readonly group: string; readonly kind: string },
): { readonly below: number; readonly mark: string } {
  const seen = sent?.[typeKey(type)];
  return seen === undefined
    ? { below: revision, mark: NOT_KNOWN }
    : { below: Math.min(revision, seen + 1), mark: '' };
}

/** The newest state of the object that somebody else wrote. */
async function byAnother(reader: ChainReader, write: LoggedWrite): Promise<Candidate | undefined> {
  const { below, mark } = horizon(write, write.object);
  let upTo = below;
  for (let left = OWN_WRITES; left > 0; left--) {
    const before = await reader.newestBefore(toTarget(write), upTo);
    if (!before) return undefined;
    if (!sameWriter(before, write))
      return { write: before, rule: `the state that another had written before${mark}` };
    upTo = before.revision;
  }
  return undefined;
}

async function related(reader: ChainReader, write: LoggedWrite): Promise<Candidate | undefined> {
  const states = [write.after, write.before].filter((state) => state !== undefined);
  const seen = new Set<string>();
  let best: Candidate | undefined;
  for (const { target, rule, revision } of states.flatMap(relationsOf)) {
    const id = JSON.stringify(target);
    if (seen.has(id)) continue;
    seen.add(id);
    const { below, mark } = horizon(write, target);
    const upTo = Math.min(below, revision === undefined ? Infinity : revision + 1);
    const found = await reader.newestBefore(target, upTo);
    if (found) best = newer(best, { write: found, rule: `${rule}${mark}` });
  }
  return best;
}

async function dependents(reader: ChainReader, write: LoggedWrite): Promise<Candidate | undefined> {
  const { after, before, object } = write;
  const type = dependentKindOf(object.kind);
  if (!after || !before || !type) return undefined;
  const { below, mark } = horizon(write, type);
  const since = Number(before.metadata.resourceVersion ?? 0);
  const found = await reader.newestDependent(after, { after: since, before: below });
  const rule = `what it owns: ${found?.object.kind} ${found?.object.name}${mark}`;
  return found && { write: found, rule };
}

/**
 * What a writer that does not say so must have reacted to: the newest event before its write on what the object is bound
 * to (owner, dependents, the object itself as another wrote it). A person's change has no cause but the person.
 */
async function infer(reader: ChainReader, write: LoggedWrite): Promise<Candidate | undefined> {
  const isMade = write.type === 'ADDED';
  if (!write.actor || (!isMade && !isComponent(write.actor))) return undefined;
  if (isMade) return related(reader, write);
  const found = [
    await related(reader, write),
    await dependents(reader, write),
    await byAnother(reader, write),
  ];
  return found.reduce(newer);
}

interface Found {
  readonly next?: LoggedWrite;
  readonly because?: Because;
  readonly root?: ChainRoot;
}

function rootOf({ actor, isCompacted }: LoggedWrite): ChainRoot {
  if (isCompacted) return 'compacted';
  return actor ? (isComponent(actor) ? 'own-accord' : 'request') : 'unrecorded';
}

/** Why one write was made. */
export async function causeOf(reader: ChainReader, write: LoggedWrite): Promise<Found> {
  const { reactedTo } = write;
  if (reactedTo !== undefined) {
    const because: Because = { revision: reactedTo, how: 'told' };
    const next = await reader.write(reactedTo);
    if (next) return { next, because };
  }
  const inferred = await infer(reader, write);
  if (!inferred) return { root: rootOf(write) };
  const { write: next, rule } = inferred;
  return { next, because: { revision: next.revision, how: 'inferred', rule } };
}

/** Whether news of one object can make another what it is: itself, what it owns, what it names. */
function isStranger(write: LoggedWrite, other: LoggedWrite): boolean {
  const mine = write.after ?? write.before;
  const theirs = other.after ?? other.before;
  if (!mine || !theirs) return false;
  const named = relationsOf(mine).map(({ target }) => target.uid);
  const owned = (theirs.metadata.ownerReferences ?? []).map(({ uid }) => uid);
  const { uid } = theirs.metadata;
  return (
    uid !== mine.metadata.uid && !named.includes(uid) && !owned.includes(mine.metadata.uid ?? '')
  );
}

/**
 * A pod is where it is because somebody wanted it. A stranger that made room for it (a node, a pod that went) let that happen:
 * the chain goes on with the pod, and names the stranger beside.
 */
async function asWanted(reader: ChainReader, write: LoggedWrite, found: Found): Promise<Found> {
  const { next, because } = found;
  if (!next || !because || write.object.kind !== 'Pod' || write.type === 'ADDED') return found;
  if (!isStranger(write, next)) return found;
  const own = (await byAnother(reader, write).catch(() => undefined))?.write;
  if (!own) return found;
  const trigger = { object: next.object, revision: next.revision };
  return { next: own, because: { ...because, revision: own.revision, trigger } };
}

/** Walks from a state back to the request that started it. */
export async function explainWrite(
  reader: ChainReader,
  write: LoggedWrite,
  { limit = 64 }: ChainOptions = {},
): Promise<Explanation> {
  const { object, revision } = write;
  const chain: ChainLink[] = [];
  let current = write;
  for (;;) {
    const found = await causeOf(reader, current).catch((error: unknown): Found => {
      if (!(error instanceof HistoryGone)) throw error;
      return { root: 'compacted' };
    });
    const { because, next } = await asWanted(reader, current, found);
    chain.unshift({ ...withoutStates(current), ...(because ? { because } : {}) });
    if (!next) return { object, revision, root: found.root ?? 'unrecorded', chain };
    if (chain.length >= limit) return { object, revision, root: 'limit', chain };
    current = next;
  }
}
