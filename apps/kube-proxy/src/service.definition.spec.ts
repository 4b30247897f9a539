import { describe, expect, it } from '@jest/globals';
import { parseLabelSelector } from '@orrery/apimachinery';
import { SERVED } from './service.definition.js';

describe('services and slices that this proxy sees', () => {
  it.each<{ labels: Record<string, string>; seen: boolean }>([
    { labels: {}, seen: true },
    { labels: { 'service.kubernetes.io/service-proxy-name': 'mine' }, seen: false },
    { labels: { 'service.kubernetes.io/service-proxy-name': '' }, seen: false },
    { labels: { 'service.kubernetes.io/headless': '' }, seen: false },
  ])('with labels $labels: $seen', ({ labels, seen }) => {
    expect(parseLabelSelector(SERVED.labelSelector ?? '').matches(labels)).toBe(seen);
  });
});
