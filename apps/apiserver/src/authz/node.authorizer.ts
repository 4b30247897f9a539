import type { Pod } from '@orrery/api';
import type { UserInfo } from '@orrery/registry';
import type { AuthorizationAttributes, Authorizer, Decision } from '../filters/authorization.js';
import type { RequestInfo } from '../filters/request-info.js';
import type { LiveReader } from '../live-view/live-view.js';
import { nodeRules } from './node-rules.js';
import { podReferences } from './pod-references.js';
import type { PodReferences } from './pod-references.js';
import { ruleAllows } from './rules.js';

const NODE_PREFIX = 'system:node:';

/** The node that a user is; undefined for others. */
export function nodeNameOf(user: UserInfo): string | undefined {
  return user.name.startsWith(NODE_PREFIX) && user.groups.includes('system:nodes')
    ? user.name.slice(NODE_PREFIX.length)
    : undefined;
}

const READ = new Set(['get', 'list', 'watch']);
const OWN_LEASE = new Set(['get', 'create', 'update', 'patch', 'delete']);
const no = (reason: string): Decision => ({ allowed: false, reason });
const yes: Decision = { allowed: true };

const REFERENCED: Readonly<Record<string, keyof PodReferences>> = {
  secrets: 'secrets',
  configmaps: 'configMaps',
  persistentvolumeclaims: 'claims',
};

/**
 * Lets a node read only the secrets, config maps and claims that its pods name, ask tokens only for their
 * service accounts and keep only its own lease; the rest by the rules of system:node
 * (k8s plugin/pkg/auth/authorizer/node/node_authorizer.go).
 */
export class NodeAuthorizer implements Authorizer {
  readonly #references = new WeakMap<Pod, PodReferences>();

  /** `pods` is indexed by spec.nodeName. */
  constructor(private readonly pods: LiveReader<Pod>) {}

  authorize({ user, info }: AuthorizationAttributes): Decision {
    const node = nodeNameOf(user);
    if (node === undefined) return { allowed: false };
    if (!info.isResource) return this.#byRules(info);
    const kind = Object.hasOwn(REFERENCED, info.resource) ? REFERENCED[info.resource] : undefined;
    if (info.group === '' && kind && info.subresource === '') return this.#reads(node, info, kind);
    if (info.group === '' && info.resource === 'serviceaccounts') return this.#token(node, info);
    if (info.group === 'coordination.k8s.io' && info.resource === 'leases')
      return this.#lease(node, info);
    if (info.group === 'storage.k8s.io' && info.resource === 'csinodes')
      return this.#own(node, info, 'csinodes');
    return this.#byRules(info);
  }

  #byRules(info: RequestInfo): Decision {
    return { allowed: nodeRules.some((rule) => ruleAllows(rule, info)) };
  }

  #reads(node: string, info: RequestInfo, kind: keyof PodReferences): Decision {
    if (!READ.has(info.verb)) return no(`node '${node}' can only read resources of this type`);
    if (info.name === '') return no(`No Object name found`);
    for (const pod of this.pods.indexed(node))
      if (pod.metadata.namespace === info.namespace && this.#of(pod)[kind].has(info.name))
        return yes;
    return no(`no relationship found between node '${node}' and this object`);
  }

  #token(node: string, info: RequestInfo): Decision {
    if (info.subresource !== 'token' || info.verb !== 'create')
      return no(`can only create tokens for individual service accounts`);
    for (const pod of this.pods.indexed(node))
      if (
        pod.metadata.namespace === info.namespace &&
        (pod.spec?.serviceAccountName ?? 'default') === info.name
      )
        return yes;
    return no(`no relationship found between node '${node}' and this object`);
  }

  #lease(node: string, info: RequestInfo): Decision {
    if (!OWN_LEASE.has(info.verb))
      return no('can only get, create, update, patch, or delete a node lease');
    if (info.namespace !== 'kube-node-lease')
      return no('can only access leases in the "kube-node-lease" system namespace');
    return info.verb === 'create' || info.name === node
      ? yes
      : no('can only access node lease with the same name as the requesting node');
  }

  #own(node: string, info: RequestInfo, what: string): Decision {
    if (!OWN_LEASE.has(info.verb))
      return no(`can only get, create, update, patch, or delete a CSINode`);
    return info.verb === 'create' || info.name === node
      ? yes
      : no(`can only access ${what} with the same name as the requesting node`);
  }

  #of(pod: Pod): PodReferences {
    const known = this.#references.get(pod) ?? podReferences(pod);
    this.#references.set(pod, known);
    return known;
  }
}
