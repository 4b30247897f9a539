import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { PodKind } from './pod.kind.js';

const one = (more: object, spec: object = {}): object => ({
  spec: { containers: [{ name: 'web', image: 'nginx', ...more }], ...spec },
});
const withVolume = (volume: object): object => ({ spec: { volumes: [{ name: 'v', ...volume }] } });

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

describe('a container', () => {
  it.each<Refused>([
    {
      name: 'none',
      change: { spec: { containers: [] } },
      want: ['spec.containers: Required value'],
    },
    {
      name: 'no name and no image',
      change: { spec: { containers: [{}] } },
      want: ['spec.containers[0].name: Required value', 'spec.containers[0].image: Required value'],
    },
    {
      name: 'a name that is no label',
      change: one({ name: 'Web' }),
      want: [`spec.containers[0].name: Invalid value: "Web": ${LABEL}`],
    },
    {
      name: 'an image with a space in front',
      change: one({ image: ' nginx' }),
      want: [
        'spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace',
      ],
    },
    {
      name: 'ports out of range and of no protocol',
      change: one({ ports: [{ containerPort: 70000, protocol: 'ICMP' }, {}] }),
      want: [
        'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
        'spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
        'spec.containers[0].ports[1].containerPort: Required value',
      ],
    },
    {
      name: 'one host port twice',
      change: one({
        ports: [
          { containerPort: 80, hostPort: 80 },
          { containerPort: 81, hostPort: 80 },
        ],
      }),
      want: ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"'],
    },
    {
      name: 'a variable of two sources',
      change: one({
        env: [
          {
            name: 'A',
            valueFrom: {
              fieldRef: { fieldPath: 'metadata.name' },
              secretKeyRef: { name: 's', key: 'k' },
            },
          },
          { name: 'B', valueFrom: {} },
          { name: 'C', valueFrom: { fieldRef: { fieldPath: 'spec.foo' } } },
          { name: 'D', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } },
        ],
      }),
      want: [
        'spec.containers[0].env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time',
        'spec.containers[0].env[1].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
        'spec.containers[0].env[2].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo',
        'spec.containers[0].env[3].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      ],
    },
    {
      name: 'a request above its limit, and devices in part',
      change: one({
        resources: {
          limits: { cpu: '1', 'example.com/gpu': '1500m' },
          requests: { cpu: '2', 'example.com/gpu': '1500m' },
        },
      }),
      want: [
        'spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "1500m": must be an integer',
        'spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "1500m": must be an integer',
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      ],
    },
    {
      name: 'resources of no known name',
      change: one({ resources: { requests: { gpu: '1' } } }),
      want: [
        'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
        'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers',
      ],
    },
    {
      name: 'claims that the pod does not have',
      change: one({ resources: { claims: [{ name: 'gpu' }] } }),
      want: [
        'spec.containers[0].resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty',
      ],
    },
    {
      name: 'probes that cannot be',
      change: one({
        livenessProbe: { httpGet: { port: 0 }, successThreshold: 2 },
        readinessProbe: { exec: { command: ['a'] }, terminationGracePeriodSeconds: 3 },
        startupProbe: {},
      }),
      want: [
        'spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
        'spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readinessProbes',
        'spec.containers[0].startupProbe: Required value: must specify a handler type',
      ],
    },
    {
      name: 'hooks of two kinds, and a sleep longer than the pod has',
      change: one({
        lifecycle: {
          postStart: { exec: { command: ['a'] }, tcpSocket: { port: 1 } },
          preStop: { sleep: { seconds: 40 } },
        },
      }),
      want: [
        'spec.containers[0].lifecycle.postStart.tcpSocket: Forbidden: may not specify more than 1 handler type',
        'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 40: must be non-negative and less than terminationGracePeriodSeconds (30)',
      ],
    },
    {
      name: 'mounts of nothing, twice at one place',
      change: one({
        volumeMounts: [
          { name: 'x', mountPath: '/a' },
          { name: 'y', mountPath: '/a', subPath: '/etc' },
        ],
      }),
      want: [
        'spec.containers[0].volumeMounts[0].name: Not found: "x"',
        'spec.containers[0].volumeMounts[1].name: Not found: "y"',
        'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
        'spec.containers[0].volumeMounts.subPath: Invalid value: "/etc": must be a relative path',
      ],
    },
    {
      name: 'privileges it may not gain and has',
      change: one({ securityContext: { allowPrivilegeEscalation: false, privileged: true } }),
      want: [
        'spec.containers[0].securityContext: Invalid value: {"Capabilities":null,"Privileged":true,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      ],
    },
    {
      name: 'profiles of no type',
      change: one({
        securityContext: {
          seccompProfile: {},
          appArmorProfile: { type: 'Localhost' },
          runAsUser: -1,
        },
      }),
      want: [
        'spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
        'spec.containers[0].securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set',
        'spec.containers[0].securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost',
      ],
    },
    {
      name: 'hooks of an init container that ends',
      change: one({}, { initContainers: [{ name: 'web', image: 'i', startupProbe: {} }] }),
      want: [
        'spec.initContainers[0].name: Duplicate value: "web"',
        'spec.initContainers[0].startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    },
    {
      name: 'restart rules without a policy',
      change: one({ restartPolicyRules: [{ action: 'Stop' }] }),
      want: [
        'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
        'spec.containers[0].restartPolicyRules[0].action: Unsupported value: "Stop": supported values: "Restart", "RestartAllContainers"',
        'spec.containers[0].restartPolicyRules[0].exitCodes: Required value: must be specified',
      ],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(PodKind, change)).toEqual(want);
  });
});

describe('a volume', () => {
  it.each<Refused>([
    {
      name: 'two sources',
      change: withVolume({ emptyDir: {}, configMap: { name: 'a' } }),
      want: ['spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type'],
    },
    {
      name: 'a host path that climbs',
      change: withVolume({ hostPath: { path: '/a/../b', type: 'Door' } }),
      want: [
        'spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
        'spec.volumes[0].hostPath.type: Unsupported value: "Door": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      ],
    },
    {
      name: 'a secret without name and with modes of no file',
      change: withVolume({ secret: { defaultMode: 512, items: [{ key: 'k', path: '../x' }] } }),
      want: [
        'spec.volumes[0].secret.secretName: Required value',
        'spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
        'spec.volumes[0].secret.items[0].path: Invalid value: "../x": must not contain \'..\'',
      ],
    },
    {
      name: 'a token that lives too short, and two files at one place',
      change: {
        spec: {
          serviceAccountName: 'default',
          volumes: [
            {
              name: 'v',
              projected: {
                sources: [
                  { serviceAccountToken: { path: 't', expirationSeconds: 5 } },
                  { configMap: { name: 'a', items: [{ key: 'k', path: 'x' }] } },
                  { secret: { name: 's', items: [{ key: 'k', path: 'x' }] } },
                ],
              },
            },
          ],
        },
      },
      want: [
        'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
        'spec.volumes[0].projected: Invalid value: "s": conflicting duplicate paths',
      ],
    },
    {
      name: 'disks without what they need',
      change: {
        spec: {
          volumes: [
            { name: 'a', nfs: { server: 's', path: 'rel' } },
            { name: 'b', gcePersistentDisk: {} },
            { name: 'c', iscsi: { targetPortal: 'p', iqn: 'x', lun: 300 } },
            { name: 'a', csi: { driver: '' } },
          ],
        },
      },
      want: [
        'spec.volumes[0].nfs.path: Invalid value: "rel": must be an absolute path',
        'spec.volumes[1].persistentDisk.pdName: Required value',
        'spec.volumes[2].iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa',
        'spec.volumes[2].iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive',
        'spec.volumes[3].csi.driver: Required value',
      ],
    },
    {
      name: 'a claim template without size',
      change: withVolume({
        ephemeral: { volumeClaimTemplate: { metadata: { name: 'x' }, spec: {} } },
      }),
      want: [
        'spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set',
        'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required',
        'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value',
      ],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(PodKind, change)).toEqual(want);
  });
});

const pod = (spec: object): object => ({ spec });

describe('a pod', () => {
  it.each<Refused>([
    {
      name: 'DNS of its own without servers',
      change: pod({ dnsPolicy: 'None' }),
      want: ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    },
    {
      name: 'tolerations that mean nothing',
      change: pod({
        tolerations: [
          { operator: 'Equal', value: 'x' },
          { key: 'a', operator: 'Exists', value: 'x', effect: 'Never', tolerationSeconds: 3 },
        ],
      }),
      want: [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        'spec.tolerations[1].effect: Invalid value: "Never": effect must be \'NoExecute\' when `tolerationSeconds` is set',
        'spec.tolerations[1].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\'',
        'spec.tolerations[1].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    },
    {
      name: 'constraints of spread that clash',
      change: pod({
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', minDomains: 0 },
          { maxSkew: 1, topologyKey: '', whenUnsatisfiable: 'Maybe', matchLabelKeys: ['a'] },
        ],
      }),
      want: [
        'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
        'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"',
        'spec.topologySpreadConstraints[1].minDomains: Invalid value: 0: must be greater than zero',
        'spec.topologySpreadConstraints[2].topologyKey: Required value: can not be empty',
        'spec.topologySpreadConstraints[2].whenUnsatisfiable: Unsupported value: "Maybe": supported values: "DoNotSchedule", "ScheduleAnyway"',
        'spec.topologySpreadConstraints[2].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
      ],
    },
    {
      name: 'node affinity of no operator',
      change: pod({
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Like' }] }],
            },
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 101, preference: {} }],
          },
        },
      }),
      want: [
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator',
        'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
      ],
    },
    {
      name: 'sysctls and process namespaces of the host',
      change: pod({
        hostNetwork: true,
        hostPID: true,
        shareProcessNamespace: true,
        securityContext: { sysctls: [{ name: 'net.ipv4.ip_forward', value: '1' }, { name: 'A' }] },
      }),
      want: [
        'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
        'spec.securityContext.sysctls[0].name: Invalid value: "net.ipv4.ip_forward": may not be specified when \'hostNetwork\' is true',
        'spec.securityContext.sysctls[1].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
      ],
    },
    {
      name: 'a system that does not exist, and what Windows has not',
      change: pod({ os: { name: 'plan9' } }),
      want: ['spec.os: Unsupported value: "plan9": supported values: "linux", "windows"'],
    },
    {
      name: 'user namespaces beside the network of the host',
      change: pod({ hostUsers: false, hostNetwork: true }),
      want: ['spec.hostNetwork: Forbidden: when `hostUsers` is false'],
    },
    {
      name: 'claims of two sources',
      change: pod({
        resourceClaims: [{ name: 'a', resourceClaimName: 'x', resourceClaimTemplateName: 'y' }],
      }),
      want: [
        'spec.resourceClaims[0]: Invalid value: {"Name":"a","ResourceClaimName":"x","ResourceClaimTemplateName":"y"}: at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
      ],
    },
    {
      name: 'requests of the pod below those of its containers',
      change: one(
        { resources: { requests: { cpu: '2' } } },
        { resources: { requests: { cpu: '1' } } },
      ),
      want: [
        'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
      ],
    },
    {
      name: 'a node while it is held back, and debug containers from the start',
      change: pod({
        nodeName: 'n',
        schedulingGates: [{ name: 'a' }],
        ephemeralContainers: [{ name: 'd', image: 'i', ports: [{ containerPort: 1 }] }],
      }),
      want: [
        'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
        'spec.ephemeralContainers: Forbidden: cannot be set on create',
        'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
      ],
    },
    {
      name: 'a mirror of nowhere and a cost that is none',
      change: {
        metadata: {
          annotations: {
            'kubernetes.io/config.mirror': 'x',
            'controller.kubernetes.io/pod-deletion-cost': '+1',
          },
        },
      },
      want: [
        'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
        'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer',
      ],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(PodKind, change)).toEqual(want);
  });
});

const MUTABLE =
  'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n';

describe('an update of a pod', () => {
  it.each<RefusedUpdate>([
    {
      name: 'another container',
      before: {},
      after: {
        spec: {
          containers: [
            { name: 'web', image: 'a' },
            { name: 'b', image: 'b' },
          ],
        },
      },
      want: ['spec.containers: Forbidden: pod updates may not add or remove containers'],
    },
    {
      name: 'a longer life',
      before: pod({ activeDeadlineSeconds: 5 }),
      after: pod({ activeDeadlineSeconds: 6 }),
      want: [
        'spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value',
      ],
    },
    {
      name: 'a life beyond its numbers, told once',
      before: pod({ activeDeadlineSeconds: 5 }),
      after: pod({ activeDeadlineSeconds: 4_294_967_296 }),
      want: [
        'spec.activeDeadlineSeconds: Invalid value: 4294967296: must be between 1 and 2147483647, inclusive',
        'spec.activeDeadlineSeconds: Invalid value: 4294967296: must be between 0 and 2147483647, inclusive',
      ],
    },
    {
      name: 'fewer tolerations',
      before: pod({ tolerations: [{ key: 'a', operator: 'Exists' }] }),
      after: {},
      want: [
        'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
      ],
    },
    {
      name: 'a new gate',
      before: pod({ schedulingGates: [{ name: 'a' }] }),
      after: pod({ schedulingGates: [{ name: 'a' }, { name: 'b' }] }),
      want: [
        "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'",
      ],
    },
    {
      name: 'another selector while held back',
      before: pod({ schedulingGates: [{ name: 'a' }], nodeSelector: { a: 'b' } }),
      after: pod({ schedulingGates: [{ name: 'a' }], nodeSelector: { a: 'c', d: 'e' } }),
      want: [
        'spec.nodeSelector: Invalid value: {"a":"c","d":"e"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ],
    },
    {
      name: 'anything else, which it shows',
      before: pod({ hostname: 'a' }),
      after: pod({ hostname: 'b' }),
      want: [
        `${MUTABLE}@@ -64,7 +64,7 @@\n   "SELinuxChangePolicy": null\n  },\n  "ImagePullSecrets": null,\n- "Hostname": "a",\n+ "Hostname": "b",\n  "Subdomain": "",\n  "SetHostnameAsFQDN": null,\n  "Affinity": null,\n`,
      ],
    },
  ])('is refused for $name', ({ before, after, want }) => {
    expect(updateRefusals(PodKind, before, after)).toEqual(want);
  });

  it('may bring images, tolerations and a shorter life', () => {
    const before = one({ image: 'nginx:1' }, { activeDeadlineSeconds: 60 });
    const after = one(
      { image: 'nginx:2' },
      { activeDeadlineSeconds: 6, tolerations: [{ key: 'a', operator: 'Exists' }] },
    );
    expect(updateRefusals(PodKind, before, after)).toEqual([]);
  });
});

const asks = (cpu: string, memory?: string): object =>
  one({ resources: { requests: { cpu, ...(memory ? { memory } : {}) } } });

describe('a resize of a pod', () => {
  it.each<RefusedUpdate>([
    {
      name: 'requests that go',
      before: asks('1', '1Gi'),
      after: asks('1'),
      want: [
        'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
      ],
    },
    {
      name: 'another class of quality',
      before: asks('1'),
      after: one({
        resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } },
      }),
      want: ['spec: Invalid value: "": Pod QOS Class may not change as a result of resizing'],
    },
  ])('is refused for $name', ({ before, after, want }) => {
    expect(updateRefusals(PodKind, before, after, 'resize')).toEqual(want);
  });

  it('may ask for more', () => {
    expect(updateRefusals(PodKind, asks('1'), asks('2'), 'resize')).toEqual([]);
  });
});

describe('debug containers', () => {
  const debug = (image: string): object => ({
    spec: { ephemeralContainers: [{ name: 'd', image }] },
  });

  it('can be added', () => {
    expect(updateRefusals(PodKind, {}, debug('i'), 'ephemeralcontainers')).toEqual([]);
  });

  it('stay as they are', () => {
    const changed = updateRefusals(PodKind, debug('i'), debug('j'), 'ephemeralcontainers');
    expect(changed).toHaveLength(1);
    expect(changed[0]).toMatch(
      /^spec\.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be changed\n@@/,
    );
    expect(updateRefusals(PodKind, debug('i'), {}, 'ephemeralcontainers')).toEqual([
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be removed\n',
    ]);
  });
});

describe('the status of a pod', () => {
  const status = (more: object): object => ({ status: { phase: 'Running', ...more } });
  const ended = { containerStatuses: [{ name: 'web', state: { terminated: { exitCode: 0 } } }] };

  it.each<RefusedUpdate>([
    {
      name: 'addresses of one family',
      before: status({}),
      after: status({ podIPs: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }], podIP: '10.0.0.1' }),
      want: [
        'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify no more than one IP for each IP family',
      ],
    },
    {
      name: 'a container that came back',
      before: { ...status(ended), spec: { restartPolicy: 'Never' } },
      after: {
        ...status({ containerStatuses: [{ name: 'web', state: { running: {} } }] }),
        spec: { restartPolicy: 'Never' },
      },
      want: [
        'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
      ],
    },
    {
      name: 'a negative generation',
      before: status({}),
      after: status({ observedGeneration: -1, hostIPs: [{ ip: '1.2.3.4' }], hostIP: '1.2.3.5' }),
      want: [
        'status.observedGeneration: Invalid value: -1: must be a non-negative integer',
        'status.hostIPs[0].ip: Invalid value: "1.2.3.4": must be equal to `hostIP`',
      ],
    },
  ])('is refused for $name', ({ before, after, want }) => {
    expect(updateRefusals(PodKind, before, after, 'status')).toEqual(want);
  });
});
