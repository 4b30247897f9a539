import { describe, expect, it } from '@jest/globals';
import { FieldPath } from '@orrery/apimachinery';
import type { PodTemplateSpec } from '../../../types.js';
import { podWarnings } from './pod-warnings.js';

interface Warned {
  readonly name: string;
  readonly template: PodTemplateSpec;
  readonly want: readonly string[];
}

const pod = (more: object, container: object = {}): PodTemplateSpec => ({
  spec: { containers: [{ name: 'web', image: 'a', ...container }], ...more },
});

describe('podWarnings()', () => {
  it.each<Warned>([
    {
      name: 'beta labels of nodes',
      template: pod({
        nodeSelector: { 'beta.kubernetes.io/os': 'linux' },
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'failure-domain.beta.kubernetes.io/zone',
            whenUnsatisfiable: 'DoNotSchedule',
          },
        ],
      }),
      want: [
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
        'spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
        'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
      ],
    },
    {
      name: 'an address of the host without a port',
      template: pod(
        {},
        { ports: [{ containerPort: 80, protocol: 'TCP', hostIP: '10.0.0.1', name: 'http' }] },
      ),
      want: [
        'spec.containers[0].ports[0]: hostIP set without hostPort: {Name:http HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}',
      ],
    },
    {
      name: 'variables that stand twice',
      template: pod(
        {},
        {
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
          ],
        },
      ),
      want: [
        'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
      ],
    },
    {
      name: 'no variable that builds on itself',
      template: pod(
        {},
        {
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '$(A):2' },
          ],
        },
      ),
      want: [],
    },
    {
      name: 'ports that overlap',
      template: pod(
        {},
        {
          ports: [
            { containerPort: 80, protocol: 'TCP', name: 'http' },
            { containerPort: 80, protocol: 'TCP', hostPort: 80, name: 'http' },
          ],
        },
      ),
      want: [
        'spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]',
        'spec.containers[0].ports[1]: duplicate port name "http" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
      ],
    },
    {
      name: 'parts of bytes',
      template: pod({}, { resources: { limits: { memory: '500m' } } }),
      want: [
        'spec.containers[0].resources.limits[memory]: fractional byte value "500m" is invalid, must be an integer',
      ],
    },
    {
      name: 'volumes of old, and files over folders',
      template: pod({
        volumes: [
          { name: 'g', gitRepo: { repository: 'r' } },
          {
            name: 'c',
            configMap: {
              name: 'm',
              items: [
                { key: 'a', path: 'x' },
                { key: 'b', path: 'x/y' },
              ],
            },
          },
        ],
      }),
      want: [
        'spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+',
        'volume "c" (ConfigMap "m"): overlapping paths: "x/y" with "x"',
      ],
    },
    {
      name: 'secrets without name and a negative period',
      template: pod({ imagePullSecrets: [{}], terminationGracePeriodSeconds: -1 }),
      want: [
        'spec.imagePullSecrets[0].name: invalid empty name ""',
        'spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
      ],
    },
  ])('names $name', ({ template, want }) => {
    expect(podWarnings(template)).toEqual(want);
  });

  it('names fields of a template by their place in the workload', () => {
    const template: PodTemplateSpec = {
      ...pod({ hostAliases: [{ ip: '010.0.0.1', hostnames: ['a'] }] }),
      metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/web': 'x' } },
    };
    expect(podWarnings(template, FieldPath.of('spec', 'template'))).toEqual([
      'spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/web]: deprecated since v1.30; use the "appArmorProfile" field instead',
      'spec.template.spec.hostAliases[0].ip: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"',
    ]);
  });
});
