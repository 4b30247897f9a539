import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, goJsonError, invalid, required } from '@orrery/apimachinery';
import type { Node, Taint } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { eachOf } from '../../../meta/list.js';
import { validateTaints } from './taints.validation.js';

const PATH = FieldPath.of('metadata', 'annotations');
const TAINTS = 'scheduler.alpha.kubernetes.io/taints';
const AVOIDED = 'scheduler.alpha.kubernetes.io/preferAvoidPods';

type Read<T> = { readonly value: T } | { readonly fault: string };

function read<T>(text: string): Read<T> {
  try {
    return { value: JSON.parse(text) as T };
  } catch (error) {
    return { fault: goJsonError(error, text) };
  }
}

interface AvoidedPod {
  readonly podSignature?: { readonly podController?: { readonly controller?: boolean } };
}

function validateAvoided(pods: readonly AvoidedPod[] | undefined): FieldError[] {
  return eachOf(pods, ({ podSignature }, i) => {
    const at = PATH.child(AVOIDED).index(i).child('PodSignature');
    const owner = podSignature?.podController;
    if (!owner) return [required(at)];
    const path = at.child('PodController', 'Controller');
    return when(owner.controller !== true, invalid(path, false, 'must point to a controller'));
  });
}

/** What once was said of nodes by annotations (k8s pkg/apis/core/validation/validation.go:ValidateNodeSpecificAnnotations). */
export function validateNodeAnnotations({ metadata }: Node): FieldError[] {
  const taints = metadata.annotations?.[TAINTS];
  const avoided = metadata.annotations?.[AVOIDED];
  const findings: FieldError[] = [];
  if (taints) {
    const found = read<Taint[] | null>(taints);
    if ('fault' in found) findings.push(invalid(PATH, TAINTS, found.fault));
    else findings.push(...validateTaints(found.value ?? [], PATH.child(TAINTS)));
  }
  if (avoided) {
    const found = read<{ readonly preferAvoidPods?: AvoidedPod[] } | null>(avoided);
    if ('fault' in found) findings.push(invalid(PATH.child('AvoidPods'), AVOIDED, found.fault));
    else findings.push(...validateAvoided(found.value?.preferAvoidPods));
  }
  return findings;
}
