import { StatusError, newMethodNotSupported } from '@orrery/apimachinery';
import type { ServedResource } from '../resource-catalog.js';

/** For what has no route upstream (k8s apiserver pkg/endpoints/handlers: serviceErrorHandler). */
export const noRoute = (): StatusError =>
  new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    { details: {} },
  );

/** A verb that a resource does not have: built-in kinds have no route for it, custom ones name it. */
export function methodNotAllowed(
  { kind, custom }: Pick<ServedResource, 'kind' | 'custom'>,
  verb: string,
): StatusError {
  return custom
    ? newMethodNotSupported({ group: kind.group, resource: kind.plural }, verb)
    : noRoute();
}
