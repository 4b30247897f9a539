import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { context, objectOf, refusals, updateRefusals } from '../../../findings.fixture.js';
import { ServiceKind } from './service.kind.js';

const spec = (more: object): object => ({ spec: more });
const at = (ip: string): object => ({ spec: { clusterIP: ip, clusterIPs: [ip] } });

describe('a service', () => {
  it.each<Refused>([
    { name: 'no ports', change: spec({ ports: [] }), want: ['spec.ports: Required value'] },
    {
      name: 'ports without names, twice the same',
      change: spec({ ports: [{ port: 80 }, { port: 80, name: 'b', targetPort: 'No_Port' }] }),
      want: [
        'spec.ports[0].name: Required value',
        'spec.ports[1].targetPort: Invalid value: "No_Port": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
        'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
      ],
    },
    {
      name: 'an address beside a name',
      change: spec({
        type: 'ExternalName',
        externalName: 'Bad_',
        clusterIPs: ['10.0.0.1'],
        ports: [],
      }),
      want: [
        'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
        "spec.externalName: Invalid value: \"Bad_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    },
    {
      name: 'node ports without an address',
      change: spec({ type: 'NodePort', clusterIP: 'None' }),
      want: [
        'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
      ],
    },
    {
      name: 'addresses that are none, or of the other family',
      change: spec({ clusterIP: '010.0.0.1', ipFamilies: ['IPv4', 'IPv4'] }),
      want: [
        'spec.ipFamilies[1]: Duplicate value: "IPv4"',
        'spec.clusterIPs[0]: Invalid value: "010.0.0.1": must not have leading 0s',
      ],
    },
    {
      name: 'external addresses that nobody reaches',
      change: spec({ externalIPs: ['127.0.0.1', '0.0.0.0', 'x'] }),
      want: [
        'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        'spec.externalIPs[1]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
        'spec.externalIPs[2]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    },
    {
      name: 'what only balanced services have',
      change: spec({
        loadBalancerSourceRanges: ['10.0.0.1/8'],
        allocateLoadBalancerNodePorts: true,
        loadBalancerClass: 'a',
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 3,
      }),
      want: [
        "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
        'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
        "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
        "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
        "spec.healthCheckNodePort: Invalid value: 3: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ],
    },
    {
      name: 'affinity that lasts too long, and traffic of no sort',
      change: spec({
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 90000 } },
        trafficDistribution: 'Far',
        internalTrafficPolicy: 'None',
      }),
      want: [
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400',
        'spec.internalTrafficPolicy: Unsupported value: "None": supported values: "Cluster", "Local"',
        'spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
      ],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(ServiceKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate>([
    {
      name: 'another address',
      before: at('10.0.0.1'),
      after: at('10.0.0.2'),
      want: ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
    },
    {
      name: 'another class',
      before: spec({ type: 'LoadBalancer', loadBalancerClass: 'a/b' }),
      after: spec({ type: 'LoadBalancer', loadBalancerClass: 'a/c' }),
      want: ['spec.loadBalancerClass: Invalid value: "a/c": may not change once set'],
    },
  ])('may not get $name', ({ before, after, want }) => {
    expect(updateRefusals(ServiceKind, before, after)).toEqual(want);
  });

  it('keeps an address of old form', () => {
    expect(updateRefusals(ServiceKind, at('010.0.0.1'), at('010.0.0.1'))).toEqual([]);
  });

  it('has no balancer unless it is balanced', () => {
    const status = { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } };
    expect(updateRefusals(ServiceKind, {}, status, 'status')).toEqual([
      "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
    ]);
  });

  it('warns of what has no effect', () => {
    const warnings: string[] = [];
    const object = objectOf(
      ServiceKind,
      spec({
        clusterIP: 'None',
        clusterIPs: ['None'],
        externalName: 'a',
        sessionAffinity: 'ClientIP',
      }),
    );
    ServiceKind.strategy.validate?.(object, { ...context, warn: (text) => warnings.push(text) });
    expect(warnings).toEqual([
      'spec.SessionAffinity is ignored for headless services',
      'spec.externalName is ignored when spec.type is not "ExternalName"',
    ]);
  });
});
