import { describe, expect, it } from '@jest/globals';
import type { Instance } from '../cluster/plan.js';
import { runtimeOf } from './run.js';

const instance = (app: string, ...args: string[]): Instance => ({ name: app, app, args });

describe('runtimeOf', () => {
  const runtimes = [
    instance('container-runtime', '--listen=unix:///a.sock'),
    instance('container-runtime', '--listen=unix:///b.sock'),
  ];
  const kubelet = (endpoint: string): Instance =>
    instance('kubelet', `--container-runtime-endpoint=${endpoint}`);

  it.each([
    ['that at its endpoint', kubelet('unix:///b.sock'), runtimes[1]],
    ['none for one of another process', kubelet('unix:///run/containerd.sock'), undefined],
    ['none without an endpoint', instance('kubelet'), undefined],
    ['none for what is no kubelet', instance('kube-proxy', '--listen=unix:///a.sock'), undefined],
  ])('finds %s', (_, asking, wanted) => {
    expect(runtimeOf(asking, runtimes)).toBe(wanted);
  });
});
