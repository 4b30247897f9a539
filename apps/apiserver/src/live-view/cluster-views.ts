import type { KubeObject } from '@orrery/apimachinery';
import type {
  APIService,
  ClusterRole,
  ClusterRoleBinding,
  FlowSchema,
  IngressClass,
  LimitRange,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  Namespace,
  Node,
  Pod,
  PodDisruptionBudget,
  PriorityClass,
  PriorityLevelConfiguration,
  ResourceQuota,
  Role,
  RoleBinding,
  RuntimeClass,
  Secret,
  ServiceAccount,
  StorageClass,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '@orrery/api';
import { LiveView } from './live-view.js';
import type { LiveReader, LiveViewDeps, LiveViewOptions } from './live-view.js';

/** The objects that decide about requests, in memory. */
export interface ClusterViews {
  readonly namespaces: LiveReader<Namespace>;
  readonly nodes: LiveReader<Node>;
  /** Indexed by spec.nodeName. */
  readonly pods: LiveReader<Pod>;
  /** Indexed by type. */
  readonly secrets: LiveReader<Secret>;
  readonly serviceAccounts: LiveReader<ServiceAccount>;
  /** Indexed by namespace. */
  readonly limitRanges: LiveReader<LimitRange>;
  /** Indexed by namespace. */
  readonly resourceQuotas: LiveReader<ResourceQuota>;
  /** Indexed by namespace. */
  readonly podDisruptionBudgets: LiveReader<PodDisruptionBudget>;
  readonly priorityClasses: LiveReader<PriorityClass>;
  readonly storageClasses: LiveReader<StorageClass>;
  readonly ingressClasses: LiveReader<IngressClass>;
  readonly runtimeClasses: LiveReader<RuntimeClass>;
  readonly clusterRoles: LiveReader<ClusterRole>;
  readonly clusterRoleBindings: LiveReader<ClusterRoleBinding>;
  readonly roles: LiveReader<Role>;
  readonly roleBindings: LiveReader<RoleBinding>;
  readonly apiServices: LiveReader<APIService>;
  readonly flowSchemas: LiveReader<FlowSchema>;
  readonly priorityLevels: LiveReader<PriorityLevelConfiguration>;
  readonly mutatingWebhooks: LiveReader<MutatingWebhookConfiguration>;
  readonly validatingWebhooks: LiveReader<ValidatingWebhookConfiguration>;
  readonly validatingPolicies: LiveReader<ValidatingAdmissionPolicy>;
  /** Indexed by policy name. */
  readonly validatingPolicyBindings: LiveReader<ValidatingAdmissionPolicyBinding>;
  readonly mutatingPolicies: LiveReader<MutatingAdmissionPolicy>;
  /** Indexed by policy name. */
  readonly mutatingPolicyBindings: LiveReader<MutatingAdmissionPolicyBinding>;
}

const NODE_NAME = Buffer.from('"nodeName":"');
const QUOTE = 0x22;

/** The values of all fields of this name in a Pod's JSON: quotes in strings are escaped, so that nothing else looks like one. */
export function nodeNamesIn(bytes: Buffer): readonly string[] {
  const names: string[] = [];
  for (let at = bytes.indexOf(NODE_NAME); at >= 0; at = bytes.indexOf(NODE_NAME, at)) {
    at += NODE_NAME.length;
    names.push(bytes.toString('utf8', at, bytes.indexOf(QUOTE, at)));
  }
  return names;
}

/** Follows every resource of ClusterViews below `root` (/registry). `ready` resolves when all have been listed. */
export function startClusterViews(
  deps: LiveViewDeps,
  root: string,
  signal: AbortSignal,
): ClusterViews & { readonly ready: Promise<void>; readonly stopped: Promise<void> } {
  const started: LiveView<KubeObject>[] = [];
  const running: Promise<void>[] = [];
  const view = <T extends KubeObject>(
    path: string,
    index?: LiveViewOptions<T>['index'],
    more: Pick<LiveViewOptions<T>, 'indexBytes'> = {},
  ): LiveView<T> => {
    const prefix = `${root.replace(/\/$/, '')}/${path}/`;
    const made = new LiveView<T>(deps, { prefix, ...more, ...(index ? { index } : {}) });
    started.push(made as unknown as LiveView<KubeObject>);
    running.push(made.start(signal));
    return made;
  };
  const byNamespace = (object: KubeObject): string | undefined => object.metadata.namespace;
  const views: ClusterViews = {
    namespaces: view('namespaces'),
    nodes: view('minions'),
    pods: view<Pod>('pods', (pod) => pod.spec?.nodeName, { indexBytes: nodeNamesIn }),
    secrets: view<Secret>('secrets', (secret) => secret.type),
    serviceAccounts: view('serviceaccounts'),
    limitRanges: view<LimitRange>('limitranges', byNamespace),
    resourceQuotas: view<ResourceQuota>('resourcequotas', byNamespace),
    podDisruptionBudgets: view<PodDisruptionBudget>('poddisruptionbudgets', byNamespace),
    priorityClasses: view('priorityclasses'),
    storageClasses: view('storageclasses'),
    ingressClasses: view('ingressclasses'),
    runtimeClasses: view('runtimeclasses'),
    clusterRoles: view('clusterroles'),
    clusterRoleBindings: view('clusterrolebindings'),
    roles: view('roles'),
    roleBindings: view('rolebindings'),
    apiServices: view('apiregistration.k8s.io/apiservices'),
    flowSchemas: view('flowschemas'),
    priorityLevels: view('prioritylevelconfigurations'),
    mutatingWebhooks: view('mutatingwebhookconfigurations'),
    validatingWebhooks: view('validatingwebhookconfigurations'),
    validatingPolicies: view('validatingadmissionpolicies'),
    validatingPolicyBindings: view<ValidatingAdmissionPolicyBinding>(
      'validatingadmissionpolicybindings',
      ({ spec }) => spec.policyName,
    ),
    mutatingPolicies: view('mutatingadmissionpolicies'),
    mutatingPolicyBindings: view<MutatingAdmissionPolicyBinding>(
      'mutatingadmissionpolicybindings',
      ({ spec }) => spec.policyName,
    ),
  };
  return {
    ...views,
    ready: Promise.all(started.map((one) => one.ready)).then(() => undefined),
    stopped: Promise.all(running).then(() => undefined),
  };
}
