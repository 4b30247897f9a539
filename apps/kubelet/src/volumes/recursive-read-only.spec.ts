import { describe, expect, it } from '@jest/globals';
import type { VolumeMount } from '@orrery/api';
import { recursiveReadOnly } from './recursive-read-only.js';

interface Case {
  readonly name: string;
  readonly mount: Partial<VolumeMount>;
  readonly supported?: boolean;
  readonly want: object;
}

const asked = 'volume "v" requested recursive read-only mode, but it is not';

describe('recursiveReadOnly()', () => {
  it.each<Case>([
    { name: 'nothing is said', mount: { readOnly: true }, want: { mode: false } },
    {
      name: 'it shall be where it can be',
      mount: { readOnly: true, recursiveReadOnly: 'IfPossible' },
      want: { mode: true },
    },
    {
      name: 'it shall be where it can be, and cannot',
      mount: { readOnly: true, recursiveReadOnly: 'IfPossible' },
      supported: false,
      want: { mode: false },
    },
    {
      name: 'it must be, and cannot',
      mount: { readOnly: true, recursiveReadOnly: 'Enabled' },
      supported: false,
      want: { mode: false, problem: `${asked} supported by the runtime` },
    },
    {
      name: 'the volume can be written',
      mount: { recursiveReadOnly: 'Enabled' },
      want: { mode: false, problem: `${asked} read-only` },
    },
    {
      name: 'mounts are passed on',
      mount: {
        readOnly: true,
        recursiveReadOnly: 'IfPossible',
        mountPropagation: 'HostToContainer',
      },
      want: { mode: false, problem: `${asked} compatible with propagation "HostToContainer"` },
    },
  ])('when $name', ({ mount, supported = true, want }) => {
    expect(recursiveReadOnly({ name: 'v', mountPath: '/v', ...mount }, supported)).toEqual(want);
  });
});
