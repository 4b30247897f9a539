import { describe, expect, it } from '@jest/globals';
import { joinHostPort } from './host-port.js';

describe(joinHostPort.name, () => {
  it.each([
    { host: '10.0.0.1', want: '10.0.0.1:80' },
    { host: 'fd00::1', want: '[fd00::1]:80' },
    { host: 'web.example', want: 'web.example:80' },
  ])('writes $host', ({ host, want }) => {
    expect(joinHostPort(host, 80)).toBe(want);
  });
});
