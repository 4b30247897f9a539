import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { objectOf, refusals, updateRefusals } from '../../../findings.fixture.js';
import { PodKind } from './pod.kind.js';

const one = (more: object, spec: object = {}): object => ({
  spec: { containers: [{ name: 'web', image: 'nginx', ...more }], ...spec },
});
const C = 'spec.containers[0]';
const I = 'spec.initContainers[0]';
const init = (more: object): object => ({
  spec: { initContainers: [{ name: 'init', image: 'i', ...more }] },
});
const rule = { action: 'Restart', exitCodes: { operator: 'In', values: [1] } };

describe('a pod of a current release', () => {
  it.each<Refused>([
    {
      name: 'more rules and codes than can be',
      change: one({
        restartPolicy: 'Never',
        restartPolicyRules: [
          ...Array.from({ length: 20 }, () => rule),
          { action: 'Restart', exitCodes: { operator: 'In', values: Array(256).fill(1) } },
        ],
      }),
      want: [
        `${C}.restartPolicyRules: Too many: 21: must have at most 20 items`,
        `${C}.restartPolicyRules[20].exitCodes.values: Too many: 256: must have at most 255 items`,
      ],
    },
    {
      name: 'rules of an init container without a policy',
      change: init({ restartPolicyRules: [rule] }),
      want: [
        `${I}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`,
      ],
    },
    {
      name: 'a resize that restarts an init container',
      change: init({ resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }),
      want: [
        `${I}.resizePolicy[0].restartPolicy: Invalid value: "RestartContainer": must not be set to 'RestartContainer' for non-sidecar initContainers`,
      ],
    },
    {
      name: 'a resize that restarts where nothing is restarted',
      change: one(
        { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] },
        { restartPolicy: 'Never' },
      ),
      want: [
        `${C}.resizePolicy: Invalid value: "RestartContainer": must be 'NotRequired' when pod \`restartPolicy\` is 'Never'`,
      ],
    },
    {
      name: 'tolerations that compare numbers, which are alpha, and of other operators',
      change: one(
        {},
        {
          tolerations: [
            { key: 'a', operator: 'Gt', value: '1' },
            { key: 'a', operator: 'Like', value: '1' },
          ],
        },
      ),
      want: [
        'spec.tolerations[0].operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"',
        'spec.tolerations[1].operator: Unsupported value: "Like": supported values: "Equal", "Exists"',
      ],
    },
    {
      name: 'values of which upstream gives the legal ones in its own order',
      change: one(
        { terminationMessagePolicy: 'Some' },
        {
          restartPolicy: 'Some',
          dnsPolicy: 'Some',
          preemptionPolicy: 'Some',
          tolerations: [{ operator: 'Exists', effect: 'Some' }],
        },
      ),
      want: [
        `${C}.terminationMessagePolicy: Unsupported value: "Some": supported values: "File", "FallbackToLogsOnError"`,
        'spec.restartPolicy: Unsupported value: "Some": supported values: "Always", "OnFailure", "Never"',
        'spec.dnsPolicy: Unsupported value: "Some": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
        'spec.tolerations[0].effect: Unsupported value: "Some": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        'spec.preemptionPolicy: Unsupported value: "Some": supported values: "PreemptLowerPriority", "Never"',
      ],
    },
    {
      name: 'subscripts of fields that have none',
      change: one({
        env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "spec.nodeName['a']" } } }],
      }),
      want: [
        `${C}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nodeName['a']": error converting fieldPath: field label does not support subscript: spec.nodeName['a']`,
      ],
    },
    {
      name: 'one device twice',
      change: one(
        {
          volumeDevices: [
            { name: 'v', devicePath: '/d/../e' },
            { name: 'v', devicePath: '/d/../e' },
          ],
        },
        { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] },
      ),
      want: [
        `${C}.volumeDevices[0].devicePath: Invalid value: "/d/../e": can not contain backsteps ('..')`,
        `${C}.volumeDevices[1].name: Invalid value: "v": must be unique`,
        `${C}.volumeDevices[1].devicePath: Invalid value: "/d/../e": can not contain backsteps ('..')`,
      ],
    },
    {
      name: 'an iSCSI volume of a long portal',
      change: one(
        {},
        {
          volumes: [
            {
              name: 'v',
              iscsi: {
                targetPortal: 'p'.repeat(64),
                iqn: 'iqn.2001-04.com.example:disk',
                initiatorName: 'iqn.2001-04.com.example:me',
                lun: 0,
              },
            },
          ],
        },
      ),
      want: [
        'spec.volumes[0].name: Invalid value: "v": Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.',
      ],
    },
    {
      name: 'a claim template with more than labels and annotations',
      change: one(
        {},
        {
          volumes: [
            {
              name: 'v',
              ephemeral: {
                volumeClaimTemplate: {
                  metadata: { name: '', namespace: 'n' },
                  spec: {
                    accessModes: ['ReadWriteOnce'],
                    resources: { requests: { storage: '1Gi' } },
                  },
                },
              },
            },
          ],
        },
      ),
      want: [
        'spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.namespace: Forbidden: cannot be set',
      ],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(PodKind, change)).toEqual(want);
  });

  it('may show its node by the name of old, and take variables from names that end in a dash', () => {
    const change = one({
      env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.host' } } }],
      envFrom: [{ configMapRef: { name: 'c-' } }],
    });
    expect(refusals(PodKind, change)).toEqual([]);
  });
});

const stored = (change: object): ReturnType<typeof objectOf<object & { metadata: object }>> => {
  const object = objectOf(PodKind, change);
  PodKind.strategy.prepareForCreate?.(object, {
    now: '2026-01-02T00:00:00Z',
    warn: () => undefined,
  });
  return object as never;
};

describe('fields of features that are off', () => {
  const sources = [
    { clusterTrustBundle: { name: 'b', path: 'b' } },
    { podCertificate: { signerName: 'a.b/c', keyType: 'ED25519', credentialBundlePath: 'c' } },
    { serviceAccountToken: { path: 't' } },
  ];
  const change = one(
    { lifecycle: { stopSignal: 'SIGUSR1' } },
    {
      os: { name: 'linux' },
      serviceAccountName: 'default',
      schedulingGroup: { podGroupName: 'g' },
      volumes: [{ name: 'v', projected: { sources } }],
    },
  );

  it('are dropped from new pods', () => {
    expect(stored(change)).toMatchObject({
      spec: {
        volumes: [{ projected: { sources: [{}, {}, { serviceAccountToken: { path: 't' } }] } }],
      },
    });
    expect(JSON.stringify(stored(change))).not.toMatch(/stopSignal|lifecycle|schedulingGroup/);
  });

  it('stay in pods that have them', () => {
    const bump = (n: number): object => ({ ...change, metadata: { labels: { n: String(n) } } });
    expect(updateRefusals(PodKind, bump(1), bump(2))).toEqual([]);
  });
});

describe('resources of a pod as a whole', () => {
  const asks = (resources: object, ofContainer: object = {}): object =>
    one({ resources: ofContainer }, { resources });

  it.each<{ name: string; change: object; want: object }>([
    {
      name: 'are asked for as the limits say where no container asks',
      change: asks({ limits: { cpu: '1', memory: '1Gi' } }),
      want: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } },
    },
    {
      name: 'are asked for as the containers do',
      change: asks({ limits: { cpu: '1', memory: '1Gi' } }, { requests: { cpu: '250m' } }),
      want: { requests: { cpu: '250m', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } },
    },
    {
      name: 'are left alone without limits',
      change: asks({ requests: { cpu: '1' } }, { requests: { memory: '1Gi' } }),
      want: { requests: { cpu: '1' } },
    },
    {
      name: 'have the huge pages of the containers as limits',
      change: asks(
        { limits: { cpu: '1' } },
        { limits: { cpu: '1', 'hugepages-2Mi': '4Mi' }, requests: { 'hugepages-2Mi': '4Mi' } },
      ),
      want: {
        requests: { cpu: '1', 'hugepages-2Mi': '4Mi' },
        limits: { cpu: '1', 'hugepages-2Mi': '4Mi' },
      },
    },
  ])('$name', ({ change, want }) => {
    const pod = objectOf(PodKind, change);
    expect(pod.spec.resources).toEqual(want);
  });

  it.each<[string, object, string]>([
    ['limits of all that counts', asks({ limits: { cpu: '1', memory: '1Gi' } }), 'Guaranteed'],
    [
      'a container that asks for less',
      asks({ limits: { cpu: '1', memory: '1Gi' } }, { requests: { cpu: '1m' } }),
      'Burstable',
    ],
    ['limits of the processor alone', asks({ limits: { cpu: '1' } }), 'Burstable'],
    ['nothing', asks({}), 'BestEffort'],
  ])('with %s make the class', (_name, change, want) => {
    expect(stored(change)).toMatchObject({ status: { qosClass: want } });
  });
});

describe('the update of a pod', () => {
  const gated = (nodeSelector: object, more: object = {}): object =>
    one({}, { schedulingGates: [{ name: 'a' }], nodeSelector, ...more });

  it.each<RefusedUpdate>([
    {
      name: 'a later deadline, of which alone is told',
      before: one({}, { activeDeadlineSeconds: 5, tolerations: [{ operator: 'Exists' }] }),
      after: one({}, { activeDeadlineSeconds: 6, hostNetwork: true }),
      want: [
        'spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value',
      ],
    },
    {
      name: 'tolerations that are gone, of which the first is told',
      before: one(
        {},
        {
          tolerations: [
            { key: 'a', operator: 'Exists' },
            { key: 'b', operator: 'Exists' },
          ],
        },
      ),
      after: one({}, { tolerations: [{ key: '-', operator: 'Exists' }] }),
      want: [
        expect.stringContaining('spec.tolerations[0].key: Invalid value: "-"') as unknown as string,
        'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
      ],
    },
    {
      name: 'node labels that a gated pod loses, once for all',
      before: gated({ a: '1', b: '1' }),
      after: gated({ c: '1' }),
      want: [
        'spec.nodeSelector: Invalid value: {"c":"1"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ],
    },
  ])('is refused for $name', ({ before, after, want }) => {
    expect(updateRefusals(PodKind, before, after)).toEqual(want);
  });
});

describe('the status of a pod of a current release', () => {
  const with_ = (status: object, spec: object = {}): object => ({
    ...one({}, spec),
    status: { phase: 'Running', ...status },
  });
  const web = (more: object): object => ({ containerStatuses: [{ name: 'web', ...more }] });
  const ended = { state: { terminated: { exitCode: 0 } } };
  const PROFILE = 'container.apparmor.security.beta.kubernetes.io/web';

  it.each<RefusedUpdate>([
    {
      name: 'claims of bad names',
      before: with_({}, { resourceClaims: [{ name: 'c', resourceClaimName: 'x' }] }),
      after: with_(
        { resourceClaimStatuses: [{ name: 'c', resourceClaimName: '-' }] },
        { resourceClaims: [{ name: 'c', resourceClaimName: 'x' }] },
      ),
      want: [
        expect.stringMatching(
          /^status\.resourceClaimStatuses\[0\]\.resourceClaimName: Invalid value: "-": a lowercase/,
        ) as unknown as string,
      ],
    },
    {
      name: 'another profile in the annotations',
      before: with_({}),
      after: { ...with_({}), metadata: { annotations: { [PROFILE]: 'runtime/default' } } },
      want: [`metadata.annotations[${PROFILE}]: Forbidden: may not add AppArmor annotations`],
    },
    {
      name: 'users that cannot be',
      before: with_({}),
      after: with_(web({ user: { linux: { uid: -1, gid: -2, supplementalGroups: [-3] } } })),
      want: ['uid', 'gid', 'supplementalGroups[0]'].map(
        (field, i) =>
          `status.containerStatuses[0].user.linux.${field}: Invalid value: ${-1 - i}: must be between 0 and 2147483647, inclusive`,
      ),
    },
    {
      name: 'users of Linux on Windows',
      before: with_({}, { os: { name: 'windows' } }),
      after: with_(web({ user: { linux: { uid: 1, gid: 1 } } }), { os: { name: 'windows' } }),
      want: ['status.containerStatuses[0].user.linux: Forbidden: cannot be set for a windows pod'],
    },
    {
      name: 'a container nobody knows that came back',
      before: with_({ containerStatuses: [{ name: 'other', ...ended }] }),
      after: with_({ containerStatuses: [{ name: 'other', state: { running: {} } }] }),
      want: [
        'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
      ],
    },
  ])('is refused for $name', ({ before, after, want }) => {
    expect(updateRefusals(PodKind, before, after, 'status')).toEqual(want);
  });
});

describe('the resize of a pod', () => {
  type Amounts = Record<string, string>;
  const whole = (requests?: Amounts, limits?: Amounts): object =>
    one({ resources: { requests: { cpu: '1' } } }, { resources: { requests, limits } });
  const inits = (cpu: string, more: object = {}): object =>
    one(
      { resources: { requests: { cpu: '1' } } },
      {
        initContainers: [
          { name: 'init', image: 'i', resources: { requests: { cpu } }, ...more },
          { name: 'side', image: 'i', restartPolicy: 'Always', resources: { requests: { cpu } } },
        ],
      },
    );

  it.each<RefusedUpdate>([
    {
      name: 'resources of the pod that go',
      before: whole({ cpu: '2', memory: '1Gi' }, { cpu: '3' }),
      after: whole({ cpu: '2' }, { cpu: '3' }),
      want: ['spec.resources.requests: Forbidden: pod-level resource requests cannot be removed'],
    },
    {
      name: 'all resources of the pod that go',
      before: whole({ cpu: '2' }),
      after: one({ resources: { requests: { cpu: '1' } } }),
      want: ['spec.resources: Forbidden: pod-level resources cannot be removed'],
    },
    {
      name: 'huge pages of the pod',
      before: whole({ cpu: '2' }, { cpu: '2', 'hugepages-2Mi': '2Mi' }),
      after: whole({ cpu: '2' }, { cpu: '2', 'hugepages-2Mi': '4Mi' }),
      want: ['spec: Forbidden: only cpu and memory resources are mutable at pod-level'],
    },
    {
      name: 'an init container stored with a policy that restarts it',
      before: inits('1', {
        resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }],
      }),
      after: inits('2', {
        resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }],
      }),
      want: expect.arrayContaining([
        'spec.initContainers[0]: Forbidden: non-sidecar init containers with a resize policy of RestartContainer cannot be resized',
      ]) as unknown as string[],
    },
  ])('is refused for $name', ({ before, after, want }) => {
    expect(updateRefusals(PodKind, before, after, 'resize')).toEqual(want);
  });

  it.each([
    { name: 'the pod', before: whole({ cpu: '2' }), after: whole({ cpu: '3', memory: '1Gi' }) },
    { name: 'init containers and sidecars', before: inits('1'), after: inits('2') },
  ])('changes the resources of $name', ({ before, after }) => {
    expect(updateRefusals(PodKind, before, after, 'resize')).toEqual([]);
  });
});

describe('rules that restart all containers', () => {
  const all = { ...rule, action: 'RestartAllContainers' };

  it.each([
    { name: 'a container', spec: one({ restartPolicy: 'Never', restartPolicyRules: [all] }) },
    { name: 'a sidecar', spec: init({ restartPolicy: 'Always', restartPolicyRules: [all] }) },
  ])('may be those of $name', ({ spec }) => {
    expect(refusals(PodKind, spec)).toEqual([]);
  });

  it('let containers that ended start again', () => {
    const spec = { restartPolicy: 'Never' };
    const state = (running: boolean): object => ({
      ...one({ restartPolicy: 'Never', restartPolicyRules: [all] }, spec),
      status: {
        phase: 'Running',
        containerStatuses: [
          { name: 'web', state: running ? { running: {} } : { terminated: { exitCode: 0 } } },
        ],
      },
    });
    expect(updateRefusals(PodKind, state(false), state(true), 'status')).toEqual([]);
  });
});
