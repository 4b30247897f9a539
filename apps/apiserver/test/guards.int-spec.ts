import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSigningRequest } from '@orrery/pki';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const folder = mkdtempSync(join(tmpdir(), 'orrery-guards-'));
const P = 'pod-security.kubernetes.io/';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let api: Replica;

/** A token as the token controller signs it. */
function tokenOf(claims: Json): string {
  const segment = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${segment({ alg: 'ES256' })}.${segment(claims)}`;
  const key = { key: keys.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

/** A request as somebody else, whom RBAC knows or not. */
const as = (user: string): Record<string, string> => ({ 'impersonate-user': user });

const namespace = async (name: string, metadata: Json = {}): Promise<Answer> => {
  const made = await api.post('/api/v1/namespaces', { metadata: { name, ...metadata } });
  await eventually(async () => {
    const { status } = await api.ask(`/api/v1/namespaces/${name}`);
    if (made.status === 201 && status !== 200) throw new Error(String(status));
  });
  return made;
};

const pod = (name: string, spec: Json = {}): Json => ({
  metadata: { name },
  spec: { containers: [{ name: 'a', image: 'a' }], ...spec },
});

const run = (where: string, body: Json): Promise<Answer> =>
  api.post(`/api/v1/namespaces/${where}/pods`, body);

beforeAll(async () => {
  const configuration = join(folder, 'admission.yaml');
  writeFileSync(
    configuration,
    `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    exemptions: { usernames: [exempt], namespaces: [spared], runtimeClasses: [] }
- name: EventRateLimit
  configuration:
    limits: [{ type: Namespace, qps: 1, burst: 2 }]
- name: PodNodeSelector
  configuration:
    podNodeSelectorPluginConfig: { clusterDefaultNodeSelector: 'disk=ssd' }
`,
  );
  const keyFile = join(folder, 'sa.pub');
  writeFileSync(keyFile, keys.publicKey.export({ type: 'spki', format: 'pem' }));
  const tokens = join(folder, 'tokens.csv');
  writeFileSync(tokens, 'root,root,1,system:masters\n');
  const plugins =
    'AlwaysPullImages,DenyServiceExternalIPs,EventRateLimit,ExtendedResourceToleration,' +
    'LimitPodHardAntiAffinityTopology,OwnerReferencesPermissionEnforcement,PodNodeSelector';
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags: [
      '--disable-admission-plugins=ServiceAccount',
      `--enable-admission-plugins=${plugins}`,
      `--admission-control-config-file=${configuration}`,
      '--authorization-mode=RBAC',
      `--token-auth-file=${tokens}`,
      `--service-account-key-file=${keyFile}`,
    ],
    headers: { authorization: 'Bearer root' },
  });
}, 60_000);

afterAll(async () => {
  await api.close();
});

describe('PodSecurity', () => {
  it('refuses what the namespace forbids, in upstream words', async () => {
    await namespace('baseline', { labels: { [`${P}enforce`]: 'baseline' } });
    const refused = await run('baseline', pod('host', { hostNetwork: true }));
    expect(refused.json).toMatchObject({
      code: 403,
      message:
        'pods "host" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    });
    expect((await run('baseline', pod('plain'))).status).toBe(201);
  });

  it('sees ephemeral containers that come later: CVE-2023-2728', async () => {
    await namespace('later', { labels: { [`${P}enforce`]: 'baseline' } });
    await run('later', pod('debugged'));
    const added = await api.patch(
      '/api/v1/namespaces/later/pods/debugged/ephemeralcontainers',
      'strategic-merge-patch+json',
      {
        spec: {
          ephemeralContainers: [{ name: 'e', image: 'e', securityContext: { privileged: true } }],
        },
      },
    );
    expect(added.json['message']).toContain(
      'violates PodSecurity "baseline:latest": privileged (container "e" must not set securityContext.privileged=true)',
    );
  });

  it('warns of workloads, and of pods that are there when a namespace becomes stricter', async () => {
    await namespace('warned', { labels: { [`${P}warn`]: 'restricted' } });
    const template = { metadata: { labels: { a: 'b' } }, spec: pod('x')['spec'] };
    const made = await api.post('/apis/apps/v1/namespaces/warned/deployments', {
      metadata: { name: 'd' },
      spec: { selector: { matchLabels: { a: 'b' } }, template },
    });
    expect(made.status).toBe(201);
    expect(made.headers['warning']).toContain('would violate PodSecurity \\"restricted:latest\\"');
    await namespace('stricter');
    await run('stricter', pod('one', { hostPID: true }));
    await eventually(async () => {
      const labels = { [`${P}enforce`]: 'baseline' };
      const { headers } = await api.patch(
        '/api/v1/namespaces/stricter?dryRun=All',
        'merge-patch+json',
        { metadata: { labels } },
      );
      expect(headers['warning']).toBe(
        '299 - "existing pods in namespace \\"stricter\\" violate the new PodSecurity enforce level \\"baseline:latest\\"", 299 - "one: host namespaces"',
      );
    });
  });

  it('refuses labels that mean nothing, and spares whom it is told to', async () => {
    const bad = await namespace('bad', { labels: { [`${P}enforce`]: 'loose' } });
    expect(bad.json['message']).toBe(
      `Namespace "bad" is invalid: metadata.labels[${P}enforce]: Invalid value: "loose": must be one of privileged, baseline, restricted`,
    );
    await namespace('spared', { labels: { [`${P}enforce`]: 'restricted' } });
    expect((await run('spared', pod('free'))).status).toBe(201);
  });

  it('counts what it allows and denies, and whom it spares', async () => {
    const labels = { [`${P}enforce`]: 'baseline', [`${P}enforce-version`]: 'v1.25' };
    const exempted = async (): Promise<number> => {
      const { text: all } = await api.ask('/metrics');
      const line =
        /^pod_security_exemptions_total\{request_operation="create",resource="pod",subresource=""\} (\d+)$/mu;
      return Number(line.exec(all)?.[1] ?? 0);
    };
    const before = await exempted();
    await namespace('counted', { labels: { ...labels, [`${P}audit`]: 'restricted' } });
    await run('counted', pod('seen'));
    await run('counted', pod('refused', { hostPID: true }));
    await namespace('spared', { labels: {} });
    await run('spared', pod('passed'));
    expect(await exempted()).toBe(before + 1);
    const { text } = await api.ask('/metrics');
    const evaluated = (decision: string, level: string, version: string, mode: string): string =>
      `pod_security_evaluations_total{decision="${decision}",policy_level="${level}",policy_version="${version}",mode="${mode}",request_operation="create",resource="pod",subresource=""}`;
    for (const line of [
      `${evaluated('allow', 'baseline', 'v1.25', 'enforce')} 1`,
      `${evaluated('deny', 'baseline', 'v1.25', 'enforce')} 1`,
      `${evaluated('deny', 'restricted', 'latest', 'audit')} 2`,
    ])
      expect(text).toContain(`${line}\n`);
  });
});

describe('tokens of Secrets', () => {
  it('are good while the Secret, its account and the token in it are', async () => {
    const account = await api.post('/api/v1/namespaces/default/serviceaccounts', {
      metadata: { name: 'old' },
    });
    const uid = (account.json['metadata'] as Json)['uid'];
    const prefix = 'kubernetes.io/serviceaccount';
    const token = tokenOf({
      iss: 'kubernetes/serviceaccount',
      sub: 'system:serviceaccount:default:old',
      [`${prefix}/namespace`]: 'default',
      [`${prefix}/secret.name`]: 'old-token',
      [`${prefix}/service-account.name`]: 'old',
      [`${prefix}/service-account.uid`]: uid,
    });
    const whoIs = async (): Promise<unknown> => {
      const headers = { authorization: `Bearer ${token}` };
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      const { status, json } = await api.ask(path, { method: 'POST', body: {}, headers });
      return status === 201 ? ((json['status'] as Json)['userInfo'] as Json)['username'] : status;
    };
    expect(await whoIs()).toBe(401);
    const secrets = '/api/v1/namespaces/default/secrets';
    const made = await api.post(secrets, {
      metadata: {
        name: 'old-token',
        annotations: {
          'kubernetes.io/service-account.name': 'old',
          'kubernetes.io/service-account.uid': uid,
        },
      },
      type: 'kubernetes.io/service-account-token',
      data: { token: Buffer.from(token).toString('base64') },
    });
    expect(made.status).toBe(201);
    expect(await whoIs()).toBe('system:serviceaccount:default:old');
    await api.patch(`${secrets}/old-token`, 'merge-patch+json', { data: { token: 'b3RoZXI=' } });
    await eventually(async () => {
      expect(await whoIs()).toBe(401);
    });
  });
});

describe('other guards', () => {
  it('let no Service take foreign addresses: CVE-2020-8554', async () => {
    const refused = await api.post('/api/v1/namespaces/default/services', {
      metadata: { name: 'thief' },
      spec: { ports: [{ port: 1 }], externalIPs: ['192.0.2.1'] },
    });
    expect(refused.json['message']).toBe(
      'services "thief" is forbidden: Use of external IPs is denied by admission control.',
    );
  });

  it('let signers be used by whom they belong to, and make nobody an administrator', async () => {
    const { csrPem } = await createSigningRequest({
      commonName: 'x',
      organizations: ['system:masters'],
    });
    const csrs = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
    const spec = {
      request: Buffer.from(csrPem).toString('base64'),
      usages: ['client auth'],
      signerName: 'kubernetes.io/kube-apiserver-client',
    };
    const refused = await api.post(csrs, { metadata: { name: 'root' }, spec });
    expect(refused.json['message']).toContain(
      'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    );
    await api.post('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
      metadata: { name: 'csr' },
      rules: [
        {
          apiGroups: ['certificates.k8s.io'],
          resources: ['certificatesigningrequests', 'certificatesigningrequests/approval'],
          verbs: ['get', 'create', 'update', 'patch'],
        },
      ],
    });
    await api.post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'csr' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'csr' },
      subjects: [{ kind: 'User', name: 'clerk', apiGroup: 'rbac.authorization.k8s.io' }],
    });
    await api.post(csrs, { metadata: { name: 'mine' }, spec: { ...spec, signerName: 'ex.io/s' } });
    await eventually(async () => {
      const approval = await api.ask(`${csrs}/mine/approval`, {
        method: 'PATCH',
        headers: { ...as('clerk'), 'content-type': 'application/merge-patch+json' },
        body: {
          status: { conditions: [{ type: 'Approved', status: 'True', reason: 'r', message: 'm' }] },
        },
      });
      expect(approval.json['message']).toContain(
        'user not permitted to approve requests with signerName "ex.io/s"',
      );
    });
  });

  it('complete pods as configured', async () => {
    const made = await run(
      'default',
      pod('completed', {
        containers: [
          {
            name: 'a',
            image: 'a:1',
            resources: { requests: { 'ex.io/gpu': '1' }, limits: { 'ex.io/gpu': '1' } },
          },
        ],
      }),
    );
    expect(made.json['spec']).toMatchObject({
      nodeSelector: { disk: 'ssd' },
      containers: [{ imagePullPolicy: 'Always' }],
    });
    const { tolerations } = made.json['spec'] as { tolerations: Json[] };
    expect(tolerations).toContainEqual({ key: 'ex.io/gpu', operator: 'Exists' });
    const spread = await run(
      'default',
      pod('spread', {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'zone', labelSelector: {} },
            ],
          },
        },
      }),
    );
    expect(spread.json['message']).toContain(
      'has TopologyKey zone but only key kubernetes.io/hostname is allowed',
    );
  });

  it('stem floods of events', async () => {
    const event = (name: string): Json => ({
      metadata: { name, namespace: 'default' },
      involvedObject: { kind: 'Pod', name: 'a', namespace: 'default' },
    });
    const answers: Answer[] = [];
    for (const name of ['e1', 'e2', 'e3'])
      answers.push(await api.post('/api/v1/namespaces/default/events', event(name)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 429]);
    expect(answers[2]?.json['message']).toBe(
      'Too many requests: limit reached on type Namespace for key default',
    );
  });

  it('let claims grow only where their class allows it', async () => {
    const claims = '/api/v1/namespaces/default/persistentvolumeclaims';
    const size = (storage: string): Json => ({ resources: { requests: { storage } } });
    await api.post(claims, {
      metadata: { name: 'c' },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 's', ...size('1Gi') },
    });
    await api.patch(`${claims}/c/status`, 'merge-patch+json', { status: { phase: 'Bound' } });
    const grown = await api.patch(`${claims}/c`, 'merge-patch+json', { spec: size('2Gi') });
    expect(grown.json['message']).toBe(
      'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
  });

  it('let one PriorityClass alone be the default', async () => {
    const classes = '/apis/scheduling.k8s.io/v1/priorityclasses';
    const make = (name: string): Promise<Answer> =>
      api.post(classes, { metadata: { name }, value: 5, globalDefault: true });
    await make('first');
    await eventually(async () => {
      const second = await make('second');
      await api.ask(`${classes}/second`, { method: 'DELETE' });
      expect(second.json['message']).toBe(
        'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass first is already marked as default. Only one default can exist',
      );
    });
  });
});
