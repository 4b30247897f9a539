import type { KubeObject } from '@orrery/apimachinery';

/** What differs between two worlds that are the same. */
const VOLATILE: ReadonlySet<string> = new Set([
  'resourceVersion',
  'creationTimestamp',
  'managedFields',
  'generation',
  'deletionTimestamp',
  'endpoints.kubernetes.io/last-change-trigger-time',
]);
/** What the API server draws by lot where nobody asks for one in particular. */
const DRAWN: ReadonlySet<string> = new Set(['clusterIP', 'clusterIPs', 'nodePort']);
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

const isRandomlyNamed = ({ metadata: { generateName, name = '' } }: KubeObject): boolean =>
  generateName !== undefined && name.startsWith(generateName);

/** `ReplicaSet default/web-*`: names that chance gave are cut. */
function labelOf(object: KubeObject): string {
  const { namespace = '', name = '', generateName = '' } = object.metadata;
  const shown = isRandomlyNamed(object) ? `${generateName}*` : name.replaceAll(UID, '…');
  return `${object.kind ?? ''} ${namespace}/${shown}`;
}

function normal(name: string, value: unknown, observes: number | undefined): unknown {
  // How many steps led there may differ; that the last was seen must not.
  if (name === 'observedGeneration' && typeof value === 'number' && observes !== undefined)
    return value >= observes;
  if (DRAWN.has(name) && !['None', ''].includes(String(value))) return 'drawn';
  return strip(value, observes);
}

/** Whether there is nothing but what differs: then it may be absent as well. */
const isVolatile = (name: string, value: unknown): boolean =>
  VOLATILE.has(name) ||
  (name === 'annotations' &&
    Object.keys((value ?? {}) as object).every((inner) => VOLATILE.has(inner)));

function strip(value: unknown, observes: number | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => strip(item, observes));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries
      .filter(([name, inner]) => !isVolatile(name, inner))
      .map(([name, inner]) => [name, normal(name, inner, observes)]),
  );
}

/** Lists of objects in an order of their own: that in which they came about may differ. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(ordered);
    if (items.some((item) => typeof item !== 'object')) return items;
    return items
      .map((item) => JSON.stringify(item))
      .sort()
      .map((text): unknown => JSON.parse(text));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, ordered(inner)]));
}

/** The objects without what chance and time give: two worlds are the same when these are equal. */
export function normalForm(objects: readonly KubeObject[]): string[] {
  const uids = new Map(objects.map((object) => [object.metadata.uid ?? '', labelOf(object)]));
  const named = objects.filter(isRandomlyNamed).map(({ metadata }) => metadata);
  return objects
    .map((object) => {
      let text = JSON.stringify(strip(object, object.metadata.generation));
      for (const { name = '', generateName = '' } of named)
        text = text.replaceAll(`"${name}"`, `"${generateName}*"`);
      text = text
        .replaceAll(TIME, 'some time')
        .replaceAll(UID, (uid) => `uid of ${uids.get(uid) ?? 'nobody'}`);
      return JSON.stringify(ordered(JSON.parse(text)));
    })
    .sort();
}
