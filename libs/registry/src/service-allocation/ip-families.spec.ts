import { describe, expect, it } from '@jest/globals';
import { StatusError } from '@orrery/apimachinery';
import type { ServiceSpec } from '@orrery/api';
import { initFamilies } from './ip-families.js';
import type { IpFamily } from './ip-range.js';

interface Row {
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly old?: ServiceSpec;
  readonly configured: readonly IpFamily[];
  readonly want: string;
}

const BOTH: readonly IpFamily[] = ['IPv4', 'IPv6'];
const web = { selector: { app: 'web' } };

function outcome({ spec, old, configured }: Row): string {
  const service = { metadata: { name: 'web' }, spec: structuredClone(spec) };
  try {
    initFamilies(service, old, configured);
  } catch (error) {
    return error instanceof StatusError ? error.message : String(error);
  }
  const { ipFamilyPolicy = '', ipFamilies = [], clusterIPs } = service.spec;
  return [ipFamilyPolicy, ...ipFamilies, ...(clusterIPs ?? []).map((ip) => `(${ip})`)].join(' ');
}

describe('initFamilies()', () => {
  it.each<Row>([
    { name: 'a plain service', spec: web, configured: ['IPv4'], want: 'SingleStack IPv4' },
    {
      name: 'a plain service of an IPv6 cluster',
      spec: web,
      configured: ['IPv6'],
      want: 'SingleStack IPv6',
    },
    {
      name: 'a plain service where IPv6 comes first',
      spec: web,
      configured: ['IPv6', 'IPv4'],
      want: 'SingleStack IPv6',
    },
    {
      name: 'both where they can be had, and they can',
      spec: { ...web, ipFamilyPolicy: 'PreferDualStack' },
      configured: BOTH,
      want: 'PreferDualStack IPv4 IPv6',
    },
    {
      name: 'both where they can be had, and they cannot',
      spec: { ...web, ipFamilyPolicy: 'PreferDualStack' },
      configured: ['IPv4'],
      want: 'PreferDualStack IPv4',
    },
    {
      name: 'both, IPv6 first',
      spec: { ...web, ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] },
      configured: BOTH,
      want: 'RequireDualStack IPv6 IPv4',
    },
    {
      name: 'both on a cluster with one',
      spec: { ...web, ipFamilyPolicy: 'RequireDualStack' },
      configured: ['IPv4'],
      want: 'Service "web" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    },
    {
      name: 'a family that is not there',
      spec: { ...web, ipFamilies: ['IPv6'] },
      configured: ['IPv4'],
      want: 'Service "web" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    },
    {
      name: 'two families with one address wanted',
      spec: { ...web, ipFamilies: ['IPv4', 'IPv6'] },
      configured: BOTH,
      want: `Service "web" is invalid: spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified`,
    },
    {
      name: 'the family of the address that is asked for',
      spec: { ...web, clusterIP: 'fd00::7', clusterIPs: ['fd00::7'] },
      configured: BOTH,
      want: 'SingleStack IPv6 (fd00::7)',
    },
    {
      name: 'an address of a family that is not there',
      spec: { ...web, clusterIP: 'fd00::7', clusterIPs: ['fd00::7'] },
      configured: ['IPv4'],
      want: 'Service "web" is invalid: spec.clusterIPs[0]: Invalid value: ["fd00::7"]: IPv6 is not configured on this cluster',
    },
    {
      name: 'a headless service without selector',
      spec: { clusterIP: 'None', clusterIPs: ['None'] },
      configured: ['IPv4'],
      want: 'RequireDualStack IPv4 IPv6 (None)',
    },
    {
      name: 'the second address given up',
      spec: {
        ...web,
        ipFamilyPolicy: 'SingleStack',
        clusterIPs: ['10.0.0.7', 'fd00::7'],
        ipFamilies: ['IPv4', 'IPv6'],
      },
      old: {
        ...web,
        ipFamilyPolicy: 'PreferDualStack',
        clusterIPs: ['10.0.0.7', 'fd00::7'],
        ipFamilies: ['IPv4', 'IPv6'],
      },
      configured: BOTH,
      want: 'SingleStack IPv4 (10.0.0.7)',
    },
    {
      name: 'what a service has on a cluster that got a family since',
      spec: {
        ...web,
        ipFamilyPolicy: 'PreferDualStack',
        clusterIPs: ['10.0.0.7'],
        ipFamilies: ['IPv4'],
      },
      old: {
        ...web,
        ipFamilyPolicy: 'PreferDualStack',
        clusterIPs: ['10.0.0.7'],
        ipFamilies: ['IPv4'],
      },
      configured: BOTH,
      want: 'PreferDualStack IPv4 (10.0.0.7)',
    },
  ])('decides $name', (row) => {
    expect(outcome(row)).toBe(row.want);
  });
});
