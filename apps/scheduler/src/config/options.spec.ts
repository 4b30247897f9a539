import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFlags } from '@orrery/component';
import { PLUGINS } from '../plugins/plugins.js';
import { SchedulerFlags, toOptions } from './options.js';
import type { SchedulerOptions } from './options.js';
import { choosePlugins } from './profile-plugins.js';

const HEAD = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n';

function read(yaml: string, ...flags: string[]): SchedulerOptions {
  const folder = mkdtempSync(join(tmpdir(), 'scheduler-'));
  try {
    const path = join(folder, 'config.yaml');
    writeFileSync(path, yaml.startsWith('kind:') ? yaml : HEAD + yaml);
    return toOptions(parseFlags(SchedulerFlags, ['--kubeconfig=k', '--config', path, ...flags]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const names = (options: SchedulerOptions): string[] =>
  options.profiles.flatMap((each) => choosePlugins(PLUGINS, each)).map((each) => each.entry.name);

describe('toOptions()', () => {
  it('has upstream defaults', () => {
    const options = toOptions(parseFlags(SchedulerFlags, ['--kubeconfig=k']));
    expect(options).toMatchObject({
      leaderElect: true,
      lease: { namespace: 'kube-system', name: 'kube-scheduler' },
      leaseDurationMs: 15_000,
      securePort: 10_259,
      percentageOfNodesToScore: 0,
      backoff: { initialMs: 1000, maxMs: 10_000 },
    });
    expect(names(options)).toEqual(PLUGINS.map(({ name }) => name));
  });

  it('takes the file before the flags', () => {
    const options = read(
      'leaderElection: {leaderElect: false, leaseDuration: 20s}\nclientConnection: {kubeconfig: f}\n',
      '--leader-elect=true',
    );
    expect(options).toMatchObject({ leaderElect: false, leaseDurationMs: 20_000, kubeconfig: 'f' });
  });

  it('reads several profiles', () => {
    const options = read(
      'profiles: [{schedulerName: a}, {schedulerName: b, percentageOfNodesToScore: 70}]\n',
    );
    expect(options.profiles).toMatchObject([
      { schedulerName: 'a' },
      { schedulerName: 'b', percentageOfNodesToScore: 70 },
    ]);
  });

  it.each([
    {
      name: 'another kind of file',
      yaml: 'kind: Pod\n',
      want: 'kind must be equal to KubeSchedulerConfiguration',
    },
    { name: 'an unknown field', yaml: 'profile: []\n', want: 'property profile should not exist' },
    {
      name: 'a bad weight',
      yaml: 'profiles: [{plugins: {score: {enabled: [{name: X, weight: 500}]}}}]\n',
      want: 'profiles.0.plugins.score.enabled.0.weight',
    },
    {
      name: 'a percentage above 100',
      yaml: 'percentageOfNodesToScore: 101\n',
      want: 'percentageOfNodesToScore must not be greater than 100',
    },
    {
      name: 'a profile that is there twice',
      yaml: 'profiles: [{schedulerName: a}, {schedulerName: a}]\n',
      want: 'profiles[1].schedulerName: a is there twice',
    },
    {
      name: 'backoffs the wrong way round',
      yaml: 'podInitialBackoffSeconds: 20\n',
      want: 'podMaxBackoffSeconds',
    },
    {
      name: 'a lease shorter than its renewal',
      yaml: 'leaderElection: {leaseDuration: 5s}\n',
      want: '--leader-elect-lease-duration must be longer',
    },
  ])('refuses $name', ({ yaml, want }) => {
    expect(() => read(yaml)).toThrow(want);
  });
});

describe('choosePlugins()', () => {
  const profile = (plugins: string): string => `profiles: [{plugins: ${plugins}}]\n`;

  it('leaves out what is disabled', () => {
    const chosen = names(read(profile('{multiPoint: {disabled: [{name: ImageLocality}]}}')));
    expect(chosen).not.toContain('ImageLocality');
    expect(chosen).toContain('NodeName');
  });

  it('sets weights', () => {
    const options = read(profile('{score: {enabled: [{name: ImageLocality, weight: 7}]}}'));
    const chosen = options.profiles.flatMap((each) => choosePlugins(PLUGINS, each));
    expect(chosen.find(({ entry }) => entry.name === 'ImageLocality')?.weight).toBe(7);
  });

  it.each([
    {
      name: 'a plugin that there is not',
      plugins: '{filter: {enabled: [{name: Nope}]}}',
      want: 'plugins.filter.enabled.name: "Nope" is not one of',
    },
    {
      name: 'to do without a binder',
      plugins: '{bind: {disabled: [{name: DefaultBinder}]}}',
      want: 'DefaultBinder must stay enabled',
    },
  ])('refuses $name', ({ plugins, want }) => {
    expect(() => names(read(profile(plugins)))).toThrow(want);
  });
});
