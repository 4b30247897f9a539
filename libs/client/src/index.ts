/**
 * The Kubernetes API over HTTPS for components: typed resources, watches as async iterables, kubeconfig.
 * `connect(loadKubeconfig(path))` gives a client. Every failed call rejects with StatusError (the server answered)
 * or ConnectionError (no answer; the outcome of a write is unknown), and with the signal's reason when aborted.
 * GETs are repeated on 429 and 503 when the server says after how long; writes never are. Watches share connections
 * of HTTP/2 where the server speaks it.
 */
export type {
  DeleteQuery,
  KubeClient,
  KubeList,
  ListQuery,
  PatchType,
  ResourceClient,
  WatchEvent,
  WatchQuery,
  WriteQuery,
} from './client.js';
export type { ConnectOptions } from './connect.js';
export { connect, streamLines } from './connect.js';
export type { KubeconfigOptions, LoadedKubeconfig } from './kubeconfig.js';
export { loadKubeconfig } from './kubeconfig.js';
export { currentReaction, reactingTo, revisionOf } from './reacting-to.js';
export { ConnectionError, isConnectionError } from './connection-error.js';
export { RateLimit } from './rate-limit.js';
export type { RequestObserver } from './rest-client-metrics.js';
export { restClientMetrics } from './rest-client-metrics.js';
export type { TokenSource } from './token-source.js';
export type { KnownUser } from './delegation.js';
export { AUTHENTICATED, mayDo, whoseToken } from './delegation.js';
