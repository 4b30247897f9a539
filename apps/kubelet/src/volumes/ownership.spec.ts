import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod, PodSpec } from '@orrery/api';
import { describe, expect, it } from '@jest/globals';
import { podOf } from '../../test/builders.js';
import { writeAtomically } from './atomic-writer.js';
import { forGroup, fsUserOf, tokenModeOf } from './ownership.js';

const running = (...users: readonly (number | undefined)[]): Pod => {
  const pod = podOf('p');
  const containers = users.map((runAsUser, index) => ({
    name: `c${index}`,
    ...(runAsUser === undefined ? {} : { securityContext: { runAsUser } }),
  }));
  return { ...pod, spec: { ...pod.spec, containers } };
};
const under = (pod: Pod, securityContext: PodSpec['securityContext']): Pod => ({
  ...pod,
  spec: { ...pod.spec, ...(securityContext && { securityContext }) },
});

const NOW = Date.UTC(2026, 10, 22, 9, 30, 5);

describe('whose a token is', () => {
  it.each<{ name: string; pod: Pod; user: number | undefined; mode: number }>([
    { name: 'nobody in particular', pod: running(undefined), user: undefined, mode: 0o644 },
    { name: 'the one user', pod: running(1000, 1000), user: 1000, mode: 0o600 },
    { name: 'root', pod: running(0), user: 0, mode: 0o600 },
    { name: 'two users', pod: running(1000, 1001), user: undefined, mode: 0o644 },
    { name: 'a user and no user', pod: running(1000, undefined), user: undefined, mode: 0o644 },
    {
      name: "the pod's user",
      pod: under(running(undefined, undefined), { runAsUser: 7 }),
      user: 7,
      mode: 0o600,
    },
    {
      name: "a container's user before the pod's",
      pod: under(running(8, 8), { runAsUser: 7 }),
      user: 8,
      mode: 0o600,
    },
    {
      name: "the pod's group",
      pod: under(running(undefined), { fsGroup: 9 }),
      user: undefined,
      mode: 0o600,
    },
  ])('$name', ({ pod, user, mode }) => {
    expect([fsUserOf(pod), tokenModeOf(pod, 0o644)]).toEqual([user, mode]);
  });
});

describe(forGroup.name, () => {
  const file = { content: Buffer.from('x'), mode: 0o600 };

  it("lets the pod's group read", () => {
    expect(forGroup(under(podOf('p'), { fsGroup: 9 }), file)).toEqual({
      ...file,
      mode: 0o640,
      gid: 9,
    });
  });

  it('leaves files alone without a group', () => {
    expect(forGroup(podOf('p'), file)).toEqual(file);
  });
});

describe('files with an owner', () => {
  it('belong to it where the kubelet may say so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ownership-'));
    try {
      const file = { content: Buffer.from('x'), mode: 0o640, uid: 1234, gid: 4321 };
      await writeAtomically(folder, new Map([['f', file]]), NOW);
      const { uid, gid, mode } = await stat(join(folder, 'f'));
      const mine = [process.geteuid?.(), process.getegid?.()];
      expect([uid, gid]).toEqual(mine[0] === 0 ? [1234, 4321] : mine);
      expect(mode & 0o777).toBe(0o640);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
