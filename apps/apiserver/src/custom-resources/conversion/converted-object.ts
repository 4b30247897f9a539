import type { FieldError, KubeObject } from '@orrery/apimachinery';
import { FieldPath, validateAnnotations, validateLabels } from '@orrery/apimachinery';
import { cloneJson, equalJson } from '@orrery/registry';
import { printGo } from '../print-go.js';
import { isJsonObject } from '../structural-schema.js';

/** What was converted: an object by itself, or the objects of a list at once. */
export type ConvertedForm = 'one' | 'list';

interface Asked {
  readonly original: KubeObject;
  readonly desired: string;
  readonly form: ConvertedForm;
  /** Place in what the webhook has answered. */
  readonly index: number;
}

type Metadata = KubeObject['metadata'];

const typeOf = (value: unknown): string => printGo(value)[1];

/** The faults of a field list as Go aggregates them. */
const aggregate = (faults: readonly FieldError[]): string => {
  const lines = faults.map(({ field, message }) => `${field}: ${message}`);
  return lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`;
};

const RULES = {
  labels: (map: Readonly<Record<string, string>>) =>
    validateLabels(map, FieldPath.of('metadata', 'labels')),
  // Upstream's path has no s.
  annotations: (map: Readonly<Record<string, string>>) =>
    validateAnnotations(map, FieldPath.of('metadata', 'annotation')),
};

/** Labels or annotations that a webhook has given; they are judged where they differ from the original's. */
function restored(
  field: 'labels' | 'annotations',
  given: Readonly<Record<string, unknown>>,
  original: Metadata,
): Partial<Metadata> {
  const value = given[field];
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value))
    throw new Error(`invalid metadata.${field} of type ${typeOf(value)} in converted object`);
  for (const [key, one] of Object.entries(value))
    if (typeof one !== 'string')
      throw new Error(
        `metadata.${field}[${key}] must be a string, but is ${typeOf(one)} in converted object`,
      );
  const map = value as Record<string, string>;
  if (!equalJson(map, original[field] ?? {})) {
    const faults = RULES[field](map);
    if (faults.length > 0) throw new Error(aggregate(faults));
  }
  return { [field]: map };
}

/** The metadata of the original, but for labels and annotations. Throws what is wrong with those. */
function restoreMetadata(given: unknown, original: Metadata): Metadata {
  if (given === undefined) throw new Error('missing metadata in converted object');
  if (!isJsonObject(given))
    throw new Error(`invalid metadata of type ${typeOf(given)} in converted object`);
  const kept = cloneJson(original);
  delete kept.labels;
  delete kept.annotations;
  return {
    ...kept,
    ...restored('labels', given, original),
    ...restored('annotations', given, original),
  };
}

/** A webhook may change neither version nor kind, nor which object it is. */
function checkVersion(object: Partial<KubeObject>, { original, desired }: Asked): void {
  const { apiVersion = '', kind = '' } = object;
  if (apiVersion !== desired)
    throw new Error(`invalid groupVersion (expected ${desired}, received ${apiVersion})`);
  if (kind !== original.kind)
    throw new Error(`invalid kind (expected ${original.kind ?? ''}, received ${kind})`);
}

function checkSame(object: Partial<KubeObject>, { original }: Asked): void {
  const metadata: Partial<Metadata> = isJsonObject(object.metadata) ? object.metadata : {};
  for (const [field, text] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const) {
    const before = original.metadata[field] ?? '';
    // What is no string is none to upstream's accessors.
    const after: unknown = metadata[field];
    const shown = typeof after === 'string' ? after : '';
    if (before !== shown) throw new Error(`must have the same ${text}: ${before} != ${shown}`);
  }
}

function within<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * What a webhook has answered, with the metadata of the original. Throws what stands after "returned invalid "
 * (apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go:Convert).
 */
export function checkConverted(converted: unknown, asked: Asked): KubeObject {
  const object = (isJsonObject(converted) ? converted : {}) as Partial<KubeObject>;
  const isList = asked.form === 'list';
  const listed = `converted object at index ${asked.index}`;
  within(isList ? listed : 'object at index 0', () => checkVersion(object, asked));
  within(isList ? listed : 'object', () => checkSame(object, asked));
  const place = isList ? `metadata in object at index ${asked.index}` : 'metadata';
  const metadata = within(place, () => restoreMetadata(object.metadata, asked.original.metadata));
  return { ...object, metadata };
}
