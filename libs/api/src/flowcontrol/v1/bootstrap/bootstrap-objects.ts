import type {
  FlowSchema,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  ResourcePolicyRule,
  Subject,
} from '../../../gen/types/flowcontrol.v1.js';

/** On objects that the server itself keeps at its own values; `false` leaves them to the operator. */
export const AUTO_UPDATE_ANNOTATION = 'apf.kubernetes.io/autoupdate-spec';

const level = (name: string, spec: PriorityLevelConfigurationSpec): PriorityLevelConfiguration => ({
  metadata: { name, annotations: { [AUTO_UPDATE_ANNOTATION]: 'true' } },
  spec,
});

interface Queues {
  readonly shares: number;
  readonly lendable: number;
  readonly queues: number;
  readonly hand: number;
}

const queueLevel = (name: string, want: Queues): PriorityLevelConfiguration =>
  level(name, {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: want.shares,
      lendablePercent: want.lendable,
      limitResponse: {
        type: 'Queue',
        queuing: { queues: want.queues, handSize: want.hand, queueLengthLimit: 50 },
      },
    },
  });

const groups = (...names: readonly string[]): Subject[] =>
  names.map((name) => ({ kind: 'Group', group: { name } }));
const users = (...names: readonly string[]): Subject[] =>
  names.map((name) => ({ kind: 'User', user: { name } }));
const kubeSystem: Subject = {
  kind: 'ServiceAccount',
  serviceAccount: { name: '*', namespace: 'kube-system' },
};

const NODES = groups('system:nodes');
const EVERYBODY = groups('system:unauthenticated', 'system:authenticated');
const CONTROLLER_MANAGER = 'system:kube-controller-manager';
const SCHEDULER = 'system:kube-scheduler';

const inAll = (
  rule: Pick<ResourcePolicyRule, 'verbs' | 'apiGroups' | 'resources'>,
  clusterScope: boolean,
): ResourcePolicyRule => ({
  ...rule,
  // Go writes the field only when it is true.
  ...(clusterScope ? { clusterScope } : {}),
  namespaces: ['*'],
});

const everything = (subjects: Subject[]): PolicyRulesWithSubjects => ({
  subjects,
  resourceRules: [inAll({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, true)],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
});

const leases = (...verbs: string[]): ResourcePolicyRule =>
  inAll({ verbs, apiGroups: ['coordination.k8s.io'], resources: ['leases'] }, false);

function schema(
  [name, levelName, matchingPrecedence]: readonly [string, string, number],
  method: '' | 'ByUser' | 'ByNamespace',
  rule: PolicyRulesWithSubjects,
): FlowSchema {
  return {
    metadata: { name, annotations: { [AUTO_UPDATE_ANNOTATION]: 'true' } },
    spec: {
      priorityLevelConfiguration: { name: levelName },
      matchingPrecedence,
      ...(method ? { distinguisherMethod: { type: method } } : {}),
      rules: [rule],
    },
  };
}

/** Levels without which the server cannot work; validation keeps them as they are. */
export const mandatoryPriorityLevels = (): PriorityLevelConfiguration[] => [
  level('catch-all', {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: 5,
      lendablePercent: 0,
      limitResponse: { type: 'Reject' },
    },
  }),
  level('exempt', {
    type: 'Exempt',
    exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 },
  }),
];

export const mandatoryFlowSchemas = (): FlowSchema[] => [
  schema(['exempt', 'exempt', 1], '', everything(groups('system:masters'))),
  schema(['catch-all', 'catch-all', 10_000], 'ByUser', everything(EVERYBODY)),
];

/** Levels that are there from the start and that an operator may change. */
export const suggestedPriorityLevels = (): PriorityLevelConfiguration[] => [
  queueLevel('system', { shares: 30, lendable: 33, queues: 64, hand: 6 }),
  queueLevel('node-high', { shares: 40, lendable: 25, queues: 64, hand: 6 }),
  queueLevel('leader-election', { shares: 10, lendable: 0, queues: 16, hand: 4 }),
  queueLevel('workload-high', { shares: 40, lendable: 50, queues: 128, hand: 6 }),
  queueLevel('workload-low', { shares: 100, lendable: 90, queues: 128, hand: 6 }),
  queueLevel('global-default', { shares: 20, lendable: 50, queues: 128, hand: 6 }),
];

/** k8s apiserver pkg/apis/flowcontrol/bootstrap/default.go:SuggestedFlowSchemas. */
export const suggestedFlowSchemas = (): FlowSchema[] => [
  schema(['system-nodes', 'system', 500], 'ByUser', everything(NODES)),
  schema(['system-node-high', 'node-high', 400], 'ByUser', {
    subjects: NODES,
    resourceRules: [
      inAll({ verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'] }, true),
      leases('*'),
    ],
  }),
  schema(['probes', 'exempt', 2], '', {
    subjects: EVERYBODY,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  schema(['system-leader-election', 'leader-election', 100], 'ByUser', {
    subjects: [...users(CONTROLLER_MANAGER, SCHEDULER), kubeSystem],
    resourceRules: [leases('get', 'create', 'update')],
  }),
  schema(
    ['kube-controller-manager', 'workload-high', 800],
    'ByNamespace',
    everything(users(CONTROLLER_MANAGER)),
  ),
  schema(['kube-scheduler', 'workload-high', 800], 'ByNamespace', everything(users(SCHEDULER))),
  schema(
    ['kube-system-service-accounts', 'workload-high', 900],
    'ByNamespace',
    everything([kubeSystem]),
  ),
  schema(
    ['service-accounts', 'workload-low', 9000],
    'ByUser',
    everything(groups('system:serviceaccounts')),
  ),
  schema(['global-default', 'global-default', 9900], 'ByUser', everything(EVERYBODY)),
];
