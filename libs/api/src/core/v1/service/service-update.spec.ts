import { expect, it } from '@jest/globals';
import { context, objectOf } from '../../../findings.fixture.js';
import type { Service, ServiceSpec } from '../../../types.js';
import { ServiceKind } from './service.kind.js';

const A = { name: 'a', port: 80, nodePort: 30_001 };
const B = { name: 'b', port: 81, nodePort: 30_002 };
const ADDRESS = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] };
const BALANCED: ServiceSpec = {
  ...ADDRESS,
  type: 'LoadBalancer',
  externalTrafficPolicy: 'Local',
  healthCheckNodePort: 30_003,
  loadBalancerClass: 'a/b',
  ports: [A, B],
};

const INGRESS = [{ ip: '192.0.2.1', ipMode: 'VIP' }];

/** What an update of a balanced service is stored as. */
function updated(spec: ServiceSpec): Service {
  const old = objectOf(ServiceKind, { spec: BALANCED });
  old.status = { loadBalancer: { ingress: INGRESS } };
  const object = objectOf(ServiceKind, { spec });
  // objectOf merges with a smallest service, which has an address of its own choice.
  object.spec = structuredClone(spec);
  ServiceKind.setDefaults?.(object);
  ServiceKind.strategy.prepareForUpdate?.(object, old, context);
  return object;
}

const without = (spec: ServiceSpec, ...fields: (keyof ServiceSpec)[]): ServiceSpec =>
  Object.fromEntries(
    Object.entries(spec).filter(([field]) => !fields.some((one) => one === field)),
  );

it.each<{ name: string; spec: ServiceSpec; want: object }>([
  { name: 'clusterIP alone', spec: without(BALANCED, 'clusterIP'), want: ADDRESS },
  { name: 'clusterIPs alone', spec: without(BALANCED, 'clusterIPs'), want: ADDRESS },
  { name: 'both', spec: without(BALANCED, 'clusterIP', 'clusterIPs'), want: ADDRESS },
  {
    name: 'the port of the health check',
    spec: without(BALANCED, 'healthCheckNodePort'),
    want: { healthCheckNodePort: 30_003 },
  },
  {
    name: 'node ports, by the names of ports whose numbers change',
    spec: {
      ...BALANCED,
      ports: [
        { name: 'b', port: 90 },
        { name: 'a', port: 91 },
      ],
    },
    want: {
      ports: [
        expect.objectContaining({ port: 90, nodePort: 30_002 }),
        expect.objectContaining({ port: 91, nodePort: 30_001 }),
      ],
    },
  },
])('an update that leaves out $name keeps what was allocated', ({ spec, want }) => {
  expect(updated(spec).spec).toMatchObject(want);
});

it('a node port that another port has taken over is not given twice', () => {
  const ports = [
    { name: 'a', port: 80 },
    { ...B, nodePort: A.nodePort },
  ];
  const [first] = updated({ ...BALANCED, ports }).spec?.ports ?? [];
  expect(first?.nodePort).toBeUndefined();
});

it.each<{ name: string; spec: ServiceSpec; gone: readonly (keyof ServiceSpec)[] }>([
  {
    name: 'no balancer',
    spec: { ...BALANCED, type: 'NodePort' },
    gone: ['healthCheckNodePort', 'loadBalancerClass', 'allocateLoadBalancerNodePorts'],
  },
  {
    name: 'the whole cluster behind it',
    spec: without(BALANCED, 'externalTrafficPolicy'),
    gone: ['healthCheckNodePort'],
  },
  {
    name: 'no way in from outside',
    spec: { ...BALANCED, type: 'ClusterIP' },
    gone: ['externalTrafficPolicy', 'healthCheckNodePort', 'loadBalancerClass'],
  },
  {
    name: 'no addresses',
    spec: { ...BALANCED, type: 'ExternalName', externalName: 'a.b' },
    gone: ['clusterIP', 'clusterIPs', 'externalTrafficPolicy', 'internalTrafficPolicy'],
  },
])('what a service with $name has no use for goes with the change', ({ spec, gone }) => {
  const { spec: made } = updated(spec);
  expect(gone.filter((field) => made[field] !== undefined)).toEqual([]);
});

it('what a client changes with the type stays, to be refused', () => {
  const ports = [{ ...A, nodePort: 30_009 }];
  const { spec } = updated({
    ...BALANCED,
    type: 'ClusterIP',
    ports,
    externalTrafficPolicy: 'Cluster',
    loadBalancerClass: 'c/d',
  });
  expect(spec).toMatchObject({ ports, externalTrafficPolicy: 'Cluster', loadBalancerClass: 'c/d' });
});

it('tells of no balancer that it has no more', () => {
  expect(updated(BALANCED).status).toEqual({ loadBalancer: { ingress: INGRESS } });
  expect(updated({ ...BALANCED, type: 'NodePort' }).status).toEqual({ loadBalancer: {} });
});
