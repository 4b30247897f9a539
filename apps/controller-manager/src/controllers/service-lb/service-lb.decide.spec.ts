import { describe, expect, it } from '@jest/globals';
import type { Service } from '@orrery/api';
import { AddressPool } from './address-pool.js';
import { planPool } from './service-lb.decide.js';

const service = (name: string, spec: object = {}, ip?: string, metadata: object = {}): Service =>
  ({
    metadata: { name, namespace: 'n', ...metadata },
    spec: { type: 'LoadBalancer', ...spec },
    status: { loadBalancer: ip ? { ingress: [{ ip }] } : {} },
  }) as Service;

const POOL = ['10.0.0.0/30', '10.1.0.5-10.1.0.6'];

describe('AddressPool', () => {
  it('holds the hosts of a CIDR and the ends of a range', () => {
    const pool = new AddressPool(POOL);
    const taken = new Set<string>();
    for (let ip = pool.next(taken); ip; ip = pool.next(taken)) taken.add(ip);
    expect([...taken]).toEqual(['10.0.0.1', '10.0.0.2', '10.1.0.5', '10.1.0.6']);
    expect(pool.has('10.0.0.3')).toBe(false);
  });

  it.each(['10.0.0.9-10.0.0.1', '10.0.0.0/4', 'x', 'fd00::/64'])('refuses %s', (range) => {
    expect(() => new AddressPool([range])).toThrow('--load-balancer-pool');
  });
});

describe('planPool()', () => {
  it.each([
    {
      name: 'gives the lowest free address',
      services: [service('a'), service('b')],
      want: { a: '10.0.0.1', b: '10.0.0.2' },
    },
    {
      name: 'leaves who has one alone',
      services: [service('a', {}, '10.0.0.1'), service('b')],
      want: { b: '10.0.0.2' },
    },
    {
      name: 'gives the one that is asked for',
      services: [service('a', { loadBalancerIP: '10.1.0.6' })],
      want: { a: '10.1.0.6' },
    },
    {
      name: 'moves to the one that is asked for',
      services: [service('a', { loadBalancerIP: '10.1.0.6' }, '10.0.0.1')],
      want: { a: '10.1.0.6' },
    },
    {
      name: 'gives none outside of the pool',
      services: [service('a', { loadBalancerIP: '9.9.9.9' })],
      want: {},
      refused: ['address 9.9.9.9 is not in the pool'],
    },
    {
      name: 'gives none twice',
      services: [service('a', {}, '10.0.0.1'), service('b', { loadBalancerIP: '10.0.0.1' })],
      want: {},
      refused: ['address 10.0.0.1 is in use by another Service'],
    },
    {
      name: 'settles a quarrel for the older',
      services: [
        service('new', {}, '10.0.0.1', { creationTimestamp: '2' }),
        service('old', {}, '10.0.0.1', { creationTimestamp: '1' }),
      ],
      want: { new: '10.0.0.2' },
    },
    {
      name: 'says when none is left',
      services: ['a', 'b', 'c', 'd', 'e'].map((name) => service(name)),
      want: { a: '10.0.0.1', b: '10.0.0.2', c: '10.1.0.5', d: '10.1.0.6' },
      refused: ['no addresses are left in the pool'],
    },
    {
      name: 'leaves other classes alone',
      services: [service('a', { loadBalancerClass: 'x.io/y' }, '10.0.0.1')],
      want: {},
    },
    {
      name: 'takes back the address of what is none any more',
      services: [service('a', { type: 'ClusterIP' }, '10.0.0.1')],
      want: { a: undefined },
    },
    {
      name: 'gives nothing to what goes',
      services: [service('a', {}, undefined, { deletionTimestamp: 't' })],
      want: {},
    },
  ])('$name', ({ services, want, refused = [] }) => {
    const plan = planPool(services, new AddressPool(POOL));
    const given = plan.assign.map(({ service: one, ip }) => [one.metadata.name, ip]);
    expect(Object.fromEntries(given)).toEqual(want);
    expect(plan.refuse.map(({ message }) => message)).toEqual(refused);
  });
});

describe('an AddressPool of both families', () => {
  const pool = new AddressPool(['10.0.0.0/30', 'fd00:10:112::/126']);

  it.each([
    { family: 'IPv4', taken: [], want: '10.0.0.1' },
    { family: 'IPv6', taken: [], want: 'fd00:10:112::1' },
    { family: 'IPv6', taken: ['fd00:10:112::1'], want: 'fd00:10:112::2' },
    { family: 'IPv6', taken: ['fd00:10:112::1', 'fd00:10:112::2'], want: undefined },
  ])('gives $want of $family when $taken are taken', ({ family, taken, want }) => {
    expect(pool.next(new Set(taken), family)).toBe(want);
  });

  it('has the addresses of both', () => {
    expect(
      ['10.0.0.2', 'fd00:10:112::2', 'fd00:10:112::9', '::a00:2'].map((ip) => pool.has(ip)),
    ).toEqual([true, true, false, false]);
  });
});
