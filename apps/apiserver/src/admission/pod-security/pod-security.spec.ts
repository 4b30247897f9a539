import { describe, expect, it } from '@jest/globals';
import type { Container, PodSpec } from '@orrery/api';
import { readPodSecurityConfiguration } from './configuration.js';
import { showDetails, violationsOf } from './evaluate.js';
import type { Level, LevelVersion } from './policy.js';
import { policyOf, showLevel } from './policy.js';

const SAFE: Container = {
  name: 'a',
  image: 'a',
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

const latest = (level: Level): LevelVersion => ({ level, version: 'latest' });

function told(
  spec: Partial<PodSpec>,
  level: LevelVersion,
  annotations: Record<string, string> = {},
): string {
  const whole = { containers: [SAFE], ...spec } as PodSpec;
  return showDetails(violationsOf({ metadata: { annotations }, spec: whole }, level));
}

const container = (securityContext: Container['securityContext'], more = {}): Partial<PodSpec> => ({
  containers: [
    { ...SAFE, securityContext: { ...SAFE.securityContext, ...securityContext }, ...more },
  ],
});

interface Case {
  readonly name: string;
  readonly spec: Partial<PodSpec>;
  readonly level?: LevelVersion;
  readonly annotations?: Record<string, string>;
  readonly want: string;
}

const minor = (level: Level, version: number): LevelVersion => ({ level, version });

describe('the Pod Security Standards', () => {
  it.each<Case>([
    { name: 'nothing of a careful pod', spec: {}, level: latest('restricted'), want: '' },
    {
      name: 'nothing at the privileged level',
      spec: { hostPID: true },
      level: latest('privileged'),
      want: '',
    },
    {
      name: 'host namespaces',
      spec: { hostNetwork: true, hostPID: true, hostIPC: true },
      want: 'host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)',
    },
    {
      name: 'privileged containers',
      spec: { containers: [SAFE, { name: 'b', securityContext: { privileged: true } }] },
      want: 'privileged (container "b" must not set securityContext.privileged=true)',
    },
    {
      name: 'init containers: CVE-2023-2727',
      spec: { initContainers: [{ name: 'i', securityContext: { privileged: true } }] },
      want: 'privileged (container "i" must not set securityContext.privileged=true)',
    },
    {
      name: 'ephemeral containers: CVE-2023-2728',
      spec: { ephemeralContainers: [{ name: 'e', securityContext: { privileged: true } }] },
      want: 'privileged (container "e" must not set securityContext.privileged=true)',
    },
    {
      name: 'capabilities',
      spec: container({ capabilities: { add: ['NET_RAW', 'CHOWN', 'BPF'] } }),
      want: 'non-default capabilities (container "a" must not include "BPF", "NET_RAW" in securityContext.capabilities.add)',
    },
    {
      name: 'host paths and ports',
      spec: {
        ...container({}, { ports: [{ containerPort: 1, hostPort: 80 }] }),
        volumes: [{ name: 'v', hostPath: { path: '/' } }],
      },
      want: 'hostPath volumes (volume "v"), hostPort (container "a" uses hostPort 80)',
    },
    {
      name: 'hosts of probes since 1.34',
      spec: container({}, { livenessProbe: { httpGet: { port: 1, host: 'h' } } }),
      want: 'probe or lifecycle host (container "a" uses probe or lifecycle host "h")',
    },
    {
      name: 'no hosts of probes before',
      spec: container({}, { livenessProbe: { httpGet: { port: 1, host: 'h' } } }),
      level: minor('baseline', 33),
      want: '',
    },
    {
      name: 'AppArmor profiles, by field and annotation',
      spec: { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
      annotations: { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' },
      want: 'forbidden AppArmor profiles (pod and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/a="unconfined"")',
    },
    {
      name: 'SELinux options',
      spec: container({ seLinuxOptions: { type: 'x', user: 'u', role: 'r' } }),
      want: 'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type "x"; user may not be set; role may not be set)',
    },
    {
      name: 'seccomp profiles',
      spec: container({ seccompProfile: { type: 'Unconfined' } }),
      want: 'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    },
    {
      name: 'sysctls, of which later versions allow more',
      spec: { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } },
      level: minor('baseline', 31),
      want: 'forbidden sysctls (net.ipv4.tcp_rmem)',
    },
    {
      name: 'host processes of Windows',
      spec: { securityContext: { windowsOptions: { hostProcess: true } } },
      want: 'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
    },
    {
      name: 'what a plain pod lacks',
      spec: { containers: [{ name: 'a', image: 'a' }] },
      level: latest('restricted'),
      want: 'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    },
    {
      name: 'what an old version did not ask for',
      spec: { containers: [{ name: 'a', image: 'a' }] },
      level: minor('restricted', 7),
      want: 'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
    },
    {
      name: 'root',
      spec: { ...container({ runAsUser: 0 }), securityContext: { runAsUser: 0 } },
      level: latest('restricted'),
      want: 'runAsUser=0 (pod and container "a" must not set runAsUser=0)',
    },
    {
      name: 'no root in a user namespace',
      spec: { ...container({ runAsUser: 0, runAsNonRoot: false }), hostUsers: false },
      level: latest('restricted'),
      want: '',
    },
    {
      name: 'volumes, once for a host path',
      spec: {
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'n', nfs: { server: 's', path: '/' } },
          { name: 'c', configMap: { name: 'c' } },
        ],
      },
      level: latest('restricted'),
      want: 'restricted volume types (volumes "v", "n" use restricted volume types "hostPath", "nfs")',
    },
  ])('tell $name', ({ spec, level = latest('baseline'), annotations = {}, want }) => {
    expect(told(spec, level, annotations)).toBe(want);
  });
});

const { defaults } = readPodSecurityConfiguration(undefined, 'none');
const P = 'pod-security.kubernetes.io/';

interface Labelled {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly want: readonly string[];
}

describe('policyOf()', () => {
  it.each<Labelled>([
    {
      name: 'nothing asked',
      labels: {},
      want: ['privileged:latest', 'privileged:latest', 'privileged:latest'],
    },
    {
      name: 'warnings that follow what is enforced',
      labels: { [`${P}enforce`]: 'baseline', [`${P}enforce-version`]: 'v1.24' },
      want: ['baseline:v1.24', 'privileged:latest', 'baseline:v1.24'],
    },
    {
      name: 'each by itself',
      labels: {
        [`${P}enforce`]: 'baseline',
        [`${P}audit`]: 'restricted',
        [`${P}warn`]: 'privileged',
      },
      want: ['baseline:latest', 'restricted:latest', 'privileged:latest'],
    },
    {
      name: 'a bad level as the strictest',
      labels: { [`${P}enforce`]: 'loose' },
      want: ['restricted:latest', 'privileged:latest', 'privileged:latest'],
    },
  ])('reads $name', ({ labels, want }) => {
    const { policy } = policyOf(labels, defaults);
    expect([policy.enforce, policy.audit, policy.warn].map(showLevel)).toEqual(want);
  });

  it('tells what is wrong with labels', () => {
    const { errors } = policyOf({ [`${P}enforce`]: 'x', [`${P}warn-version`]: '1.2' }, defaults);
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      `metadata.labels[${P}enforce]: Invalid value: "x": must be one of privileged, baseline, restricted`,
      `metadata.labels[${P}warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"`,
    ]);
  });
});
