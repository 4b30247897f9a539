import type { ComponentApp } from '@orrery/component';

/** The components that `orrery run` can start, each loaded when it is first asked for. */
export const APPS: Readonly<Record<string, () => Promise<ComponentApp>>> = {
  'kube-apiserver': async () => (await import('@orrery/apiserver')).app,
  'kube-controller-manager': async () => (await import('@orrery/controller-manager')).app,
  'kube-scheduler': async () => (await import('@orrery/scheduler')).app,
  kubelet: async () => (await import('@orrery/kubelet')).app,
  'hollow-nodes': async () => (await import('@orrery/kubelet')).hollowNodes,
  'container-runtime': async () => (await import('@orrery/container-runtime')).app,
  'kube-proxy': async () => (await import('@orrery/kube-proxy')).app,
  relay: async () => (await import('./relay/app.js')).app,
  'node-network': async () => (await import('./network/app.js')).nodeNetwork,
  dataplane: async () => (await import('@orrery/dataplane-app')).app,
};
