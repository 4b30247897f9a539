import type { DaemonSet } from '../../../types.js';
import { isDeepEqual } from '../../../meta/list.js';

/** What old controllers know a template by: a field of the internal type that apps/v1 has as an annotation. */
const ANNOTATION = 'deprecated.daemonset.template.generation';

/** 0 where the annotation is not there. */
function generationOf({ metadata }: DaemonSet): bigint {
  const text = metadata.annotations?.[ANNOTATION] ?? '0';
  return /^[+-]?[0-9]+$/.test(text) ? BigInt(text) : 0n;
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
