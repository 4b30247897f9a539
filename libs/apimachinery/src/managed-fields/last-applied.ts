import { canonicalJson } from '../equality.js';
import type { KubeObject } from '../object.js';
import { isPlainObject } from '../patch/merge-patch.js';

/** The manager as which kubectl applies, on either side. */
export const KUBECTL = 'kubectl';
const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
/** Longest total of annotations (k8s apimachinery pkg/api/validation/objectmeta.go:TotalAnnotationSizeLimitB). */
const LIMIT = 256 * 1024;

/** What kubectl applied last on the client's side, which its server-side apply may take over without a conflict. */
export function lastAppliedConfiguration(
  live: KubeObject | undefined,
): Readonly<Record<string, unknown>> | undefined {
  const text = live?.metadata.annotations?.[ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const found: unknown = JSON.parse(text);
    return isPlainObject(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The object with kubectl's annotation, where it has one, brought up to what was applied
 * (k8s managedfields/internal/lastappliedupdater.go:Apply).
 */
export function withLastApplied(object: KubeObject, applied: KubeObject): KubeObject {
  const { annotations } = object.metadata;
  if (annotations?.[ANNOTATION] === undefined) return object;
  const { [ANNOTATION]: _before, ...given } = applied.metadata.annotations ?? {};
  const metadata = { ...applied.metadata, annotations: given };
  const text = `${canonicalJson({ ...applied, metadata })}\n`;
  const { [ANNOTATION]: _old, ...rest } = annotations;
  const size = JSON.stringify(rest).length + text.length;
  const next = size > LIMIT ? rest : { ...rest, [ANNOTATION]: text };
  return { ...object, metadata: { ...object.metadata, annotations: next } };
}
