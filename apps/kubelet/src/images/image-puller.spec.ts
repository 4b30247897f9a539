import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import type { Runtime } from '../runtime/runtime.js';
import { ImageAccess } from './image-access.js';
import { ImagePuller } from './image-puller.js';
import type { WantedImage } from './image-puller.js';

const pod = { metadata: { name: 'p', uid: 'u' }, spec: { containers: [] } } as unknown as Pod;

/** Has the images that were pulled, by their full names. */
function runtimeWith(present: Set<string>, isBroken = false): Runtime {
  return {
    imageRef: (image: string) => Promise.resolve(present.has(image) ? image : undefined),
    imageSize: () => Promise.resolve(7),
    pullImage: (image: string) => {
      if (isBroken) return Promise.reject(new Error('no'));
      present.add(image);
      return Promise.resolve(image);
    },
  } as unknown as Runtime;
}

interface Case {
  readonly present?: Set<string>;
  readonly isBroken?: boolean;
  readonly policy?: NonNullable<WantedImage['imagePullPolicy']>;
}

async function eventsOf(
  image: string,
  { present = new Set(), isBroken = false, policy = 'IfNotPresent' }: Case,
): Promise<string[]> {
  const told: string[] = [];
  const puller = new ImagePuller(runtimeWith(present, isBroken), () => 0);
  await puller
    .ensure(pod, { image, imagePullPolicy: policy }, {} as never, (_, reason, text) =>
      told.push(`${reason}: ${text}`),
    )
    .catch(() => undefined);
  return told;
}

// k8s pkg/kubelet/images/image_manager.go:EnsureImageExists tells of the reference of the container, and asks with a tag.
describe('ImagePuller tells of an image as the container writes it', () => {
  it.each<[Case, string[]]>([
    [
      {},
      [
        'Pulling: Pulling image "busybox"',
        'Pulled: Successfully pulled image "busybox" in 0ms (0ms including waiting). Image size: 7 bytes.',
      ],
    ],
    [
      { present: new Set(['busybox:latest']) },
      [
        'Pulled: Container image "busybox" already present on machine and can be accessed by the pod',
      ],
    ],
    [
      { isBroken: true },
      ['Pulling: Pulling image "busybox"', 'Failed: Failed to pull image "busybox": no'],
    ],
    [
      { policy: 'Never' },
      ['ErrImageNeverPull: Container image "busybox" is not present with pull policy of Never'],
    ],
  ])('%j', async (options, want) => {
    expect(await eventsOf('busybox', options)).toEqual(want);
  });
});

/** Looks at the credentials, and finds none that will do. */
class Doubting extends ImageAccess {
  override async mustPull(...[, , credentials]: Parameters<ImageAccess['mustPull']>) {
    await credentials();
    return true;
  }
}

it('reads the secrets of a pod once, though they show its right to the image and pull it', async () => {
  const told: string[] = [];
  const asked: string[] = [];
  const puller = new ImagePuller(
    runtimeWith(new Set(['busybox:latest'])),
    () => 0,
    (_, name) => {
      asked.push(name);
      return Promise.resolve(undefined);
    },
    new Doubting({ policy: 'AlwaysVerify', allowlist: [] }),
  );
  const spec = { containers: [], imagePullSecrets: [{ name: 's' }] };
  const image = { image: 'busybox', imagePullPolicy: 'IfNotPresent' as const };
  await puller.ensure({ ...pod, spec }, image, {} as never, (_, reason) => told.push(reason));
  expect([asked, told]).toEqual([['s'], ['FailedToRetrieveImagePullSecret', 'Pulling', 'Pulled']]);
});
