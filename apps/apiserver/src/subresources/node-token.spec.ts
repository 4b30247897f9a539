import { describe, expect, it } from '@jest/globals';
import { newNotFound } from '@orrery/apimachinery';
import type { TokenRequest } from '@orrery/api';
import type { ResourceStore } from '@orrery/registry';
import { checkNodeToken } from './node-token.js';

const OBJECTS: Readonly<Record<string, object>> = {
  'pods/p': {
    metadata: { name: 'p', namespace: 'a', uid: 'u' },
    spec: {
      nodeName: 'n1',
      volumes: [
        { name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
        { name: 'v', projected: { sources: [{ serviceAccountToken: { audience: 'vault' } }] } },
        { name: 'c', csi: { driver: 'inline' } },
        { name: 'd', persistentVolumeClaim: { claimName: 'claim' } },
      ],
    },
  },
  'pods/elsewhere': { metadata: { name: 'elsewhere', uid: 'u' }, spec: { nodeName: 'n2' } },
  'csidrivers/inline': { spec: { tokenRequests: [{ audience: 'of-driver' }] } },
  'csidrivers/disk': { spec: { tokenRequests: [{ audience: 'of-disk' }] } },
  'persistentvolumeclaims/claim': { spec: { volumeName: 'volume' } },
  'persistentvolumes/volume': { spec: { csi: { driver: 'disk' } } },
};

const store = (_group: string, _version: string, plural: string): Pick<ResourceStore, 'get'> => ({
  get: (_namespace: string | undefined, name: string) => {
    const object = OBJECTS[`${plural}/${name}`];
    if (!object) return Promise.reject(newNotFound({ group: '', resource: plural }, name));
    return Promise.resolve({ object } as unknown as Awaited<ReturnType<ResourceStore['get']>>);
  },
});

/** May ask for tokens for the audience `granted`. */
const authorizer = {
  authorize: ({ info }: { readonly info: { readonly resource: string } }) => ({
    allowed: info.resource === 'granted',
  }),
};

async function ask(spec: object, user = 'system:node:n1'): Promise<void> {
  await checkNodeToken(
    { authorizer, store },
    {
      user: { name: user, groups: user.startsWith('system:node:') ? ['system:nodes'] : [] },
      name: 'sa',
      namespace: 'a',
      spec: spec as TokenRequest['spec'],
    },
  );
}

const bound = (more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  name: 'p',
  uid: 'u',
  ...more,
});

describe('tokens that a node asks for', () => {
  it.each([
    { name: 'of no pod', spec: {}, want: 'node requested token not bound to a pod' },
    {
      name: 'of a secret',
      spec: { boundObjectRef: bound({ kind: 'Secret' }) },
      want: 'node requested token not bound to a pod',
    },
    {
      name: 'of a pod without uid',
      spec: { boundObjectRef: bound({ uid: '' }) },
      want: 'node requested token with a pod binding without a uid',
    },
    {
      name: 'of a pod that is not there',
      spec: { boundObjectRef: bound({ name: 'x' }) },
      want: 'pods "x" not found',
    },
    {
      name: 'of a pod that was',
      spec: { boundObjectRef: bound({ uid: 'v' }) },
      want: 'the UID in the bound object reference (v) does not match the UID in record. The object might have been deleted and then recreated',
    },
    {
      name: 'of a pod elsewhere',
      spec: { boundObjectRef: bound({ name: 'elsewhere' }) },
      want: 'node requested token bound to a pod scheduled on a different node',
    },
    {
      name: 'for several audiences',
      spec: { boundObjectRef: bound(), audiences: ['vault', 'of-disk'] },
      want: 'node may only request 0 or 1 audiences',
    },
    {
      name: 'for an audience that no volume has',
      spec: { boundObjectRef: bound(), audiences: ['other'] },
      want: 'serviceaccounts "sa" is forbidden: audience "other" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience',
    },
  ])('are refused: $name', async ({ spec, want }) => {
    await expect(ask(spec)).rejects.toThrow(want);
  });

  it.each(
    [[], ['vault'], ['of-driver'], ['of-disk'], ['granted']].map((audiences) => ({ audiences })),
  )('are given for $audiences', async ({ audiences }) => {
    await expect(ask({ boundObjectRef: bound(), audiences })).resolves.toBeUndefined();
  });

  it('are no matter of others', async () => {
    await expect(ask({}, 'admin')).resolves.toBeUndefined();
  });
});
