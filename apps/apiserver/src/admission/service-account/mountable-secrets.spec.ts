import { describe, expect, it } from '@jest/globals';
import { schemaDefinitions } from '@orrery/api';
import type { PodSpec, ServiceAccount } from '@orrery/api';
import { containersOf } from '../pod-security/check.js';
import { forbiddenSecret } from './mountable-secrets.js';

const account: ServiceAccount = {
  metadata: {
    name: 'sa',
    annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' },
  },
  secrets: [{ name: 'mine' }],
  imagePullSecrets: [{ name: 'pull' }],
};

const because = 'is not allowed because service account sa does not reference that secret';
const env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 'other', key: 'k' } } }];
const envFrom = [{ secretRef: { name: 'other' } }];

interface Case {
  readonly name: string;
  readonly spec: Partial<PodSpec>;
  readonly want: string;
}

describe('an account that lists its secrets', () => {
  it.each<Case>([
    {
      name: 'variables of a container',
      spec: { containers: [{ name: 'c', env }] },
      want: `container c with envVar X referencing secret.secretName="other" ${because}`,
    },
    {
      name: 'variables of an init container',
      spec: { initContainers: [{ name: 'i', env }] },
      want: `init container i with envVar X referencing secret.secretName="other" ${because}`,
    },
    {
      name: 'variables of an ephemeral container: CVE-2023-2728',
      spec: { ephemeralContainers: [{ name: 'e', env }] },
      want: `ephemeral container e with envVar X referencing secret.secretName="other" ${because}`,
    },
    {
      name: 'the environment as a whole: CVE-2024-3177',
      spec: { containers: [{ name: 'c', envFrom }] },
      want: `container c with envFrom referencing secret.secretName="other" ${because}`,
    },
    {
      name: 'the environment of an ephemeral container as a whole: CVE-2024-3177',
      spec: { ephemeralContainers: [{ name: 'e', envFrom }] },
      want: `ephemeral container e with envFrom referencing secret.secretName="other" ${because}`,
    },
    {
      name: 'volumes',
      spec: { volumes: [{ name: 'v', secret: { secretName: 'other' } }] },
      want: `volume with secret.secretName="other" ${because}`,
    },
    {
      name: 'pull secrets',
      spec: { imagePullSecrets: [{ name: 'other' }] },
      want: 'imagePullSecret "other" is not allowed because service account sa does not reference that imagePullSecret',
    },
  ])('confines $name', ({ spec, want }) => {
    expect(forbiddenSecret({ containers: [], ...spec }, account)).toBe(want);
    expect(forbiddenSecret({ containers: [], ...spec }, { metadata: { name: 'sa' } })).toBe(
      undefined,
    );
  });

  it('lets its own be used', () => {
    const own = [{ name: 'X', valueFrom: { secretKeyRef: { name: 'mine', key: 'k' } } }];
    const spec = { containers: [{ name: 'c', env: own }], imagePullSecrets: [{ name: 'pull' }] };
    expect(forbiddenSecret(spec, account)).toBe(undefined);
  });
});

describe('the lists of containers of a pod', () => {
  it('are all visited by what checks containers: CVE-2023-2727', () => {
    const { properties = {} } = schemaDefinitions()['io.k8s.api.core.v1.PodSpec'] ?? {};
    const lists = Object.entries(properties as Record<string, { items?: { $ref?: string } }>)
      .filter(([, { items }]) => /(?:Ephemeral)?Container$/.test(items?.$ref ?? ''))
      .map(([field]) => field);
    expect(lists.length).toBeGreaterThan(2);
    const spec = Object.fromEntries(lists.map((field) => [field, [{ name: field }]]));
    const pod = { metadata: {}, spec: spec as unknown as PodSpec };
    expect(
      containersOf(pod)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(lists.sort());
  });
});
