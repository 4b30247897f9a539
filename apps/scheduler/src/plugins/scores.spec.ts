import { describe, expect, it } from '@jest/globals';
import type { PluginEntry } from '../framework/plugin.js';
import { node, pod } from '../../test/builders.js';
import type { PodBuilder } from '../../test/builders.js';
import { PluginBench } from '../../test/plugin-context.js';
import type { World } from '../../test/plugin-context.js';
import { imageLocality } from './image-locality/image-locality.plugin.js';
import { interPodAffinity } from './inter-pod-affinity/inter-pod-affinity.plugin.js';
import { nodeAffinity } from './node-affinity/node-affinity.plugin.js';
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation/node-resources-balanced-allocation.plugin.js';
import { nodeResourcesFit } from './node-resources-fit/node-resources-fit.plugin.js';
import { podTopologySpread } from './pod-topology-spread/pod-topology-spread.plugin.js';
import { taintToleration } from './taint-toleration/taint-toleration.plugin.js';

interface Case extends World {
  readonly name: string;
  readonly plugin: PluginEntry;
  readonly pod: PodBuilder;
  /** With the plugin's weight. */
  readonly want: Record<string, number>;
}

const MEBI = 1024 * 1024;
const HOST = 'kubernetes.io/hostname';
const web = { matchLabels: { app: 'web' } };
const small = { cpu: '1', memory: '2Gi' };

describe('scores', () => {
  it.each<Case>([
    {
      name: 'the emptier node',
      plugin: nodeResourcesFit,
      nodes: [node('n1'), node('n2')],
      pods: [pod('x').requests(small).on('n1')],
      pod: pod('a').requests(small),
      want: { n1: 50, n2: 75 },
    },
    {
      name: 'the fuller node when packing',
      plugin: nodeResourcesFit,
      args: { scoringStrategy: { type: 'MostAllocated' } },
      nodes: [node('n1'), node('n2')],
      pods: [pod('x').requests(small).on('n1')],
      pod: pod('a').requests(small),
      want: { n1: 50, n2: 25 },
    },
    {
      name: 'by a shape of the utilization',
      plugin: nodeResourcesFit,
      args: {
        scoringStrategy: {
          type: 'RequestedToCapacityRatio',
          requestedToCapacityRatio: {
            shape: [
              { utilization: 0, score: 0 },
              { utilization: 100, score: 10 },
            ],
          },
        },
      },
      nodes: [node('n1'), node('n2')],
      pods: [pod('x').requests(small).on('n1')],
      pod: pod('a').requests(small),
      want: { n1: 50, n2: 25 },
    },
    {
      name: 'even use of cpu and memory',
      plugin: nodeResourcesBalancedAllocation,
      nodes: [node('n1'), node('n2').allocatable({ cpu: '2', memory: '8Gi' })],
      pod: pod('a').requests(small),
      want: { n1: 100, n2: 87 },
    },
    {
      name: 'even use of resources that are named',
      plugin: nodeResourcesBalancedAllocation,
      args: { resources: ['cpu', 'memory', 'example.com/gpu'].map((name) => ({ name })) },
      nodes: [
        node('n1').allocatable({ cpu: '4', memory: '8Gi', 'example.com/gpu': '4' }),
        node('n2').allocatable({ cpu: '4', memory: '8Gi', 'example.com/gpu': '1' }),
      ],
      pod: pod('a').requests({ ...small, 'example.com/gpu': '1' }),
      want: { n1: 100, n2: 64 },
    },
    {
      name: 'fewer soft taints',
      plugin: taintToleration,
      nodes: [node('n1').tainted({ key: 'k', effect: 'PreferNoSchedule' }), node('n2')],
      pod: pod('a'),
      want: { n1: 0, n2: 300 },
    },
    {
      name: 'the weights of preferred terms',
      plugin: nodeAffinity,
      nodes: [node('n1').labels({ disk: 'ssd' }), node('n2').labels({ disk: 'hdd' }), node('n3')],
      pod: pod('a').affinity({
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 80,
              preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] },
            },
            { weight: 20, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } },
          ],
        },
      }),
      want: { n1: 200, n2: 40, n3: 0 },
    },
    {
      name: 'images that are there, less when few nodes have them',
      plugin: imageLocality,
      nodes: [node('n1').image('nginx:latest', 600 * MEBI), node('n2')],
      pod: pod('a').containers({ name: 'c', image: 'nginx' }),
      want: { n1: 28, n2: 0 },
    },
    {
      name: 'company that is preferred',
      plugin: interPodAffinity,
      nodes: [node('n1'), node('n2')],
      pods: [pod('x').labels({ app: 'web' }).on('n1')],
      pod: pod('a').affinity({
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 5, podAffinityTerm: { topologyKey: HOST, labelSelector: web } },
          ],
        },
      }),
      want: { n1: 200, n2: 0 },
    },
    {
      name: 'fewer of its kind',
      plugin: podTopologySpread,
      nodes: [node('n1'), node('n2')],
      pods: [pod('x').labels({ app: 'web' }).on('n1')],
      pod: pod('a').labels({ app: 'web' }).spread({
        maxSkew: 1,
        topologyKey: HOST,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: web,
      }),
      want: { n1: 0, n2: 200 },
    },
    {
      name: "fewer of its service's pods, without constraints of its own",
      plugin: podTopologySpread,
      nodes: [node('n1'), node('n2')],
      pods: [pod('x').labels({ app: 'web' }).on('n1')],
      objects: {
        services: [
          {
            metadata: { name: 's', namespace: 'default' },
            spec: { selector: { app: 'web' } },
          } as never,
        ],
      },
      pod: pod('a').labels({ app: 'web' }),
      want: { n1: 132, n2: 200 },
    },
  ])('$plugin.name prefers $name', ({ plugin, pod: wanted, want, ...world }) => {
    expect(new PluginBench([plugin], world).scores(wanted.info())).toEqual(want);
  });
});
