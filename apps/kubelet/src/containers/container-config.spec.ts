import { describe, expect, it } from '@jest/globals';
import type { Container, Pod } from '@orrery/api';
import type { ImageUser } from '../runtime/runtime.js';
import { podOf } from '../../test/builders.js';
import { checkNonRoot } from './container-config.js';

interface Case {
  readonly name: string;
  readonly pod?: Pod['spec']['securityContext'];
  readonly container?: Container['securityContext'];
  readonly user: ImageUser;
  readonly want: string | undefined;
}

describe('checkNonRoot()', () => {
  const root = { uid: 0, username: '' };
  const asRoot =
    'container has runAsNonRoot and image will run as root (pod: "p_default(uid-p)", container: c)';

  it.each<Case>([
    { name: 'lets root run where nothing is said', user: root, want: undefined },
    { name: 'refuses an image of root', pod: { runAsNonRoot: true }, user: root, want: asRoot },
    {
      name: "takes the container's word before the pod's",
      pod: { runAsNonRoot: true },
      container: { runAsNonRoot: false },
      user: root,
      want: undefined,
    },
    {
      name: 'takes a user that is said before that of the image',
      pod: { runAsNonRoot: true, runAsUser: 1000 },
      user: root,
      want: undefined,
    },
    {
      name: 'refuses root that is said',
      pod: { runAsNonRoot: true },
      container: { runAsUser: 0 },
      user: { uid: 1000, username: '' },
      want: 'container\'s runAsUser breaks non-root policy (pod: "p_default(uid-p)", container: c)',
    },
    {
      name: 'lets an image of another user run',
      pod: { runAsNonRoot: true },
      user: { uid: 1000, username: '' },
      want: undefined,
    },
    {
      name: 'refuses a name, which may be that of root',
      pod: { runAsNonRoot: true },
      user: { username: 'app' },
      want: 'container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root (pod: "p_default(uid-p)", container: c)',
    },
    {
      name: 'lets an image run of which nothing is known',
      pod: { runAsNonRoot: true },
      user: { username: '' },
      want: undefined,
    },
  ])('$name', async ({ pod, container, user, want }) => {
    const outcome = checkNonRoot({
      pod: podOf('p', pod === undefined ? {} : { securityContext: pod }),
      container: { name: 'c', ...(container === undefined ? {} : { securityContext: container }) },
      imageRef: 'ref',
      imageUser: () => Promise.resolve(user),
    }).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(await outcome).toBe(want);
  });
});
