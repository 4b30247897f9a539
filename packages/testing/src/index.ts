/**
 * A cluster for every test: `createCluster()` gives a whole Kubernetes API over HTTPS on a real etcd in about a second,
 * and further isolated ones in a moment. It runs in a child process that ends with the process of the test, however that ends.
 */
export { Cluster, ClusterClock, createCluster } from './cluster.js';
export type { ClusterOptions } from './cluster.js';
export { ClusterFaults, ConnectedCluster, Fork } from './connected-cluster.js';
export type { FaultMatch } from './connected-cluster.js';
export { ClusterView } from './cluster-view.js';
export type { AnyObject, ListOptions, Place, WaitOptions } from './cluster-view.js';
export type { Duration } from './duration.js';
export { matchers } from './matchers.js';
export type { ClusterMatchers } from './matchers.js';
export { ApiError } from './rest.js';
export type { Credentials, RequestOptions } from './rest.js';
export { OrreryError } from './test-server-process.js';
