import { describe, expect, it } from '@jest/globals';
import { suggestedFlowSchemas, suggestedPriorityLevels } from '@orrery/api';
import { SystemClock, createMetrics } from '@orrery/component';
import type { UserInfo } from '@orrery/registry';
import { parseRequestInfo } from '../filters/request-info.js';
import { staticReader } from '../live-view/static-reader.js';
import { FlowControl } from './flow-control.js';

const stopped = AbortSignal.abort();
const control = new FlowControl({
  schemas: staticReader(suggestedFlowSchemas()),
  levels: staticReader(suggestedPriorityLevels()),
  clock: new SystemClock(),
  signal: stopped,
  metrics: createMetrics(),
  seats: 600,
  maxWaitMs: 1000,
  sizeOf: () => undefined,
});
const user = (name: string, ...groups: string[]): UserInfo => ({
  name,
  groups: [...groups, 'system:authenticated'],
});
const serviceAccount = (namespace: string): UserInfo =>
  user(`system:serviceaccount:${namespace}:x`, 'system:serviceaccounts');
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x';
const PODS = '/api/v1/namespaces/a/pods';

describe('FlowControl', () => {
  it.each<{ name: string; who: UserInfo; path: string; schema: string; level: string }>([
    {
      name: 'masters',
      who: user('admin', 'system:masters'),
      path: PODS,
      schema: 'exempt',
      level: 'exempt',
    },
    {
      name: 'a probe',
      who: { name: 'system:anonymous', groups: ['system:unauthenticated'] },
      path: '/livez',
      schema: 'probes',
      level: 'exempt',
    },
    {
      name: 'a node and its status',
      who: user('system:node:n', 'system:nodes'),
      path: '/api/v1/nodes/n/status',
      schema: 'system-node-high',
      level: 'node-high',
    },
    {
      name: 'a node and pods',
      who: user('system:node:n', 'system:nodes'),
      path: PODS,
      schema: 'system-nodes',
      level: 'system',
    },
    {
      name: 'the election of a scheduler',
      who: user('system:kube-scheduler'),
      path: LEASE,
      schema: 'system-leader-election',
      level: 'leader-election',
    },
    {
      name: 'a service account of the system',
      who: serviceAccount('kube-system'),
      path: PODS,
      schema: 'kube-system-service-accounts',
      level: 'workload-high',
    },
    {
      name: 'any other service account',
      who: serviceAccount('a'),
      path: PODS,
      schema: 'service-accounts',
      level: 'workload-low',
    },
    {
      name: 'anybody',
      who: user('jane'),
      path: PODS,
      schema: 'global-default',
      level: 'global-default',
    },
  ])('puts $name into $schema', ({ who, path, schema, level }) => {
    const found = control.classify(who, parseRequestInfo('GET', path, new URLSearchParams()));
    expect([found?.schemaName, found?.state.name]).toEqual([schema, level]);
  });

  it.each<{ who: UserInfo; nominal: number; lower: number; upper: number }>([
    { who: serviceAccount('a'), nominal: 245, lower: 24, upper: 845 },
    { who: user('jane'), nominal: 49, lower: 24, upper: 649 },
    { who: user('admin', 'system:masters'), nominal: 0, lower: 0, upper: 600 },
  ])('shares the seats by the shares of the levels: $nominal for $who.name', (row) => {
    const { who, ...want } = row;
    const { limits } =
      control.classify(who, parseRequestInfo('GET', PODS, new URLSearchParams()))?.state ?? {};
    expect(limits).toMatchObject(want);
  });

  it('lends the seats of levels that need few', () => {
    control.lend();
    const states = control.states();
    const sum = states.reduce((total, { limits }) => total + limits.nominal, 0);
    const given = states.reduce((total, { current }) => total + current, 0);
    expect(Math.abs(given - sum)).toBeLessThanOrEqual(states.length);
    for (const { level, current, limits } of states)
      expect(level.seats).toBe(limits.isExempt ? undefined : current);
  });
});
