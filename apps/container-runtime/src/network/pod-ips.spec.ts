import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SandboxRecord } from '../store/sandbox.js';
import { HostPodNetwork } from './host-pod-network.js';
import { PodIps } from './pod-ips.js';

describe('PodIps', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'ips-'));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it('gives none before the CIDR is known', () => {
    expect(() => new PodIps(root).allocate()).toThrow('not known yet');
  });

  it('gives each address once, never .0, .1 or .255, and remembers where it was', () => {
    const ips = new PodIps(root);
    ips.setPodCidr('127.9.65.0/24');
    expect([ips.allocate(), ips.allocate()]).toEqual(['127.9.65.2', '127.9.65.3']);
    ips.release('127.9.65.2');
    expect(ips.allocate()).toBe('127.9.65.4');
    const later = new PodIps(root);
    expect(later.podCidr).toBe('127.9.65.0/24');
    expect(later.allocate()).toBe('127.9.65.5');
  });

  it('uses the whole block and then says that it is full', () => {
    const ips = new PodIps(root);
    ips.setPodCidr('10.0.0.0/29');
    const all = Array.from({ length: 6 }, () => ips.allocate());
    expect(new Set(all).size).toBe(6);
    expect(() => ips.allocate()).toThrow('no IP addresses available in range 10.0.0.0/29');
    ips.release('10.0.0.4');
    expect(ips.allocate()).toBe('10.0.0.4');
  });

  it('refuses what is no CIDR', () => {
    expect(() => {
      new PodIps(root).setPodCidr('nonsense');
    }).toThrow('invalid pod CIDR "nonsense"');
  });

  it('gives addresses of an IPv6 block', () => {
    const ips = new PodIps(root);
    ips.setPodCidr('fd00:10:244:1::/64');
    expect([ips.allocate(), ips.allocate()]).toEqual(['fd00:10:244:1::2', 'fd00:10:244:1::3']);
  });
});

describe('HostPodNetwork', () => {
  it('gives a pod an address of each range of its node, and takes both back', async () => {
    const root = mkdtempSync(join(tmpdir(), 'ips-'));
    const network = new HostPodNetwork(root);
    network.setPodCidr('10.244.1.0/24,fd00:10:244:1::/64');
    const { ips } = await network.attach();
    expect(ips).toEqual(['10.244.1.2', 'fd00:10:244:1::2']);
    const again = new HostPodNetwork(root);
    expect(again.podCidr).toBe('10.244.1.0/24,fd00:10:244:1::/64');
    const [ip, ...moreIps] = ips;
    await again.recover({ ip, moreIps } as unknown as SandboxRecord);
    expect((await again.attach()).ips).toEqual(['10.244.1.3', 'fd00:10:244:1::3']);
    rmSync(root, { recursive: true });
  });
});
