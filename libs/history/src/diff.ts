import type { Change } from './model.js';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields by which elements of a list are told apart, the first that all elements have and that differ. */
const ELEMENT_KEYS = ['name', 'type', 'uid', 'ip', 'key', 'mountPath', 'containerPort', 'port'];

/** Bookkeeping of the server that says nothing about the object. */
const HIDDEN = new Set(['metadata.managedFields', 'metadata.resourceVersion']);

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const MASK = '***';

/** The field by which the elements of both lists are told apart; undefined = by their place. */
function elementKey(lists: readonly (readonly unknown[])[]): string | undefined {
  return ELEMENT_KEYS.find((key) =>
    lists.every((list) => {
      const values = list.map((element) => (isObject(element) ? element[key] : undefined));
      const named = values.every((value) => typeof value === 'string' || typeof value === 'number');
      return named && new Set(values).size === values.length;
    }),
  );
}

const joined = (path: string, key: string): string =>
  /[./]/.test(key) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;

class Differ {
  readonly changes: Change[] = [];

  walk(path: string, from: unknown, to: unknown): void {
    if (HIDDEN.has(path) || from === to) return;
    if (isObject(from) && isObject(to)) this.objects(path, from, to);
    else if (Array.isArray(from) && Array.isArray(to)) this.lists(path, from, to);
    else if (from === undefined) this.changes.push({ path, to });
    else if (to === undefined) this.changes.push({ path, from });
    else this.changes.push({ path, from, to });
  }

  private objects(path: string, from: Json, to: Json): void {
    for (const key of new Set([...Object.keys(from), ...Object.keys(to)]))
      this.walk(joined(path, key), from[key], to[key]);
  }

  private lists(path: string, from: readonly unknown[], to: readonly unknown[]): void {
    const key = elementKey([from, to]);
    const nameOf = (element: unknown, index: number): string =>
      key !== undefined && isObject(element) ? String(element[key]) : String(index);
    const before = new Map(from.map((element, index) => [nameOf(element, index), element]));
    const after = new Map(to.map((element, index) => [nameOf(element, index), element]));
    for (const name of new Set([...before.keys(), ...after.keys()]))
      this.walk(`${path}[${name}]`, before.get(name), after.get(name));
  }
}

/** What of a Secret's data is shown: that it changed, as `kubectl diff` does. */
function maskedData(data: unknown, other: unknown, mark: string): unknown {
  if (!isObject(data)) return data;
  const differs = (key: string): boolean => isObject(other) && other[key] !== data[key];
  return Object.fromEntries(
    Object.keys(data).map((key) => [key, differs(key) ? `${MASK} (${mark})` : MASK]),
  );
}

function masked(object: Json | undefined, other: Json | undefined, mark: string): Json | undefined {
  if (object?.['kind'] !== 'Secret') return object;
  const { metadata } = object;
  const annotations = isObject(metadata) ? metadata['annotations'] : undefined;
  const hidden =
    isObject(annotations) && LAST_APPLIED in annotations
      ? {
          metadata: {
            ...(metadata as Json),
            annotations: { ...annotations, [LAST_APPLIED]: MASK },
          },
        }
      : {};
  return {
    ...object,
    ...hidden,
    ...('data' in object ? { data: maskedData(object['data'], other?.['data'], mark) } : {}),
  };
}

/** The differences of two states of an object; either may be absent. Data of Secrets is not shown. */
export function diffObjects(before: object | undefined, after: object | undefined): Change[] {
  const [from, to] = [before as Json | undefined, after as Json | undefined];
  if (!from || !to) return [];
  const differ = new Differ();
  differ.walk('', masked(from, to, 'before'), masked(to, from, 'after'));
  return differ.changes;
}

const NOISE =
  /(^|\.)(generation|observedGeneration|lastTransitionTime|lastUpdateTime|lastHeartbeatTime|lastProbeTime)$/;

/** Whether a change follows from others, and only says when or how often. */
export const isNoise = ({ path }: Change): boolean => NOISE.test(path);

/** The changes that matter first. */
export function byWeight(changes: readonly Change[]): Change[] {
  return [...changes.filter((change) => !isNoise(change)), ...changes.filter(isNoise)];
}

/** A value in at most `most` characters. */
export function shortValue(value: unknown, most = 60): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const line = text.replaceAll(/[\r\n\t]+/g, ' ');
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

/** `spec.replicas: 1 -> 3`, `+metadata.labels.app: web`, `-spec.paused: true` */
export function describeChange({ path, from, to }: Change, most = 60): string {
  if (from === undefined) return `+${path}: ${shortValue(to, most)}`;
  if (to === undefined) return `-${path}: ${shortValue(from, most)}`;
  return `${path}: ${shortValue(from, most)} -> ${shortValue(to, most)}`;
}
