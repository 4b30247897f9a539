import { describe, expect, it } from '@jest/globals';
import { findKind } from '@orrery/api';
import type {
  KindDescriptor,
  LimitRange,
  Namespace,
  Node,
  Pod,
  PriorityClass,
  ResourceQuota,
  RuntimeClass,
  ServiceAccount,
} from '@orrery/api';
import type { KubeObject } from '@orrery/apimachinery';
import { SystemRandom, SystemClock } from '@orrery/component';
import { AdmissionChain } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin, ResourceStore } from '@orrery/registry';
import { staticReader } from '../live-view/static-reader.js';
import { DefaultTolerationSeconds } from './default-toleration-seconds/default-toleration-seconds.plugin.js';
import { LimitRanger } from './limit-ranger/limit-ranger.plugin.js';
import { NamespaceLifecycle } from './namespace-lifecycle/namespace-lifecycle.plugin.js';
import { NodeRestriction } from './node-restriction/node-restriction.plugin.js';
import { Priority } from './priority/priority.plugin.js';
import { ResourceQuotaPlugin } from './resource-quota/resource-quota.plugin.js';
import { PodTolerationRestriction } from './pod-toleration-restriction/pod-toleration-restriction.plugin.js';
import { RuntimeClassPlugin } from './runtime-class/runtime-class.plugin.js';
import { ServiceAccountPlugin } from './service-account/service-account.plugin.js';
import { TaintNodesByCondition } from './taint-nodes-by-condition/taint-nodes-by-condition.plugin.js';

function kindOf(plural: string): KindDescriptor {
  const groups = ['', 'coordination.k8s.io', 'storage.k8s.io'];
  const [kind] = groups.flatMap((group) => findKind(group, 'v1', plural) ?? []);
  if (!kind) throw new Error(plural);
  return kind;
}

const admin = { name: 'admin', groups: [] };
const attributes = (
  plural: string,
  object: KubeObject | undefined,
  more: Partial<AdmissionAttributes> & { user?: { name: string; groups: string[] } } = {},
): AdmissionAttributes => ({
  operation: 'CREATE',
  kind: kindOf(plural),
  subresource: '',
  namespace: object?.metadata.namespace ?? 'a',
  name: object?.metadata.name ?? '',
  ...(object ? { object } : {}),
  dryRun: false,
  context: {
    user: more.user ?? admin,
    userAgent: '',
    auditId: '',
    receivedAt: 0,
    signal: AbortSignal.timeout(60_000),
    warn: () => undefined,
  },
  ...more,
});

async function run(plugin: AdmissionPlugin, given: AdmissionAttributes): Promise<void> {
  const chain = new AdmissionChain([plugin]);
  await chain.admit(given);
  await chain.validate(given);
}

const pod = (spec: Partial<Pod['spec']> = {}, metadata: Pod['metadata'] = {}): Pod => ({
  metadata: { name: 'p', namespace: 'a', ...metadata },
  spec: { containers: [{ name: 'c' }], ...spec },
});

describe('NamespaceLifecycle', () => {
  const plugin = new NamespaceLifecycle(
    staticReader<Namespace>([
      { metadata: { name: 'a' }, spec: {} },
      { metadata: { name: 'ending' }, spec: {}, status: { phase: 'Terminating' } },
    ]),
  );

  it.each([
    {
      name: 'no namespace',
      at: attributes('pods', pod({}, { namespace: 'x' })),
      want: 'namespaces "x" not found',
    },
    {
      name: 'one that ends',
      at: attributes('pods', pod({}, { namespace: 'ending' })),
      want: 'pods "p" is forbidden: unable to create new content in namespace ending because it is being terminated',
    },
    {
      name: 'the end of default',
      at: attributes('namespaces', undefined, { operation: 'DELETE', name: 'default' }),
      want: 'namespaces "default" is forbidden: this namespace may not be deleted',
    },
  ])('refuses $name', async ({ at, want }) => {
    await expect(run(plugin, at)).rejects.toThrow(want);
  });

  it('lets the rest pass', async () => {
    await expect(run(plugin, attributes('pods', pod()))).resolves.toBeUndefined();
  });
});

describe('ServiceAccountPlugin', () => {
  const plugin = new ServiceAccountPlugin(
    staticReader<ServiceAccount>([
      { metadata: { name: 'default', namespace: 'a' }, imagePullSecrets: [{ name: 'pull' }] },
      { metadata: { name: 'quiet', namespace: 'a' }, automountServiceAccountToken: false },
    ]),
    new SystemRandom(),
  );

  it('mounts the token of the default account once', async () => {
    const made = pod();
    await run(plugin, attributes('pods', made));
    await run(plugin, attributes('pods', made));
    expect(made.spec).toMatchObject({
      serviceAccountName: 'default',
      serviceAccount: 'default',
      imagePullSecrets: [{ name: 'pull' }],
    });
    expect(made.spec?.volumes).toHaveLength(1);
    expect(made.spec?.containers[0]?.volumeMounts).toEqual([
      {
        name: made.spec?.volumes?.[0]?.name,
        readOnly: true,
        mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      },
    ]);
  });

  it('mounts nothing when the account says so', async () => {
    const made = pod({ serviceAccountName: 'quiet' });
    await run(plugin, attributes('pods', made));
    expect(made.spec?.volumes).toBeUndefined();
  });

  it('refuses an account that is missing', async () => {
    await expect(run(plugin, attributes('pods', pod({ serviceAccountName: 'x' })))).rejects.toThrow(
      'pods "p" is forbidden: error looking up service account a/x: serviceaccount "x" not found',
    );
  });
});

describe('Priority', () => {
  const plugin = new Priority(
    staticReader<PriorityClass>([
      { metadata: { name: 'high' }, value: 100, preemptionPolicy: 'Never' },
      { metadata: { name: 'usual' }, value: 5, globalDefault: true },
    ]),
  );

  it.each([
    {
      name: 'the class named',
      spec: { priorityClassName: 'high' },
      want: { priority: 100, preemptionPolicy: 'Never' },
    },
    { name: 'the default class', spec: {}, want: { priority: 5, priorityClassName: 'usual' } },
    {
      name: 'a system class that is not stored',
      spec: { priorityClassName: 'system-node-critical' },
      want: { priority: 2_000_001_000 },
    },
  ])('takes $name', async ({ spec, want }) => {
    const made = pod(spec);
    await run(plugin, attributes('pods', made));
    expect(made.spec).toMatchObject(want);
  });

  it.each([
    {
      name: 'an unknown class',
      spec: { priorityClassName: 'x' },
      want: 'no PriorityClass with name x was found',
    },
    {
      name: 'a number of one’s own',
      spec: { priority: 7 },
      want: 'the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 5',
    },
  ])('refuses $name', async ({ spec, want }) => {
    await expect(run(plugin, attributes('pods', pod(spec)))).rejects.toThrow(want);
  });
});

describe('DefaultTolerationSeconds', () => {
  it('adds the two tolerations, but not beside one of the pod’s own', async () => {
    const own = {
      key: 'node.kubernetes.io/not-ready',
      operator: 'Exists',
      effect: 'NoExecute',
    } as const;
    const made = pod({ tolerations: [own] });
    await run(
      new DefaultTolerationSeconds({ notReady: 300, unreachable: 300 }),
      attributes('pods', made),
    );
    expect(made.spec?.tolerations).toEqual([
      own,
      {
        key: 'node.kubernetes.io/unreachable',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      },
    ]);
  });
});

describe('TaintNodesByCondition', () => {
  it('taints a new node', async () => {
    const node: Node = { metadata: { name: 'n1' }, spec: {} };
    await run(new TaintNodesByCondition(), attributes('nodes', node));
    expect(node.spec?.taints).toEqual([
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
    ]);
  });
});

describe('NodeRestriction', () => {
  const plugin = new NodeRestriction(
    staticReader<Pod>([pod({ nodeName: 'n2' })]),
    staticReader<Node>([{ metadata: { name: 'n1', uid: 'u1' }, spec: {} }]),
  );
  const user = { name: 'system:node:n1', groups: ['system:nodes'] };
  const node = (metadata: object = {}, spec: Node['spec'] = {}): Node => ({
    metadata: { name: 'n1', ...metadata },
    spec,
  });
  const update = (object: Node, oldObject = node()): AdmissionAttributes =>
    attributes('nodes', object, { operation: 'UPDATE', oldObject, user });
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u1', controller: true };
  const blocking = { ...owner, blockOwnerDeletion: true };
  const mirrored = { annotations: { 'kubernetes.io/config.mirror': 'x' } };
  const mirror = { ...mirrored, ownerReferences: [owner] };
  const owned = (...ownerReferences: (typeof owner)[]): AdmissionAttributes =>
    attributes('pods', pod({ nodeName: 'n1' }, { ...mirrored, ownerReferences }), { user });

  it.each([
    {
      name: 'a mirror pod of nobody',
      at: owned(),
      want: 'node "n1" can only create pods with an owner reference set to itself',
    },
    {
      name: 'a mirror pod of several',
      at: owned(owner, owner),
      want: 'can only create pods with a single owner reference set to itself',
    },
    {
      name: 'a mirror pod of another node',
      at: owned({ ...owner, name: 'n2' }),
      want: 'can only create pods with an owner reference set to itself',
    },
    {
      name: 'a mirror pod that is not controlled',
      at: owned({ ...owner, controller: false }),
      want: 'can only create pods with a controller owner reference set to itself',
    },
    {
      name: 'a mirror pod that holds its node back',
      at: owned(blocking),
      want: 'node "n1" must not set blockOwnerDeletion on an owner reference',
    },
    {
      name: 'a mirror pod of a node that was',
      at: owned({ ...owner, uid: 'u0' }),
      want: 'node n1 UID mismatch: expected u0 got u1',
    },
    {
      name: 'a mirror pod with a trust bundle',
      at: attributes(
        'pods',
        pod(
          {
            nodeName: 'n1',
            volumes: [
              { name: 'v', projected: { sources: [{ clusterTrustBundle: { path: 'x' } }] } },
            ],
          },
          mirror,
        ),
        { user },
      ),
      want: 'node "n1" can not create pods that reference clustertrustbundles',
    },
    {
      name: 'labels by a status',
      at: attributes('pods', pod({ nodeName: 'n1' }, { labels: { a: 'b' } }), {
        operation: 'UPDATE',
        subresource: 'status',
        oldObject: pod({ nodeName: 'n1' }),
        user,
      }),
      want: 'node "n1" cannot update labels through pod status',
    },
    {
      name: 'another subresource',
      at: attributes('pods', pod({ nodeName: 'n1' }), {
        operation: 'UPDATE',
        subresource: 'resize',
        oldObject: pod({ nodeName: 'n1' }),
        user,
      }),
      want: "unexpected pod subresource \"resize\", only 'status' and 'eviction' are allowed",
    },
    {
      name: 'a change of a pod',
      at: attributes('pods', pod({ nodeName: 'n1' }), {
        operation: 'UPDATE',
        oldObject: pod({ nodeName: 'n1' }),
        user,
      }),
      want: 'unexpected operation "UPDATE", node "n1" can only create and delete mirror pods',
    },
    {
      name: 'the eviction of a pod elsewhere',
      at: attributes('pods', pod(), { subresource: 'eviction', user }),
      want: 'node n1 can only evict pods with spec.nodeName set to itself',
    },
    {
      name: 'the end of a pod elsewhere',
      at: attributes('pods', undefined, { operation: 'DELETE', name: 'p', user }),
      want: 'node "n1" can only delete pods with spec.nodeName set to itself',
    },
    {
      name: 'restricted labels later',
      at: update(node({ labels: { 'node-restriction.kubernetes.io/a': 'b' } })),
      want: 'is not allowed to modify labels: node-restriction.kubernetes.io/a',
    },
    {
      name: 'another node',
      at: attributes('nodes', { metadata: { name: 'n2' } }, { user }),
      want: 'node "n1" is not allowed to modify node "n2"',
    },
    {
      name: 'CVE-2025-5187: owner references',
      at: update(
        node({ ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] }),
      ),
      want: 'not allowed to modify ownerReferences',
    },
    {
      name: 'taints',
      at: update(node({}, { taints: [{ key: 'a', effect: 'NoSchedule' }] })),
      want: 'not allowed to modify taints',
    },
    {
      name: 'restricted labels on create (CVE-2025-4563)',
      at: attributes('nodes', node({ labels: { 'node-restriction.kubernetes.io/a': 'b' } }), {
        user,
      }),
      want: 'node "n1" is not allowed to set the following labels: node-restriction.kubernetes.io/a',
    },
    {
      name: 'a mirror pod that takes a resource claim (CVE-2025-4563)',
      at: attributes(
        'pods',
        pod({ nodeName: 'n1', resourceClaims: [{ name: 'gpu', resourceClaimName: 'c' }] }, mirror),
        { user },
      ),
      want: 'node "n1" can not create pods that reference resourceclaims',
    },
    {
      name: 'claims of a pod by its status (CVE-2025-4563)',
      at: attributes(
        'pods',
        { ...pod({ nodeName: 'n1' }), status: { resourceClaimStatuses: [{ name: 'gpu' }] } } as Pod,
        { operation: 'UPDATE', subresource: 'status', oldObject: pod({ nodeName: 'n1' }), user },
      ),
      want: 'node "n1" cannot update resource claim statues',
    },
    {
      name: 'the lease of another node',
      at: attributes(
        'leases',
        { metadata: { name: 'n2', namespace: 'kube-node-lease' } },
        { user },
      ),
      want: 'can only access node lease with the same name as the requesting node',
    },
    {
      name: 'a lease elsewhere',
      at: attributes('leases', { metadata: { name: 'n1', namespace: 'default' } }, { user }),
      want: 'can only access leases in the "kube-node-lease" system namespace',
    },
    {
      name: 'the CSINode of another node',
      at: attributes('csinodes', { metadata: { name: 'n2' } }, { user }),
      want: 'can only access CSINode with the same name as the requesting node',
    },
    {
      name: 'a claim itself',
      at: attributes('persistentvolumeclaims', { metadata: { name: 'c' } }, { user }),
      want: 'may only update PVC status',
    },
    {
      name: 'a pod of its own making',
      at: attributes('pods', pod({ nodeName: 'n1' }), { user }),
      want: 'can only create mirror pods',
    },
    {
      name: 'a mirror pod with a secret in an ephemeral container (CVE-2023-2727)',
      at: attributes(
        'pods',
        pod(
          {
            nodeName: 'n1',
            ephemeralContainers: [{ name: 'e', envFrom: [{ secretRef: { name: 's' } }] }],
          },
          mirror,
        ),
        { user },
      ),
      want: 'can not create pods that reference secrets',
    },
    {
      name: 'status of a pod elsewhere',
      at: attributes('pods', pod(), {
        user,
        operation: 'UPDATE',
        subresource: 'status',
        oldObject: pod({ nodeName: 'n2' }),
      }),
      want: 'can only update pod status',
    },
  ])('refuses $name', async ({ at, want }) => {
    await expect(run(plugin, at)).rejects.toThrow(want);
  });

  it.each([
    {
      name: 'its own label',
      at: update(node({ labels: { 'kubernetes.io/arch': 'amd64', zone: 'z' } })),
    },
    { name: 'a mirror pod', at: attributes('pods', pod({ nodeName: 'n1' }, mirror), { user }) },
    { name: 'anything by others', at: attributes('nodes', { metadata: { name: 'n2' } }) },
  ])('allows $name', async ({ at }) => {
    await expect(run(plugin, at)).resolves.toBeUndefined();
  });
});

describe('LimitRanger', () => {
  const range: LimitRange = {
    metadata: { name: 'l', namespace: 'a' },
    spec: {
      limits: [
        {
          type: 'Container',
          default: { cpu: '200m' },
          defaultRequest: { cpu: '100m' },
          max: { cpu: '1' },
          min: { cpu: '50m' },
        },
      ],
    },
  };
  const plugin = new LimitRanger(staticReader([range], (one) => one.metadata.namespace));

  it('sets defaults and says so', async () => {
    const made = pod();
    await run(plugin, attributes('pods', made));
    expect(made.spec?.containers[0]?.resources).toEqual({
      limits: { cpu: '200m' },
      requests: { cpu: '100m' },
    });
    expect(made.metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
    );
  });

  it.each([
    { name: 'too much', cpu: '2', want: 'maximum cpu usage per Container is 1, but limit is 2' },
    {
      name: 'too little',
      cpu: '10m',
      want: 'minimum cpu usage per Container is 50m, but request is 10m',
    },
    {
      name: 'all that one range finds',
      cpu: '3',
      max: '2',
      want: 'pods "p" is forbidden: [maximum cpu usage per Container is 1, but limit is 3, maximum cpu usage per Pod is 2, but limit is 3]',
    },
  ])('refuses $name', async ({ cpu, max, want }) => {
    if (max !== undefined) range.spec?.limits.push({ type: 'Pod', max: { cpu: max } });
    const made = pod({
      containers: [{ name: 'c', resources: { limits: { cpu }, requests: { cpu } } }],
    });
    await expect(run(plugin, attributes('pods', made))).rejects.toThrow(want);
  });
});

describe('LimitRanger of claims', () => {
  const range = (limits: Record<string, Record<string, string>>): LimitRange => ({
    metadata: { name: 'l', namespace: 'a' },
    spec: { limits: [{ type: 'PersistentVolumeClaim', ...limits }] },
  });

  interface Case {
    readonly name: string;
    readonly limits: Record<string, Record<string, string>>;
    readonly want: string;
  }

  it.each<Case>([
    {
      name: 'too much',
      limits: { max: { storage: '1Gi' } },
      want: 'maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
    },
    {
      name: 'too little',
      limits: { min: { storage: '3Gi' } },
      want: 'minimum storage usage per PersistentVolumeClaim is 3Gi, but request is 2Gi',
    },
    {
      name: 'no amount',
      limits: { max: { other: '1' } },
      want: 'maximum other usage per PersistentVolumeClaim is 1.  No request is specified',
    },
  ])('refuses $name', async ({ limits, want }) => {
    const plugin = new LimitRanger(staticReader([range(limits)], (one) => one.metadata.namespace));
    const claim = {
      metadata: { name: 'c', namespace: 'a' },
      spec: { resources: { requests: { storage: '2Gi' } } },
    } as KubeObject;
    await expect(run(plugin, attributes('persistentvolumeclaims', claim))).rejects.toThrow(want);
  });
});

describe('ResourceQuotaPlugin', () => {
  const quota = (hard: Record<string, string>, used: Record<string, string>): ResourceQuota => ({
    metadata: { name: 'q', namespace: 'a' },
    spec: { hard },
    status: { hard, used },
  });
  const plugin = (one: ResourceQuota): { plugin: AdmissionPlugin; stored: () => ResourceQuota } => {
    let stored = one;
    const store = {
      update: async (transform: (o: KubeObject) => Promise<KubeObject> | KubeObject) => {
        stored = (await transform(stored)) as ResourceQuota;
      },
    } as unknown as ResourceStore;
    return {
      plugin: new ResourceQuotaPlugin({
        quotas: staticReader([one], (each) => each.metadata.namespace),
        store: () => store,
        clock: new SystemClock(),
      }),
      stored: () => stored,
    };
  };

  it('books what it lets in', async () => {
    const made = plugin(
      quota({ pods: '2', 'requests.cpu': '1' }, { pods: '1', 'requests.cpu': '500m' }),
    );
    const asking = pod({ containers: [{ name: 'c', resources: { requests: { cpu: '250m' } } }] });
    await run(made.plugin, attributes('pods', asking));
    expect(made.stored().status?.used).toEqual({ pods: '2', 'requests.cpu': '750m' });
  });

  it.each([
    {
      name: 'one too many',
      hard: { pods: '1' },
      used: { pods: '1' },
      want: 'exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
    },
    {
      name: 'what names no amount',
      hard: { 'requests.memory': '1', 'limits.cpu': '1' },
      used: { 'requests.memory': '0', 'limits.cpu': '0' },
      want: 'pods "p" is forbidden: failed quota: q: must specify limits.cpu for: c,i; requests.memory for: c,i',
    },
  ])('refuses $name', async ({ hard, used, want }) => {
    const { plugin: checked } = plugin(quota(hard as never, used as never));
    const asking = pod({ initContainers: [{ name: 'i' }] });
    await expect(run(checked, attributes('pods', asking))).rejects.toThrow(want);
  });

  it('asks nothing of containers where the pod as a whole has an amount', async () => {
    const made = plugin(quota({ 'limits.cpu': '1' }, { 'limits.cpu': '0' }));
    const asking = pod({ resources: { limits: { cpu: '500m' } } });
    await expect(run(made.plugin, attributes('pods', asking))).resolves.toBeUndefined();
  });
});

describe('RuntimeClassPlugin', () => {
  const plugin = new RuntimeClassPlugin(
    staticReader<RuntimeClass>([
      { metadata: { name: 'vm' }, handler: 'vm', overhead: { podFixed: { cpu: '1' } } },
      { metadata: { name: 'bare' }, handler: 'bare' },
    ]),
  );

  it.each([
    {
      name: 'a class that is not there',
      spec: { runtimeClassName: 'x' },
      want: 'pods "p" is forbidden: pod rejected: RuntimeClass "x" not found',
    },
    {
      name: 'another overhead',
      spec: { runtimeClassName: 'vm', overhead: { cpu: '2' } },
      want: "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    },
    {
      name: 'overhead that the class has not',
      spec: { runtimeClassName: 'bare', overhead: { cpu: '2' } },
      want: 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    },
    {
      name: 'overhead of no class',
      spec: { overhead: { cpu: '2' } },
      want: 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    },
  ])('refuses $name', async ({ spec, want }) => {
    await expect(run(plugin, attributes('pods', pod(spec)))).rejects.toThrow(want);
  });
});

describe('PodTolerationRestriction', () => {
  const namespace = (annotations: Record<string, string>): PodTolerationRestriction =>
    new PodTolerationRestriction(
      staticReader<Namespace>([{ metadata: { name: 'a', annotations }, spec: {} }]),
      {},
    );
  const key = (name: string): string => `scheduler.alpha.kubernetes.io/${name}`;

  it("merges the namespace's tolerations, which never conflict", async () => {
    const plugin = namespace({
      [key('defaultTolerations')]: '[{"key":"k","operator":"Exists"},{"key":"z","value":"1"}]',
    });
    const made = pod({ tolerations: [{ key: 'k', operator: 'Equal', value: 'v' }] });
    await run(plugin, attributes('pods', made));
    expect(made.spec?.tolerations).toEqual([
      { key: 'k', operator: 'Exists' },
      { key: 'z', value: '1' },
    ]);
  });

  it('answers as a server that is not well when the whitelist does not cover a toleration', async () => {
    const plugin = namespace({
      [key('tolerationsWhitelist')]: '[{"key":"k","operator":"Exists"}]',
    });
    const made = pod({ tolerations: [{ key: 'z', operator: 'Exists' }] });
    await expect(run(plugin, attributes('pods', made))).rejects.toMatchObject({
      code: 500,
      message:
        'pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist',
    });
  });
});

describe('what is refused before it has got a name', () => {
  it.each([
    { metadata: { generateName: 'gen-' }, want: 'pods "gen-" is forbidden: pod rejected' },
    { metadata: {}, want: 'pods "Unknown" is forbidden: pod rejected' },
  ])('is called $want', async ({ metadata, want }) => {
    const plugin = new RuntimeClassPlugin(staticReader<RuntimeClass>([]));
    const made = { ...pod({ runtimeClassName: 'x' }), metadata } as Pod;
    await expect(run(plugin, attributes('pods', made))).rejects.toThrow(want);
  });
});
