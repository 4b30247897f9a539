import { describe, expect, it } from '@jest/globals';
import { ConfigError, parseFlags } from '@orrery/component';
import { UpFlags, clusterDir, parseExtraArgs } from './up-flags.js';

const refusal = (argv: string[]): string => {
  try {
    parseExtraArgs(parseFlags(UpFlags, argv).extraArg);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
};

describe('UpFlags', () => {
  it('has the defaults of a small cluster', () => {
    expect(parseFlags(UpFlags, [])).toMatchObject({ name: 'orrery', fresh: false, isolate: false });
  });

  it.each<{ name: string; argv: string[]; want: RegExp }>([
    { name: 'an unknown flag', argv: ['--nodez', '3'], want: /unknown flag: --nodez/ },
    {
      name: 'a number of members that is no quorum',
      argv: ['--etcd-members=2'],
      want: /--etcd-members/,
    },
    { name: 'too many nodes', argv: ['--nodes=63'], want: /--nodes must not be greater than 62/ },
    {
      name: 'a name that is no folder name',
      argv: ['--name', '../x'],
      want: /--name must be lower-case/,
    },
    { name: 'a block outside 10..250', argv: ['--block=5'], want: /--block/ },
    {
      name: 'an extra argument without component',
      argv: ['--extra-arg', 'max-pods=5'],
      want: /COMPONENT\.FLAG/,
    },
    {
      name: 'an extra argument of an unknown component',
      argv: ['--extra-arg', 'kublet.v=5'],
      want: /unknown component kublet/,
    },
  ])('refuses $name', ({ argv, want }) => {
    expect(refusal(argv)).toMatch(want);
  });

  it('collects extra arguments by component', () => {
    const { extraArg } = parseFlags(UpFlags, [
      '--extra-arg',
      'kubelet.max-pods=5',
      '--extra-arg',
      'kubelet.v=2',
    ]);
    expect(parseExtraArgs(extraArg)).toEqual({ kubelet: ['--max-pods=5', '--v=2'] });
  });

  it('leaves commas to the component', () => {
    const { extraArg } = parseFlags(UpFlags, [
      '--extra-arg=kube-controller-manager.controllers=*,-job',
    ]);
    expect(parseExtraArgs(extraArg)).toEqual({
      'kube-controller-manager': ['--controllers=*,-job'],
    });
  });
});

describe('clusterDir()', () => {
  it('is below ORRERY_HOME when that is set', () => {
    expect(clusterDir('a', { ORRERY_HOME: '/home/x' })).toBe('/home/x/a');
  });
});
