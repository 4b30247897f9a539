import { newBadRequest } from '@orrery/apimachinery';
import type { DaemonSet } from '../../../types.js';
import { isDeepEqual } from '../../../meta/list.js';

/** What old controllers know a template by: a field of the internal type that apps/v1 has as an annotation. */
const ANNOTATION = 'deprecated.daemonset.template.generation';

const INT64 = 2n ** 63n;

/** 0 where the annotation is not there. Throws 400 where it is no number (pkg/apis/apps/v1/conversion.go). */
function generationOf({ metadata }: DaemonSet): bigint {
  const text = metadata.annotations?.[ANNOTATION] ?? '0';
  const isNumber = /^[+-]?[0-9]+$/.test(text);
  const value = isNumber ? BigInt(text) : 0n;
  if (isNumber && value >= -INT64 && value < INT64) return value;
  const problem = isNumber ? 'value out of range' : 'invalid syntax';
  throw newBadRequest(
    `DaemonSet in version "v1" cannot be handled as a DaemonSet: strconv.ParseInt: parsing ${JSON.stringify(text)}: ${problem}`,
  );
}

/** None yet, which is its author's to say (k8s pkg/apis/apps/v1/conversion.go:Convert_apps_DaemonSet_To_v1_DaemonSet). */
export function defaultGeneration({ metadata }: DaemonSet): void {
  metadata.annotations ??= {};
  metadata.annotations[ANNOTATION] ??= '0';
}

function setGeneration({ metadata }: DaemonSet, generation: bigint): void {
  metadata.annotations = { ...metadata.annotations, [ANNOTATION]: String(generation) };
}

/** The first, unless a client begins with a higher one (k8s pkg/registry/apps/daemonset/strategy.go:PrepareForCreate). */
export function beginGeneration(set: DaemonSet): void {
  const given = generationOf(set);
  setGeneration(set, given < 1n ? 1n : given);
}

/** One more with each other template, whatever the client says (PrepareForUpdate there). */
export function nextGeneration(set: DaemonSet, old: DaemonSet): void {
  const isSame = isDeepEqual(set.spec?.template, old.spec?.template);
  setGeneration(set, generationOf(old) + (isSame ? 0n : 1n));
}

/** With its status the generation is not written, being of the spec. */
export const keepGeneration = (set: DaemonSet, old: DaemonSet): void =>
  setGeneration(set, generationOf(old));
