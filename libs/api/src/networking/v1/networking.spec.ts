import { describe, expect, it } from '@jest/globals';
import { context, objectOf, refusals, updateRefusals } from '../../findings.fixture.js';
import type { Refused, RefusedUpdate } from '../../findings.fixture.js';
import { IngressKind } from './ingress/ingress.kind.js';
import { IngressClassKind } from './ingressclass/ingressclass.kind.js';
import { NetworkPolicyKind } from './networkpolicy/networkpolicy.kind.js';

const service = { name: 'web', port: { number: 80 } };
const path = { path: '/', pathType: 'Prefix', backend: { service } };
const at = 'spec.rules[0].http.paths[0]';
const rule = (change: object): object => ({
  spec: { rules: [{ http: { paths: [{ ...path, ...change }] } }] },
});
const backend = (given: object): object => rule({ backend: given });
const LABEL =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

describe('an Ingress', () => {
  it.each<Refused>([
    {
      name: 'without rules and default',
      change: { spec: { defaultBackend: undefined } },
      want: ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified'],
    },
    {
      name: 'without paths',
      change: { spec: { rules: [{ http: { paths: [] } }] } },
      want: ['spec.rules[0].http.paths: Required value'],
    },
    {
      name: 'for an address, and for a wildcard in the middle',
      change: { spec: { rules: [{ host: '1.2.3.4' }, { host: 'a.*.com' }] } },
      want: [
        'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
        `spec.rules[1].host: Invalid value: "a.*.com": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
      ],
    },
    {
      name: 'with a path of no type',
      change: rule({ pathType: undefined }),
      want: [`${at}.pathType: Required value: pathType must be specified`],
    },
    {
      name: 'with a path of an unknown type',
      change: rule({ pathType: 'Regex' }),
      want: [
        `${at}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
      ],
    },
    {
      name: 'with paths that wander',
      change: rule({ path: 'a//b/..' }),
      want: [
        `${at}.path: Invalid value: "a//b/..": must be an absolute path`,
        `${at}.path: Invalid value: "a//b/..": must not contain '//'`,
        `${at}.path: Invalid value: "a//b/..": cannot end with '/..'`,
      ],
    },
    {
      name: 'with a backend of nothing',
      change: backend({}),
      want: [`${at}.backend: Invalid value: "": resource or service backend is required`],
    },
    {
      name: 'with a backend of both sorts',
      change: backend({ service, resource: { kind: 'B', name: 'b' } }),
      want: [`${at}.backend: Invalid value: "": cannot set both resource and service backends`],
    },
    {
      name: 'with a service and no port',
      change: backend({ service: { name: 'web' } }),
      want: [`${at}.backend: Required value: port name or number is required`],
    },
    {
      name: 'with two ports',
      change: backend({ service: { name: 'web', port: { name: 'http', number: 80 } } }),
      want: [`${at}.backend: Invalid value: "": cannot set both port name & port number`],
    },
    {
      name: 'with a resource that lacks everything',
      change: backend({ resource: { apiGroup: 'A B' } }),
      want: [
        `${at}.backend.resource.apiGroup: Invalid value: "A B": ${LABEL}`,
        `${at}.backend.resource.kind: Required value`,
        `${at}.backend.resource.name: Required value`,
      ],
    },
    {
      name: 'with a class and another in its annotation',
      change: {
        metadata: { annotations: { 'kubernetes.io/ingress.class': 'a' } },
        spec: { ingressClassName: 'b' },
      },
      want: [
        'annotations.kubernetes.io/ingress.class: Invalid value: "a": must match `ingressClassName` when both are specified',
      ],
    },
  ])('is refused $name', ({ change, want }) => {
    expect(refusals(IngressKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate & { readonly subresource?: string }>([
    {
      name: 'keeps a bad secret name that is stored',
      before: { spec: { tls: [{ secretName: 'A B' }] } },
      after: { spec: { tls: [{ secretName: 'A B' }], ingressClassName: 'x' } },
      want: [],
    },
    {
      name: 'refuses a status with an address for a name',
      before: {},
      after: { status: { loadBalancer: { ingress: [{ hostname: '10.0.0.1' }, { ip: 'x' }] } } },
      subresource: 'status',
      want: [
        'status.loadBalancer.ingress[0].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
        'status.loadBalancer.ingress[1].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    },
  ])('$name', ({ before, after, subresource, want }) => {
    expect(updateRefusals(IngressKind, before, after, subresource)).toEqual(want);
  });
});

describe('an IngressClass', () => {
  it.each<Refused>([
    {
      name: 'without a controller',
      change: { spec: { controller: '' } },
      want: ['spec.controller: Required value'],
    },
    {
      name: 'with a controller of no domain',
      change: { spec: { controller: 'nginx' } },
      want: [
        'spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")',
      ],
    },
    {
      name: 'with a path that is none',
      change: { spec: { controller: 'a.io/{x}' } },
      want: [
        `spec.controller: Invalid value: "{x}": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`,
      ],
    },
    {
      name: 'with parameters of a namespace that is not named',
      change: { spec: { parameters: { kind: 'P', name: 'p', scope: 'Namespace' } } },
      want: ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
    },
    {
      name: 'with parameters of the cluster in a namespace',
      change: { spec: { parameters: { kind: 'P', name: 'p', namespace: 'n' } } },
      want: ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
    },
  ])('is refused $name', ({ change, want }) => {
    expect(refusals(IngressClassKind, change)).toEqual(want);
  });
});

describe('a NetworkPolicy', () => {
  const peer = (given: object): object => ({ spec: { ingress: [{ from: [given] }] } });
  const port = (given: object): object => ({ spec: { egress: [{ ports: [given] }] } });
  const from = 'spec.ingress[0].from[0]';
  const to = 'spec.egress[0].ports[0]';

  it.each<Refused>([
    {
      name: 'with a peer of nothing',
      change: peer({}),
      want: [`${from}: Required value: must specify a peer`],
    },
    {
      name: 'with a block and pods in one peer',
      change: peer({ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }),
      want: [`${from}: Forbidden: may not specify both ipBlock and another peer`],
    },
    {
      name: 'with a block that excepts what is outside',
      change: peer({ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16', '10.0.0.0/8'] } }),
      want: [
        `${from}.ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of \`cidr\``,
        `${from}.ipBlock.except[1]: Invalid value: "10.0.0.0/8": must be a strict subset of \`cidr\``,
      ],
    },
    {
      name: 'with a block of nothing',
      change: peer({ ipBlock: {} }),
      want: [`${from}.ipBlock.cidr: Required value`],
    },
    {
      name: 'with an end of no port',
      change: port({ endPort: 9 }),
      want: [
        `${to}.endPort: Invalid value: 9: may not be specified when \`port\` is not specified`,
      ],
    },
    {
      name: 'with an end of a named port',
      change: port({ port: 'web', endPort: 9 }),
      want: [`${to}.endPort: Invalid value: 9: may not be specified when \`port\` is non-numeric`],
    },
    {
      name: 'with an end before the beginning',
      change: port({ port: 90, endPort: 80, protocol: 'ICMP' }),
      want: [
        `${to}.protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"`,
        `${to}.endPort: Invalid value: 80: must be greater than or equal to \`port\``,
      ],
    },
    {
      name: 'of a type that there is not',
      change: { spec: { policyTypes: ['X'] } },
      want: ['spec.policyTypes[0]: Unsupported value: "X": supported values: "Ingress", "Egress"'],
    },
    {
      name: 'with too many types',
      change: { spec: { policyTypes: ['Ingress', 'Egress', 'X'] } },
      want: [
        'spec.policyTypes: Invalid value: ["Ingress","Egress","X"]: may not specify more than two policyTypes',
      ],
    },
  ])('is refused $name', ({ change, want }) => {
    expect(refusals(NetworkPolicyKind, change)).toEqual(want);
  });

  it('is warned of ranges that are written oddly', () => {
    const change = {
      spec: {
        ingress: [{ from: [{ ipBlock: { cidr: '10.1.2.3/8', except: ['10.9.0.0/16'] } }] }],
        egress: [{ to: [{ ipBlock: { cidr: '2001:DB8::/32', except: ['2001:db8:0::/48'] } }] }],
      },
    };
    const told: string[] = [];
    const object = objectOf(NetworkPolicyKind, change);
    NetworkPolicyKind.strategy.validate?.(object, {
      ...context,
      warn: (text) => void told.push(text),
    });
    expect(told).toEqual([
      'spec.ingress[0].from[0].ipBlock.cidr: CIDR value "10.1.2.3/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.2.3/32"?)',
      'spec.egress[0].to[0].ipBlock.cidr: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")',
      'spec.egress[0].to[0].ipBlock.except[0]: IPv6 CIDR value "2001:db8:0::/48" should be in RFC 5952 canonical format ("2001:db8::/48")',
    ]);
  });

  it('keeps selectors for values that no label has', () => {
    const odd = { matchExpressions: [{ key: 'a', operator: 'In', values: ['!'] }] };
    const before = { spec: { podSelector: odd } };
    const after = { spec: { podSelector: odd, ingress: [{ from: [{ podSelector: odd }] }] } };
    expect(updateRefusals(NetworkPolicyKind, before, after)).toEqual([]);
    expect(updateRefusals(NetworkPolicyKind, {}, after)).toHaveLength(2);
  });

  it('keeps a bad range that is stored', () => {
    const bad = peer({ ipBlock: { cidr: '10.0.0.0' } });
    expect(updateRefusals(NetworkPolicyKind, bad, bad)).toEqual([]);
    expect(refusals(NetworkPolicyKind, bad)).toHaveLength(1);
  });
});
