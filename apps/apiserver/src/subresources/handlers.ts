import type { PodDisruptionBudget } from '@orrery/api';
import type { ServiceAccountTokenSigner } from '@orrery/pki';
import type { ServerServices } from '../extensions.js';
import type { LiveReader } from '../live-view/live-view.js';
import type { Authorizer } from '../filters/authorization.js';
import type { SubresourceHandler } from '../subresources.js';
import { podBinding } from './binding.js';
import { dialPolicyOf } from './dial-policy.js';
import { evictionHandler } from './eviction.js';
import { proxyHandler } from './proxy/http-proxy.js';
import { KubeletLocator, kubeletTls } from './kubelet-location.js';
import { logHandler } from './log.js';
import { objectSubresources } from './object-subresources.js';
import { tokenHandler } from './service-account-token.js';
import { streamHandler } from './streams.js';

export interface HandlerDeps {
  readonly services: ServerServices;
  readonly budgets: LiveReader<PodDisruptionBudget>;
  /** Absent = no --service-account-signing-key-file: tokens cannot be asked for. */
  readonly signer?: ServiceAccountTokenSigner;
  readonly audiences: readonly string[];
  readonly authorizer: Authorizer;
}

/** Every subresource that this server adds to the generic status and scale. */
export function subresourceHandlers(deps: HandlerDeps): SubresourceHandler[] {
  const { services } = deps;
  const { options } = services;
  const policy = dialPolicyOf(options);
  const tls = kubeletTls(options);
  const locator = new KubeletLocator(services, policy);
  const shared = { services, locator, tls, policy, authorizer: deps.authorizer };
  const { signer } = deps;
  return [
    ...objectSubresources,
    podBinding(services),
    evictionHandler(deps),
    logHandler(services, locator, tls),
    streamHandler('exec', shared),
    streamHandler('attach', shared),
    streamHandler('portforward', shared),
    proxyHandler('pods', shared),
    proxyHandler('services', shared),
    proxyHandler('nodes', shared),
    ...(signer ? [tokenHandler({ ...deps, signer })] : []),
  ];
}
