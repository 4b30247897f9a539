import type { StatusError } from '@orrery/apimachinery';
import { newForbidden } from '@orrery/apimachinery';
import type { AdmissionAttributes } from '@orrery/registry';

/** What the request is about, by the name that errors have for it. */
export const resourceOf = ({
  kind,
}: AdmissionAttributes): { readonly group: string; readonly resource: string } => ({
  group: kind.group,
  resource: kind.plural,
});

/** The name that an error prints; a new object may not have got one (k8s apiserver pkg/admission/errors.go:extractResourceName). */
export const nameOf = ({ name, object }: AdmissionAttributes): string =>
  name || object?.metadata?.name || object?.metadata?.generateName || 'Unknown';

/** 403 in the words of admission (k8s apiserver pkg/admission/errors.go:NewForbidden). */
export const forbiddenBy = (attributes: AdmissionAttributes, why: string): StatusError =>
  newForbidden(resourceOf(attributes), nameOf(attributes), why);
