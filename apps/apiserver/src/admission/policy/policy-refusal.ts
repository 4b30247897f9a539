import { StatusError, newForbidden } from '@orrery/apimachinery';
import type { StatusReason } from '@orrery/apimachinery';
import type { AdmissionAttributes } from '@orrery/registry';

const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

/** The name that a 403 prints before the object has got one. */
const nameFor = ({ name, object }: AdmissionAttributes): string =>
  name || object?.metadata?.generateName || 'Unknown';

/** Upstream's answer of a policy: a 403's words with the reason and code that the policy asks for. */
export function refuse(
  attributes: AdmissionAttributes,
  message: string,
  reason: string,
): StatusError {
  const resource = { group: attributes.kind.group, resource: attributes.kind.plural };
  const forbidden = newForbidden(resource, nameFor(attributes), message);
  return new StatusError(CODES[reason] ?? 422, reason as StatusReason, forbidden.message, {
    details: { ...forbidden.status.details, causes: [{ message }] },
  });
}

/** A mutating policy's refusal has the policy's words alone (k8s …/generic/policy_dispatcher.go). */
export function refuseMutation(
  attributes: AdmissionAttributes,
  messages: readonly string[],
): StatusError {
  const [message = ''] = messages;
  const forbidden = refuse(attributes, message, 'Invalid');
  return new StatusError(403, 'Invalid', message, {
    details: { ...forbidden.status.details, causes: messages.map((one) => ({ message: one })) },
  });
}
