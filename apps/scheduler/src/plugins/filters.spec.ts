import { describe, expect, it } from '@jest/globals';
import type { PluginEntry } from '../framework/plugin.js';
import { node, pod } from '../../test/builders.js';
import type { PodBuilder } from '../../test/builders.js';
import { PluginBench } from '../../test/plugin-context.js';
import type { World } from '../../test/plugin-context.js';
import { dynamicResources } from './dynamic-resources/dynamic-resources.plugin.js';
import { interPodAffinity } from './inter-pod-affinity/inter-pod-affinity.plugin.js';
import { nodeAffinity } from './node-affinity/node-affinity.plugin.js';
import { nodeDeclaredFeatures } from './node-declared-features/node-declared-features.plugin.js';
import { nodeName } from './node-name/node-name.plugin.js';
import { nodePorts } from './node-ports/node-ports.plugin.js';
import { nodeResourcesFit } from './node-resources-fit/node-resources-fit.plugin.js';
import { nodeUnschedulable } from './node-unschedulable/node-unschedulable.plugin.js';
import { podTopologySpread } from './pod-topology-spread/pod-topology-spread.plugin.js';
import { taintToleration } from './taint-toleration/taint-toleration.plugin.js';
import { volumeBinding } from './volume-binding/volume-binding.plugin.js';

interface Case extends World {
  readonly name: string;
  readonly plugin: PluginEntry;
  readonly pod: PodBuilder;
  /** Reasons by node; '' = fits. */
  readonly want: Record<string, string>;
}

const HOST = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';
const SPREAD = "node(s) didn't match pod topology spread constraints";
const web = { matchLabels: { app: 'web' } };
const hard = { maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' as const, labelSelector: web };
const isWeb = (name: string): PodBuilder => pod(name).labels({ app: 'web' });
const RESTARTS_ALL = 'RestartAllContainersOnContainerExits';
const cordonTaint = { key: 'node.kubernetes.io/unschedulable', operator: 'Exists' as const };

const nodeCases: Case[] = [
  {
    name: 'a pod waits for its claims',
    plugin: dynamicResources,
    nodes: [node('n1')],
    pod: pod('a').claiming('gpu', 'nic'),
    want: { n1: 'could not find ResourceClaim "default/gpu"' },
  },
  {
    name: 'a pod without claims goes anywhere',
    plugin: dynamicResources,
    nodes: [node('n1')],
    pod: pod('a'),
    want: { n1: '' },
  },
  {
    name: 'a rule that restarts all containers needs a node that knows it',
    plugin: nodeDeclaredFeatures,
    nodes: [node('n1'), node('n2').declaring('A', RESTARTS_ALL)],
    pod: pod('a').containers({
      name: 'c',
      restartPolicyRules: [{ action: 'RestartAllContainers' }],
    }),
    want: { n1: "node(s) didn't match Pod's required features", n2: '' },
  },
  {
    name: 'a pod with other rules goes anywhere',
    plugin: nodeDeclaredFeatures,
    nodes: [node('n1')],
    pod: pod('a').containers({ name: 'c', restartPolicyRules: [{ action: 'Restart' }] }),
    want: { n1: '' },
  },
  {
    name: 'cordoned nodes are for those who tolerate it',
    plugin: nodeUnschedulable,
    nodes: [node('n1').cordoned(), node('n2')],
    pod: pod('a'),
    want: { n1: 'node(s) were unschedulable', n2: '' },
  },
  {
    name: 'a pod that tolerates the cordon goes to a cordoned node',
    plugin: nodeUnschedulable,
    nodes: [node('n1').cordoned()],
    pod: pod('a').tolerating(cordonTaint),
    want: { n1: '' },
  },
  {
    name: 'a named node is the only one',
    plugin: nodeName,
    nodes: [node('n1'), node('n2')],
    pod: pod('a').on('n2'),
    want: { n1: "node(s) didn't match the requested node name", n2: '' },
  },
  {
    name: 'soft taints refuse nobody',
    plugin: taintToleration,
    nodes: [
      node('n1').tainted({ key: 'k', effect: 'PreferNoSchedule' }),
      node('n2').tainted({ key: 'k', effect: 'NoExecute' }),
    ],
    pod: pod('a'),
    want: { n1: '', n2: 'node(s) had untolerated taint(s)' },
  },
  {
    name: 'labels are asked for by nodeSelector',
    plugin: nodeAffinity,
    nodes: [node('n1').labels({ disk: 'ssd' }), node('n2')],
    pod: pod('a').spec({ nodeSelector: { disk: 'ssd' } }),
    want: { n1: '', n2: "node(s) didn't match Pod's node affinity/selector" },
  },
  {
    name: 'a host port is given once on a node',
    plugin: nodePorts,
    nodes: [node('n1'), node('n2')],
    pods: [pod('x').hostPort(80).on('n1')],
    pod: pod('a').hostPort(80),
    want: { n1: "node(s) didn't have free ports for the requested pod ports", n2: '' },
  },
];

const resourceCases: Case[] = [
  {
    name: 'says everything that a node lacks',
    plugin: nodeResourcesFit,
    nodes: [node('n1').allocatable({ cpu: '1', memory: '1Gi', pods: '1' })],
    pods: [pod('x').on('n1')],
    pod: pod('a').requests({ cpu: '2', memory: '2Gi', 'example.com/gpu': '1' }),
    want: {
      n1: 'Too many pods, Insufficient cpu, Insufficient memory, Insufficient example.com/gpu',
    },
  },
  {
    name: 'fills a node to the last millicore',
    plugin: nodeResourcesFit,
    nodes: [node('n1')],
    pods: [pod('x').requests({ cpu: '3999m' }).on('n1')],
    pod: pod('a').requests({ cpu: '1m' }),
    want: { n1: '' },
  },
  {
    name: 'leaves ignored resources to others',
    plugin: nodeResourcesFit,
    args: { ignoredResourceGroups: ['example.com'] },
    nodes: [node('n1')],
    pod: pod('a').requests({ 'example.com/gpu': '1' }),
    want: { n1: '' },
  },
];

const affinityCases: Case[] = [
  {
    name: 'anti-affinity keeps apart from pods in the same zone',
    plugin: interPodAffinity,
    nodes: [node('a1').zone('a'), node('b1').zone('b'), node('a2').zone('a')],
    pods: [isWeb('x').on('a1')],
    pod: pod('a').apart({ topologyKey: ZONE, labelSelector: web }),
    want: {
      a1: "node(s) didn't match pod anti-affinity rules",
      b1: '',
      a2: "node(s) didn't match pod anti-affinity rules",
    },
  },
  {
    name: 'the anti-affinity of a pod that is there counts too',
    plugin: interPodAffinity,
    nodes: [node('n1'), node('n2')],
    pods: [pod('x').apart({ topologyKey: HOST, labelSelector: web }).on('n1')],
    pod: isWeb('a'),
    want: { n1: "node(s) didn't satisfy existing pods anti-affinity rules", n2: '' },
  },
  {
    name: 'affinity goes where its company is',
    plugin: interPodAffinity,
    nodes: [node('n1'), node('n2')],
    pods: [isWeb('x').on('n2')],
    pod: pod('a').near({ topologyKey: HOST, labelSelector: web }),
    want: { n1: "node(s) didn't match pod affinity rules", n2: '' },
  },
  {
    name: 'the first of a group needs no company',
    plugin: interPodAffinity,
    nodes: [node('n1')],
    pod: isWeb('a').near({ topologyKey: HOST, labelSelector: web }),
    want: { n1: '' },
  },
  {
    name: 'company in another namespace is none',
    plugin: interPodAffinity,
    nodes: [node('n1')],
    pods: [pod('x', 'other').labels({ app: 'web' }).on('n1')],
    pod: pod('a').near({ topologyKey: HOST, labelSelector: web }),
    want: { n1: "node(s) didn't match pod affinity rules" },
  },
  {
    name: 'a namespaceSelector finds company in other namespaces',
    plugin: interPodAffinity,
    nodes: [node('n1')],
    pods: [pod('x', 'other').labels({ app: 'web' }).on('n1')],
    objects: { namespaces: [{ metadata: { name: 'other', labels: { team: 'a' } } }] },
    pod: pod('a').near({
      topologyKey: HOST,
      labelSelector: web,
      namespaceSelector: { matchLabels: { team: 'a' } },
    }),
    want: { n1: '' },
  },
];

const spreadCases: Case[] = [
  {
    name: 'the fullest zone is refused',
    plugin: podTopologySpread,
    nodes: [node('a1').zone('a'), node('b1').zone('b')],
    pods: [isWeb('x').on('a1')],
    pod: isWeb('a').spread({ ...hard, topologyKey: ZONE }),
    want: { a1: SPREAD, b1: '' },
  },
  {
    name: 'a node without the label is refused for good',
    plugin: podTopologySpread,
    nodes: [node('a1').zone('a'), node('n1')],
    pod: isWeb('a').spread({ ...hard, topologyKey: ZONE }),
    want: { a1: '', n1: `${SPREAD} (missing required label)` },
  },
  {
    name: 'nodes that the pod cannot go to do not count',
    plugin: podTopologySpread,
    nodes: [node('a1').zone('a').labels({ disk: 'ssd' }), node('b1').zone('b')],
    pods: [isWeb('x').on('a1')],
    pod: isWeb('a')
      .spec({ nodeSelector: { disk: 'ssd' } })
      .spread({ ...hard, topologyKey: ZONE }),
    want: { a1: '', b1: '' },
  },
  {
    name: 'too few domains count as an empty one more',
    plugin: podTopologySpread,
    nodes: [node('a1').zone('a')],
    pods: [isWeb('x').on('a1')],
    pod: isWeb('a').spread({ ...hard, topologyKey: ZONE, minDomains: 2 }),
    want: { a1: SPREAD },
  },
];

const useClaim = (name: string): PodBuilder =>
  pod('a').spec({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: name } }] });
const claim = (phase: string, volumeName = ''): object => ({
  metadata: {
    name: 'data',
    namespace: 'default',
    annotations: phase === 'Bound' ? { 'pv.kubernetes.io/bind-completed': 'yes' } : {},
  },
  spec: { volumeName },
  status: { phase },
});

const volumeCases: Case[] = [
  {
    name: 'a claim must exist',
    plugin: volumeBinding,
    nodes: [node('n1')],
    pod: useClaim('data'),
    want: { n1: 'persistentvolumeclaim "data" not found' },
  },
  {
    name: 'a claim must be bound',
    plugin: volumeBinding,
    nodes: [node('n1')],
    objects: { claims: [claim('Pending') as never] },
    pod: useClaim('data'),
    want: { n1: 'pod has unbound immediate PersistentVolumeClaims' },
  },
  {
    name: 'a volume says where it can be reached',
    plugin: volumeBinding,
    nodes: [node('n1').zone('a'), node('n2').zone('b')],
    objects: {
      claims: [claim('Bound', 'pv1') as never],
      volumes: [
        {
          metadata: { name: 'pv1' },
          spec: {
            nodeAffinity: {
              required: {
                nodeSelectorTerms: [
                  { matchExpressions: [{ key: ZONE, operator: 'In', values: ['b'] }] },
                ],
              },
            },
          },
        } as never,
      ],
    },
    pod: useClaim('data'),
    want: { n1: "node(s) didn't match PersistentVolume's node affinity", n2: '' },
  },
];

describe('filters', () => {
  it.each<Case>([...nodeCases, ...resourceCases, ...affinityCases, ...spreadCases, ...volumeCases])(
    '$plugin.name: $name',
    ({ plugin, pod: wanted, want, ...world }) => {
      expect(new PluginBench([plugin], world).verdicts(wanted.info())).toEqual(want);
    },
  );

  it('NodeAffinity: looks only at the nodes that all terms name', () => {
    const bench = new PluginBench([nodeAffinity], { nodes: [node('n1'), node('n2')] });
    const matchFields = [{ key: 'metadata.name', operator: 'In' as const, values: ['n2'] }];
    const required = { nodeSelectorTerms: [{ matchFields }] };
    const wanted = pod('a').affinity({
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required },
    });
    expect(bench.verdicts(wanted.info())).toEqual({ n1: 'not named', n2: '' });
  });
});
