import { join } from 'node:path';
import { resources } from '@orrery/api';
import { toTime } from '@orrery/component';
import { createSigningRequest } from '@orrery/pki';
import type { Scenario } from '../scenario.js';
import { NS } from '../world.js';
import type { World } from '../world.js';

const { certificatesigningrequests: csrs, configmaps, namespaces, secrets } = resources;
const { serviceaccounts: accounts, clusterrolebindings } = resources;
const ACCOUNT = 'kubernetes.io/service-account.name';
const TOKEN = 'kubernetes.io/service-account-token';
const HOUR = 3_600_000;

const signing = (folder: string): string[] => [
  `--cluster-signing-cert-file=${join(folder, 'ca.crt')}`,
  `--cluster-signing-key-file=${join(folder, 'ca.key')}`,
];

async function request(world: World, name: string): Promise<void> {
  const subject = { commonName: 'system:node:k1', organizations: ['system:nodes'] };
  const { csrPem } = await createSigningRequest(subject);
  await world.create(csrs, {
    metadata: { name },
    spec: {
      request: Buffer.from(csrPem).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
      expirationSeconds: 3600,
    },
  });
}

const requests = async (world: World): Promise<void> => {
  await request(world, 'one');
  await request(world, 'two');
};

async function judge(
  world: World,
  name: string,
  type: 'Approved' | 'Denied' = 'Approved',
): Promise<void> {
  const csr = await world.get(csrs, { name });
  const lastUpdateTime = toTime(world.clock.now());
  const judged = { type, status: 'True' as const, reason: 'Test', message: '' };
  const conditions = [{ ...judged, lastUpdateTime }];
  await world.client
    .resource(csrs)
    .updateSubresource({ ...csr, status: { conditions } }, 'approval');
}

const without = (text: readonly string[]): string[] =>
  // What was signed, and what is asked for, differ by their keys.
  text.map((one) => one.replace(/"(certificate|request)":"[^"]*"/g, '"$1":"some"'));

export const csrApprovingScenario: Scenario = {
  controller: 'certificatesigningrequest-approving-controller',
  kinds: [csrs],
  simplify: without,
  mayRepeat: { subjectaccessreviews: 'a question is asked again' },
  arrange: (world) =>
    world.create(clusterrolebindings, {
      metadata: { name: 'renew' },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
      },
      subjects: [
        { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:authenticated' },
        { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:unauthenticated' },
      ],
    }),
  acts: [
    {
      do: requests,
      until: async (world) =>
        (await world.list(csrs)).every(({ status }) => (status?.conditions ?? []).length === 1),
    },
  ],
};

export const csrSigningScenario: Scenario = {
  controller: 'certificatesigningrequest-signing-controller',
  kinds: [csrs],
  flags: signing,
  simplify: without,
  acts: [
    {
      do: async (world) => {
        await requests(world);
        for (const name of ['one', 'two']) await judge(world, name);
      },
      until: async (world) => (await world.list(csrs)).every(({ status }) => status?.certificate),
    },
  ],
};

export const csrCleanerScenario: Scenario = {
  controller: 'certificatesigningrequest-cleaner-controller',
  kinds: [csrs],
  async arrange(world) {
    await requests(world);
    for (const name of ['one', 'two']) await judge(world, name, 'Denied');
  },
  stepMs: HOUR / 3,
  acts: [
    { do: () => Promise.resolve(), until: async (world) => (await world.list(csrs)).length === 0 },
  ],
};

const bootstrapToken = (world: World, id: string, expiration: number): Promise<unknown> =>
  world.create(secrets, {
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': id,
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-signing': 'true',
      expiration: new Date(expiration).toISOString().replace(/\.\d+/, ''),
    },
  });

export const bootstrapSignerScenario: Scenario = {
  controller: 'bootstrap-signer-controller',
  kinds: [configmaps],
  acts: [
    {
      do: async (world) => {
        await world.create(configmaps, {
          metadata: { name: 'cluster-info', namespace: 'kube-public' },
          data: { kubeconfig: 'clusters: []' },
        });
        await bootstrapToken(world, 'abcdef', world.clock.now() + HOUR);
      },
      until: async (world) => (await signatures(world)) === 1,
    },
    {
      do: (world) => bootstrapToken(world, 'ghijkl', world.clock.now() + HOUR),
      until: async (world) => (await signatures(world)) === 2,
    },
  ],
};

async function signatures(world: World): Promise<number> {
  const map = await world.get(configmaps, { namespace: 'kube-public', name: 'cluster-info' });
  return Object.keys(map.data ?? {}).filter((name) => name.startsWith('jws-')).length;
}

export const tokenCleanerScenario: Scenario = {
  controller: 'token-cleaner-controller',
  kinds: [secrets],
  stepMs: HOUR,
  acts: [
    {
      do: async (world) => {
        for (const id of ['abcdef', 'ghijkl'])
          await bootstrapToken(world, id, world.clock.now() + HOUR);
      },
      until: async (world) =>
        (await world.list(secrets)).every(({ metadata }) => metadata.namespace !== 'kube-system'),
    },
  ],
};

export const accountScenario: Scenario = {
  controller: 'serviceaccount-controller',
  kinds: [accounts, namespaces],
  acts: [
    {
      do: async (world) => {
        for (const name of ['a', 'b']) await world.create(namespaces, { metadata: { name } });
      },
      until: (world) => world.get(accounts, { namespace: 'b', name: 'default' }),
    },
    {
      do: (world) => world.client.resource(accounts).delete({ namespace: 'a', name: 'default' }),
      until: (world) => world.get(accounts, { namespace: 'a', name: 'default' }),
    },
  ],
};

const tokenSecret = (world: World, name: string, account: string): Promise<unknown> =>
  world.create(secrets, {
    metadata: { name, namespace: NS, annotations: { [ACCOUNT]: account } },
    type: TOKEN,
  });

export const accountTokenScenario: Scenario = {
  controller: 'serviceaccount-token-controller',
  kinds: [secrets, accounts],
  flags: (folder) => [
    `--service-account-private-key-file=${join(folder, 'sa.key')}`,
    `--root-ca-file=${join(folder, 'ca.crt')}`,
  ],
  simplify: (texts) => texts.map((text) => text.replace(/"token":"[^"]*"/, '"token":"some"')),
  arrange: (world) => world.create(accounts, { metadata: { name: 'robot', namespace: NS } }),
  acts: [
    {
      do: async (world) => {
        for (const name of ['one', 'two']) await tokenSecret(world, name, 'robot');
      },
      until: async (world) =>
        (await world.list(secrets)).filter(({ data }) => data?.['token']).length === 2,
    },
    {
      do: (world) => world.client.resource(accounts).delete({ namespace: NS, name: 'robot' }),
      until: async (world) => (await world.list(secrets)).every(({ type }) => type !== TOKEN),
    },
  ],
};

const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';

export const legacyTokenScenario: Scenario = {
  controller: 'legacy-serviceaccount-token-cleaner-controller',
  kinds: [secrets],
  flags: ['--legacy-service-account-token-clean-up-period=1h'],
  async arrange(world) {
    const name = 'kube-apiserver-legacy-service-account-token-tracking';
    const key = { namespace: 'kube-system', name };
    const old = { data: { since: '2020-01-01' } };
    await world.client
      .resource(configmaps)
      .patch(key, 'merge', old)
      .catch(() => world.create(configmaps, { metadata: key, ...old }));
    await world.create(accounts, {
      metadata: { name: 'robot', namespace: NS },
      secrets: [{ name: 'one' }, { name: 'two' }],
    });
    for (const secret of ['one', 'two']) await tokenSecret(world, secret, 'robot');
    await world.patch(secrets, 'two', { metadata: { labels: { [INVALID_SINCE]: '2020-01-01' } } });
  },
  acts: [
    {
      do: () => Promise.resolve(),
      until: async (world) => {
        const left = (await world.list(secrets)).filter(({ type }) => type === TOKEN);
        return left.length === 1 && left[0]?.metadata.labels?.[INVALID_SINCE] !== undefined;
      },
    },
  ],
};

export const rootCaScenario: Scenario = {
  controller: 'root-ca-certificate-publisher-controller',
  kinds: [configmaps, namespaces],
  flags: (folder) => [`--root-ca-file=${join(folder, 'ca.crt')}`],
  acts: [
    {
      do: (world) => world.create(namespaces, { metadata: { name: 'a' } }),
      until: (world) => world.get(configmaps, { namespace: 'a', name: 'kube-root-ca.crt' }),
    },
    {
      do: (world) =>
        world.client
          .resource(configmaps)
          .patch({ namespace: 'a', name: 'kube-root-ca.crt' }, 'merge', {
            data: { 'ca.crt': 'no' },
          }),
      until: async (world) => {
        const map = await world.get(configmaps, { namespace: 'a', name: 'kube-root-ca.crt' });
        return map.data?.['ca.crt'] !== 'no';
      },
    },
  ],
};
