import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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
});
