import { StatusError } from '@orrery/apimachinery';
import type { StatusReason } from '@orrery/apimachinery';
import type { AdmissionAttributes } from '@orrery/registry';
import { forbiddenBy } from '../forbidden.js';

const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

/** Upstream's answer of a policy: a 403's words with the reason and code that the policy asks for. */
export function refuse(
  attributes: AdmissionAttributes,
  message: string,
  reason: string,
): StatusError {
  const forbidden = forbiddenBy(attributes, message);
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
