/**
 * End-to-end tests drive a cluster from outside: `orrery up` as a child process, and a real kubectl. `useCluster()` gives
 * a spec file its cluster; `cluster.shell('kubectl get pods | grep …')` runs a line as a user types it.
 */
export { eventually } from '@orrery/testkit';
export { Cluster, dist, newHome, orreryLine, processesOf, quote } from './cluster.js';
export type { ClusterOptions, KubectlOptions } from './cluster.js';
export { defaultKubectl, everyKubectl, kubectlIsAtLeast } from './kubectls.js';
export type { KubectlBinary } from './kubectls.js';
export { BackgroundCommand, shell } from './shell.js';
export type { CommandOptions, CommandResult } from './shell.js';
export { useCluster } from './use-cluster.js';
