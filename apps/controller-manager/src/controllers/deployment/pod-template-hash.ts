import { isDeepStrictEqual } from 'node:util';
import type { PodTemplateSpec } from '@orrery/api';

export const HASH_LABEL = 'pod-template-hash';

const FNV_OFFSET = 2_166_136_261;
const FNV_PRIME = 16_777_619;
/** The letters of names that spell nothing (k8s apimachinery/pkg/util/rand: SafeEncodeString). */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

/** JSON with the keys of every object in order: equal values give equal text. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`);
  return `{${fields.join(',')}}`;
}

function fnv32a(text: string): number {
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  return hash;
}

/**
 * Names a template, as upstream's ComputeHash does in form (FNV-1a, safe letters); the text that is hashed is the
 * template's canonical JSON, so the letters differ from upstream's. `collisions` makes another name of the same.
 */
export function templateHash(template: PodTemplateSpec, collisions = 0): string {
  const text = canonical(template) + (collisions > 0 ? `#${collisions}` : '');
  return String(fnv32a(text)).replace(/\d/g, (digit) =>
    SAFE.charAt(digit.charCodeAt(0) % SAFE.length),
  );
}

/** Whether two templates differ in nothing but the hash label. */
export function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return isDeepStrictEqual(withoutHash(a), withoutHash(b));
}

function withoutHash(template: PodTemplateSpec): unknown {
  const { creationTimestamp: _, ...metadata } = template.metadata ?? {};
  const { [HASH_LABEL]: __, ...labels } = metadata.labels ?? {};
  return { spec: template.spec, metadata: { ...metadata, labels } };
}
