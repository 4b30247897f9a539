/**
 * The container runtime interface, runtime.v1 of CRI 0.36: message types, a client, and a Nest transport for servers.
 * Field names are camel case, enums their names, 64-bit integers numbers except times in nanoseconds, which are decimal
 * strings; a received message has every scalar and list, and leaves out only absent sub-messages. Every failed call
 * rejects with a CriError. Client and server speak plain gRPC, so either side may be upstream's (kubelet, containerd).
 */
export type { CallOptions, Init } from './call.js';
export type { CriClient, CriClientOptions } from './client.js';
export { connectCri } from './client.js';
export type { CriCode } from './cri-error.js';
export {
  CRI_CODES,
  CriError,
  isNotFound,
  isUnavailable,
  isUnimplemented,
  toRpcText,
} from './cri-error.js';
export { fromNanoseconds, toNanoseconds } from './nanoseconds.js';
export { CriController, CriExceptionFilter } from './handlers.js';
export { CriServerStrategy } from './server.js';
export type * from './gen/messages.js';
export type * from './gen/services.js';
