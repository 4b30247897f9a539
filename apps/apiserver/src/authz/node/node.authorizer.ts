import type { Pod } from '@orrery/api';
import type { UserInfo } from '@orrery/registry';
import type { AuthorizationAttributes, Authorizer, Decision } from '../../filters/authorization.js';
import type { RequestInfo } from '../../filters/request-info.js';
import type { LiveReader } from '../../live-view/live-view.js';
import { NodeRelations } from './node-relations.js';
import type { ObjectReader, Related } from './node-relations.js';
import { nodeRules } from './node-rules.js';
import { isScopedTo } from '../request-selectors.js';
import { ruleAllows } from '../rules.js';

const NODE_PREFIX = 'system:node:';

/** The node that a user is; undefined for others. */
export function nodeNameOf(user: UserInfo): string | undefined {
  return user.name.startsWith(NODE_PREFIX) && user.groups.includes('system:nodes')
    ? user.name.slice(NODE_PREFIX.length)
    : undefined;
}

const READ = new Set(['get', 'list', 'watch']);
const OWN = new Set(['get', 'create', 'update', 'patch', 'delete']);
const no = (reason = ''): Decision => ({ allowed: false, ...(reason ? { reason } : {}) });
const yes: Decision = { allowed: true };

type Answer = Decision | Promise<Decision>;
type Rule = (node: string, info: RequestInfo) => Answer;

/**
 * Lets a node read and write what is its own, and read what its pods name; the rest by the rules of system:node
 * (k8s plugin/pkg/auth/authorizer/node/node_authorizer.go).
 */
export class NodeAuthorizer implements Authorizer {
  private readonly relations: NodeRelations;

  /** What is said of resources that belong to nodes or to their pods, by `resource.group`. */
  private readonly rules: Readonly<Record<string, Rule>> = {
    secrets: (node, info) => this.read(node, info, 'secrets'),
    configmaps: (node, info) => this.read(node, info, 'configMaps'),
    // Upstream's kubelet gets its claims, ours follows each of them too.
    persistentvolumeclaims: (node, info) =>
      info.subresource === 'status'
        ? this.updateStatus(node, info, 'claims')
        : this.read(node, info, 'claims'),
    persistentvolumes: (node, info) => this.get(node, info, 'volumes'),
    serviceaccounts: (node, info) => this.serviceAccount(node, info),
    nodes: (node, info) => this.node(node, info),
    pods: (node, info) => this.pod(node, info),
    'resourceclaims.resource.k8s.io': (node, info) => this.get(node, info, 'resourceClaims'),
    'resourceslices.resource.k8s.io': (node, info) => this.slice(node, info),
    'volumeattachments.storage.k8s.io': (node, info) => this.get(node, info, 'attachments'),
    'podcertificaterequests.certificates.k8s.io': (node, info) => this.request(node, info),
    'leases.coordination.k8s.io': (node, info) => this.lease(node, info),
    'csinodes.storage.k8s.io': (node, info) => this.csiNode(node, info),
  };

  /** `pods` is indexed by spec.nodeName; `read` finds objects that no view holds. */
  constructor(pods: LiveReader<Pod>, read: ObjectReader) {
    this.relations = new NodeRelations(pods, read);
  }

  authorize({ user, info }: AuthorizationAttributes): Answer {
    const node = nodeNameOf(user);
    if (node === undefined) return no();
    const name = info.group === '' ? info.resource : `${info.resource}.${info.group}`;
    const rule = info.isResource && Object.hasOwn(this.rules, name) ? this.rules[name] : undefined;
    return rule ? rule(node, info) : { allowed: nodeRules.some((each) => ruleAllows(each, info)) };
  }

  private read(node: string, info: RequestInfo, kind: Related): Answer {
    if (!READ.has(info.verb)) return no('can only read resources of this type');
    if (info.subresource !== '') return no('cannot read subresource');
    if (info.namespace === '') return no('can only read namespaced object of this type');
    return this.related(node, info, kind);
  }

  private get(node: string, info: RequestInfo, kind: Related): Answer {
    if (info.verb !== 'get') return no('can only get individual resources of this type');
    if (info.subresource !== '') return no('cannot get subresource');
    return this.related(node, info, kind);
  }

  private updateStatus(node: string, info: RequestInfo, kind: Related): Answer {
    return info.verb === 'update' || info.verb === 'patch'
      ? this.related(node, info, kind)
      : no('can only get/update/patch this type');
  }

  private async related(node: string, info: RequestInfo, kind: Related): Promise<Decision> {
    if (info.name === '') return no('No Object name found');
    return (await this.relations.has(node, kind, info))
      ? yes
      : no(`no relationship found between node '${node}' and this object`);
  }

  private serviceAccount(node: string, info: RequestInfo): Answer {
    if (info.verb === 'get' && info.subresource === '')
      return this.read(node, info, 'serviceAccounts');
    if (info.verb !== 'create' || info.name === '')
      return no('can only create tokens for individual service accounts');
    return info.subresource === 'token'
      ? this.related(node, info, 'serviceAccounts')
      : no('can only create token subresource of serviceaccount');
  }

  /** Writes are limited to its own object by the admission plugin NodeRestriction, here and for pods. */
  private node(node: string, { subresource, verb, name }: RequestInfo): Decision {
    if (subresource === 'status') return verb === 'update' || verb === 'patch' ? yes : no();
    if (subresource !== '') return no();
    if (['create', 'update', 'patch'].includes(verb)) return yes;
    if (!READ.has(verb)) return no();
    if (name === node) return yes;
    return no(
      name === ''
        ? `node '${node}' cannot read all nodes, only its own Node object`
        : `node '${node}' cannot read '${name}', only its own Node object`,
    );
  }

  private pod(node: string, info: RequestInfo): Answer {
    const { subresource, verb } = info;
    if (subresource === 'status') return verb === 'update' || verb === 'patch' ? yes : no();
    if (subresource === 'eviction') return verb === 'create' ? yes : no();
    if (subresource !== '') return no();
    if (verb === 'create' || verb === 'delete') return yes;
    if (verb === 'get') return this.get(node, info, 'pods');
    if (verb !== 'list' && verb !== 'watch') return no();
    if (isScopedTo(info, 'spec.nodeName', node)) return yes;
    return info.name === ''
      ? no('can only list/watch pods with spec.nodeName field selector')
      : this.related(node, info, 'pods');
  }

  private slice(node: string, info: RequestInfo): Answer {
    if (info.subresource !== '') return no('cannot authorize ResourceSlice subresources');
    switch (info.verb) {
      case 'create':
        return yes;
      case 'get':
      case 'update':
      case 'patch':
      case 'delete':
        return this.related(node, info, 'slices');
      case 'watch':
      case 'list':
      case 'deletecollection':
        return isScopedTo(info, 'spec.nodeName', node)
          ? yes
          : no('can only list/watch/deletecollection resourceslices with nodeName field selector');
      default:
        return no(
          'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
        );
    }
  }

  private request(node: string, info: RequestInfo): Answer {
    if (info.subresource !== '')
      return no('nodes may not access the status subresource of PodCertificateRequests');
    switch (info.verb) {
      case 'create':
        return yes;
      case 'get':
        return this.related(node, info, 'certificateRequests');
      case 'list':
      case 'watch':
        return isScopedTo(info, 'spec.nodeName', node)
          ? yes
          : no('can only list/watch podcertificaterequests with nodeName field selector');
      default:
        return no(`nodes may not ${info.verb} podcertificaterequests`);
    }
  }

  private lease(node: string, { verb, namespace, name }: RequestInfo): Decision {
    if (!OWN.has(verb)) return no('can only get, create, update, patch, or delete a node lease');
    if (namespace !== 'kube-node-lease')
      return no('can only access leases in the "kube-node-lease" system namespace');
    return verb === 'create' || name === node
      ? yes
      : no('can only access node lease with the same name as the requesting node');
  }

  private csiNode(node: string, { verb, subresource, name }: RequestInfo): Decision {
    if (!OWN.has(verb)) return no('can only get, create, update, patch, or delete a CSINode');
    if (subresource !== '') return no('cannot authorize CSINode subresources');
    return verb === 'create' || name === node
      ? yes
      : no('can only access CSINode with the same name as the requesting node');
  }
}
