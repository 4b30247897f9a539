import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ImageAccess } from './image-access.js';
import type { Verification } from './image-access.js';
import type { PullCredentials } from './pull-secrets.js';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'image-access-'));
  folders.push(folder);
  return folder;
}

const credentials = (username: string, name: string, uid = name): PullCredentials => ({
  username,
  password: 'p',
  secret: { uid, namespace: 'default', name },
});
const ADA = credentials('ada', 's1');
const IMAGE = 'registry.example.com/shop/cart:1';
const REF = 'sha256:1';

function accessOf(
  policy: Verification['policy'] = 'NeverVerifyPreloadedImages',
  folder?: string,
  allowlist: string[] = [],
): ImageAccess {
  return new ImageAccess({ policy, allowlist }, folder);
}

const mustPull = (
  access: ImageAccess,
  shown: readonly PullCredentials[] = [],
  image = IMAGE,
): Promise<boolean> => access.mustPull(image, REF, () => Promise.resolve(shown));

describe('ImageAccess, of an image that was pulled with credentials', () => {
  it.each<{ name: string; shown: PullCredentials[]; image?: string; want: boolean }>([
    { name: 'the same secret', shown: [ADA], want: false },
    {
      name: 'the same credentials in another secret',
      shown: [credentials('ada', 's2')],
      want: false,
    },
    {
      name: 'other credentials in the same secret',
      shown: [credentials('eve', 's1')],
      want: false,
    },
    {
      name: 'a secret made anew by that name',
      shown: [credentials('eve', 's1', 'u2')],
      want: true,
    },
    { name: 'other credentials', shown: [credentials('bob', 's3')], want: true },
    { name: 'nothing', shown: [], want: true },
    {
      name: 'another tag of the same repository',
      shown: [ADA],
      image: 'registry.example.com/shop/cart:2',
      want: false,
    },
    { name: 'another name', shown: [ADA], image: 'registry.example.com/shop/other:1', want: true },
  ])('a pod with $name pulls it: $want', async ({ shown, image, want }) => {
    const access = accessOf();
    access.pulled(IMAGE, REF, ADA);
    expect(await mustPull(access, shown, image)).toBe(want);
  });

  it('lets those that have shown others use them later', async () => {
    const access = accessOf();
    access.pulled(IMAGE, REF, ADA);
    access.pulled(IMAGE, REF, credentials('bob', 's3'));
    expect(await mustPull(access, [credentials('bob', 's4')])).toBe(false);
    expect(await mustPull(access, [ADA])).toBe(false);
  });

  it('remembers over a restart', async () => {
    const folder = folderOf();
    accessOf(undefined, folder).pulled(IMAGE, REF, ADA);
    expect(await mustPull(accessOf(undefined, folder))).toBe(true);
    expect(await mustPull(accessOf(undefined, folder), [ADA])).toBe(false);
  });

  it('is pulled again after a pull of which the end is not known', async () => {
    const folder = folderOf();
    accessOf(undefined, folder).intend(IMAGE);
    const access = accessOf(undefined, folder);
    expect(await mustPull(access, [ADA])).toBe(true);
    access.abandon(IMAGE);
    expect(await mustPull(access)).toBe(false);
  });
});

describe('ImageAccess, of other images', () => {
  it('lets all pods have what needs no credentials', async () => {
    const access = accessOf('AlwaysVerify');
    access.pulled(IMAGE, REF, undefined);
    access.pulled(IMAGE, REF, ADA);
    expect(await mustPull(access)).toBe(false);
  });

  it.each<{ policy: Verification['policy']; allowlist?: string[]; want: boolean }>([
    { policy: 'NeverVerify', want: false },
    { policy: 'NeverVerifyPreloadedImages', want: false },
    { policy: 'NeverVerifyAllowlistedImages', want: true },
    { policy: 'NeverVerifyAllowlistedImages', allowlist: ['registry.example.com/*'], want: false },
    {
      policy: 'NeverVerifyAllowlistedImages',
      allowlist: ['registry.example.com/shop/cart'],
      want: false,
    },
    { policy: 'NeverVerifyAllowlistedImages', allowlist: ['registry.example.com'], want: true },
    { policy: 'AlwaysVerify', want: true },
  ])('with $policy and $allowlist one from before: $want', async ({ policy, allowlist, want }) => {
    expect(await mustPull(accessOf(policy, undefined, allowlist), [ADA])).toBe(want);
  });

  it('asks for nothing where it verifies nothing', async () => {
    const access = accessOf('NeverVerify');
    access.pulled(IMAGE, REF, ADA);
    expect(await mustPull(access)).toBe(false);
  });
});
