import { describe, expect, it } from '@jest/globals';
import { parseFlags } from '@orrery/component';
import { RelayFlags, toListen, toTarget } from './relay-flags.js';

describe(RelayFlags.name, () => {
  it.each([
    { name: 'no backend', argv: [], want: '--to HOST[:PORT]' },
    { name: 'an address without a port', argv: ['--listen=0.0.0.0', '--to=a'], want: '--listen' },
    { name: 'another check', argv: ['--to=a', '--check=tcp'], want: '--check' },
  ])('refuses $name', ({ argv, want }) => {
    expect(() => parseFlags(RelayFlags, argv, 'orrery relay')).toThrow(want);
  });

  it.each([
    { text: '0.0.0.0:6443', want: { address: '0.0.0.0', ports: [6443] } },
    { text: '127.0.0.1:30000-30002', want: { address: '127.0.0.1', ports: [30000, 30001, 30002] } },
  ])('listens on $text', ({ text, want }) => {
    expect(toListen(text)).toEqual(want);
  });

  it.each(['0.0.0.0:70000', '0.0.0.0:20-10', '0.0.0.0:1-2000'])('cannot listen on %s', (text) => {
    expect(() => toListen(text)).toThrow(`--listen ${text}`);
  });

  it.each([
    { text: 'apiserver-1:6443', want: { host: 'apiserver-1', port: 6443 } },
    { text: 'node', want: { host: 'node' } },
  ])('relays to $text', ({ text, want }) => {
    expect(toTarget(text)).toEqual(want);
  });
});
