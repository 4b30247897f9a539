import type { KubeObject } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import type { WriteCause } from '@orrery/storage';
import type { RequestContext } from './request-context.js';
import type { StoreScope } from './store-deps.js';

/** The cause of a write that the server makes for itself. */
export const SERVER_CAUSE: WriteCause = { user: 'system:apiserver', agent: 'kube-apiserver' };

/** What is recorded with a write of this request. */
export function causeOf(
  context: RequestContext,
  type: KindDescriptor,
  object: KubeObject,
): WriteCause {
  const { user, userAgent, auditId, origin, sentAbout } = context;
  const { verb, subresource, manager, reaction } = origin ?? {};
  const sent = reaction ? undefined : sentAbout?.(type, object);
  return {
    user: user.name,
    ...(userAgent ? { agent: userAgent } : {}),
    ...(manager ? { manager } : {}),
    ...(verb ? { verb } : {}),
    ...(subresource ? { subresource } : {}),
    ...(auditId ? { request: auditId } : {}),
    ...(sent ? { sent } : {}),
    ...(reaction
      ? {
          ...(reaction.revision === undefined ? {} : { reactedTo: reaction.revision }),
          ...(reaction.controller ? { controller: reaction.controller } : {}),
          ...(reaction.reason ? { reason: reaction.reason } : {}),
        }
      : {}),
  };
}

/**
 * The `cause` of a write's options; none for a renewal of a Lease, since renewals are the most frequent writes of an
 * idle cluster and nobody asks why.
 */
export function causeOption(
  { kind }: StoreScope,
  object: KubeObject,
  context: RequestContext,
  verb: 'create' | 'update' | 'delete',
): { readonly cause?: WriteCause } {
  const isRenewal = verb === 'update' && kind.group === 'coordination.k8s.io';
  return isRenewal ? {} : { cause: causeOf(context, kind, object) };
}
