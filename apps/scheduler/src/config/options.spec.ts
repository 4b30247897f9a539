import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFlags } from '@orrery/component';
import { contextOf } from '../../test/plugin-context.js';
import type { ExtensionPoint, PluginSets } from '../framework/extension-points.js';
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

const choose = (options: SchedulerOptions): PluginSets[] =>
  options.profiles.map((each) =>
    choosePlugins(PLUGINS, each, (entry, args) => entry.create(contextOf({}), args)),
  );

const names = (options: SchedulerOptions, point: ExtensionPoint = 'filter'): string[] =>
  choose(options).flatMap((sets) => sets[point].map(({ plugin }) => plugin.name));

describe('flags of kube-scheduler', () => {
  const flags = (...argv: string[]): SchedulerFlags =>
    parseFlags(SchedulerFlags, ['--kubeconfig=k', ...argv]);

  it.each([
    { flag: '--feature-gates=X=true', says: 'no feature of the scheduler' },
    { flag: '--write-config-to=x', says: 'the configuration in effect is not written' },
    { flag: '--tls-sni-cert-key=x', says: 'the health port has one certificate' },
    {
      flag: '--kube-api-content-type=application/vnd.kubernetes.protobuf',
      says: 'requests are JSON',
    },
  ])('refuse $flag with the reason', ({ flag, says }) => {
    expect(() => flags(flag)).toThrow(says);
  });

  it('say how long a refused pod waits at most, where the API server is, how much the log tells', () => {
    const given = flags(
      '--pod-max-in-unschedulable-pods-duration=90s',
      '--master=https://h:1',
      '--v=4',
    );
    expect(toOptions(given)).toMatchObject({
      maxUnschedulableMs: 90_000,
      master: 'https://h:1',
      verbosity: 4,
    });
  });
});

describe('what extenders look after', () => {
  const extenders = [
    'extenders:',
    '- urlPrefix: http://h/x',
    '  filterVerb: filter',
    '  managedResources:',
    '  - {name: example.com/a, ignoredByScheduler: true}',
    '  - {name: example.com/b}',
  ].join('\n');

  it.each([
    { name: 'in the profile that is there without one', profiles: '' },
    {
      name: 'in profiles with arguments of their own',
      profiles:
        'profiles: [{schedulerName: p, pluginConfig: [{name: NodeResourcesFit, args: {ignoredResources: [example.com/c]}}]}]\n',
    },
  ])('NodeResourcesFit ignores $name', ({ profiles }) => {
    const options = read(profiles + extenders);
    const args = options.profiles.map(({ pluginConfig }) => pluginConfig.get('NodeResourcesFit'));
    expect(args).toEqual([{ ignoredResources: ['example.com/a'] }]);
  });
});

describe('toOptions()', () => {
  it('limits requests by flags', () => {
    const of = (...flags: string[]): unknown =>
      toOptions(parseFlags(SchedulerFlags, ['--kubeconfig=k', ...flags])).requestLimit;
    expect(of('--kube-api-qps=2.5')).toEqual({ perSecond: 2.5, burst: 10 });
    expect(of('--kube-api-qps=50', '--kube-api-burst=100')).toEqual({ perSecond: 50, burst: 100 });
    expect(of('--kube-api-qps=-1', '--kube-api-burst=100')).toBeUndefined();
  });

  it('has upstream defaults', () => {
    const options = toOptions(parseFlags(SchedulerFlags, ['--kubeconfig=k']));
    expect(options).toMatchObject({
      leaderElect: true,
      lease: { namespace: 'kube-system', name: 'kube-scheduler' },
      leaseDurationMs: 15_000,
      securePort: 10_259,
      requestLimit: undefined,
      percentageOfNodesToScore: 0,
      backoff: { initialMs: 1000, maxMs: 10_000 },
    });
    expect(names(options, 'score')).toEqual([
      'TaintToleration',
      'NodeAffinity',
      'NodeResourcesFit',
      'PodTopologySpread',
      'InterPodAffinity',
      'DynamicResources',
      'NodeResourcesBalancedAllocation',
      'ImageLocality',
    ]);
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
      want: 'percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]',
    },
    {
      name: 'a profile that is there twice',
      yaml: 'profiles: [{schedulerName: a}, {schedulerName: a}]\n',
      want: 'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"',
    },
    {
      name: 'backoffs the wrong way round',
      yaml: 'podInitialBackoffSeconds: 20\n',
      want: 'podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to PodInitialBackoffSeconds',
    },
    {
      name: 'two extenders that bind',
      yaml: 'extenders: [{urlPrefix: a, bindVerb: b}, {urlPrefix: c, bindVerb: b}]\n',
      want: 'extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind',
    },
    {
      name: 'an extender that scores without a weight',
      yaml: 'extenders: [{urlPrefix: a, prioritizeVerb: p, managedResources: [{name: cpu}]}]\n',
      want: 'extenders[0].weight: Invalid value: 0: must have a positive weight applied to it; extenders[0].managedResources[0].name: Invalid value: "cpu": is an invalid extended resource name',
    },
    {
      name: 'a plugin that upstream removed',
      yaml: 'profiles: [{plugins: {filter: {enabled: [{name: EBSLimits}]}}}]\n',
      want: 'profiles[0].plugins.filter.enabled[0]: Invalid value: "EBSLimits": was invalid in version',
    },
    {
      name: 'parallelism of nothing',
      yaml: 'parallelism: 0\n',
      want: 'parallelism: Invalid value: 0: should be an integer value greater than zero',
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
    const chosen = read(profile('{multiPoint: {disabled: [{name: ImageLocality}]}}'));
    expect(names(chosen, 'score')).not.toContain('ImageLocality');
    expect(names(chosen)).toContain('NodeName');
  });

  it('disables a plugin at one point alone', () => {
    const chosen = read(profile('{score: {disabled: [{name: NodeResourcesFit}]}}'));
    expect(names(chosen, 'score')).not.toContain('NodeResourcesFit');
    expect(names(chosen)).toContain('NodeResourcesFit');
  });

  it('runs first what a point names itself', () => {
    const chosen = read(profile('{filter: {enabled: [{name: NodePorts}, {name: NodeName}]}}'));
    expect(names(chosen).slice(0, 3)).toEqual(['NodePorts', 'NodeName', 'NodeUnschedulable']);
  });

  it('sets weights', () => {
    const [sets] = choose(read(profile('{score: {enabled: [{name: ImageLocality, weight: 7}]}}')));
    expect(sets?.score[0]).toMatchObject({ plugin: { name: 'ImageLocality' }, weight: 7 });
  });

  it.each([
    {
      name: 'a plugin that there is not',
      plugins: '{filter: {enabled: [{name: Nope}]}}',
      want: 'FilterPlugin "Nope" does not exist',
    },
    {
      name: 'a plugin at a point that it does not have',
      plugins: '{filter: {enabled: [{name: ImageLocality}]}}',
      want: 'plugin "ImageLocality" does not extend FilterPlugin plugin',
    },
    {
      name: 'gangs',
      plugins: '{multiPoint: {enabled: [{name: GangScheduling}]}}',
      want: 'plugin GangScheduling is not modelled',
    },
    {
      name: 'to do without a binder',
      plugins: '{bind: {disabled: [{name: DefaultBinder}]}}',
      want: 'at least one bind plugin is needed for profile with scheduler name "default-scheduler"',
    },
  ])('refuses $name', ({ plugins, want }) => {
    expect(() => names(read(profile(plugins)))).toThrow(want);
  });

  it.each([
    {
      name: 'DefaultPreemption',
      args: '{minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0}',
      want: 'cannot be zero at the same time as minCandidateNodesAbsolute',
    },
    {
      name: 'InterPodAffinity',
      args: '{hardPodAffinityWeight: 101}',
      want: 'hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]',
    },
    {
      name: 'NodeResourcesFit',
      args: '{scoringStrategy: {type: RequestedToCapacityRatio}}',
      want: 'must be specified when type is RequestedToCapacityRatio',
    },
    {
      name: 'NodeResourcesFit',
      args: '{scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 101}]}}',
      want: 'resource weight of cpu not in valid range (0, 100]',
    },
    {
      name: 'NodeResourcesBalancedAllocation',
      args: '{resources: [{name: cpu, weight: 2}, {name: cpu, weight: 1}]}',
      want: 'args.resources[0].weight: Invalid value: 2: must be 1; args.resources[1].name: Duplicate value: "cpu"',
    },
    {
      name: 'PodTopologySpread',
      args: '{defaultConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]}',
      want: 'defaultingType: Invalid value: "System": when .defaultConstraints are not empty',
    },
    {
      name: 'NodeAffinity',
      args: '{addedAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Like}]}]}}}',
      want: 'matchExpressions[0].operator: Unsupported value: "Like"',
    },
    {
      name: 'VolumeBinding',
      args: '{bindTimeoutSeconds: -1}',
      want: 'invalid BindTimeoutSeconds, should not be a negative value',
    },
  ])('refuses arguments of $name', ({ name, args, want }) => {
    const yaml = `profiles: [{pluginConfig: [{name: ${name}, args: ${args}}]}]\n`;
    expect(() => names(read(yaml))).toThrow(want);
  });
});
