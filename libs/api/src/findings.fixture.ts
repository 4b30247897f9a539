import type { FieldError, KubeObject } from '@orrery/apimachinery';
import type { KindContext, KindDescriptor } from './kind.js';
import { minimalObjects } from './minimal-objects.fixture.js';

export const context: KindContext = { now: '2026-01-02T00:00:00Z', warn: () => undefined };

const lines = (findings: readonly FieldError[] | undefined): string[] =>
  (findings ?? []).map(({ field, message }) => `${field}: ${message}`);

type Loose = Record<string, unknown>;

const isObject = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields of `change` over those of `base`; undefined takes a field away. */
function merge(base: Loose, change: Loose): Loose {
  const result: Loose = { ...base };
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) delete result[key];
    else result[key] = isObject(value) && isObject(base[key]) ? merge(base[key], value) : value;
  }
  return result;
}

/** The minimal legal object of a kind with a change merged in, defaulted as the server does. */
export function objectOf<T extends KubeObject>(kind: KindDescriptor<T>, change: object = {}): T {
  const id = `${kind.group || 'core'}/${kind.version}/${kind.plural}`;
  const metadata = {
    name: 'web',
    ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}),
  };
  const minimal = structuredClone(minimalObjects[id] ?? {}) as Loose;
  const object = merge(
    merge({ metadata }, minimal),
    structuredClone(change) as Loose,
  ) as unknown as T;
  kind.setDefaults?.(object);
  return object;
}

/** What a create of the changed object is refused for: `field: message` each. */
export function refusals<T extends KubeObject>(kind: KindDescriptor<T>, change: object): string[] {
  const object = objectOf(kind, change);
  kind.strategy.prepareForCreate?.(object, context);
  return lines(kind.strategy.validate?.(object, context));
}

/** What an update from one state to another is refused for. */
export function updateRefusals<T extends KubeObject>(
  kind: KindDescriptor<T>,
  before: object,
  after: object,
  subresource?: string,
): string[] {
  const old = objectOf(kind, before);
  const object = objectOf(kind, after);
  const strategy =
    subresource === 'status'
      ? kind.status
      : subresource
        ? kind.subresources?.[subresource]
        : kind.strategy;
  strategy?.prepareForUpdate?.(object, old, context);
  return lines(strategy?.validateUpdate?.(object, old, context));
}

/** A row of a table about refused objects. */
export interface Refused {
  readonly name: string;
  readonly change: object;
  readonly want: readonly string[];
}

/** A row of a table about refused updates. */
export interface RefusedUpdate {
  readonly name: string;
  readonly before: object;
  readonly after: object;
  readonly want: readonly string[];
}
