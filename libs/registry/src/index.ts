/**
 * The generic store behind every resource: one pipeline for create, read, update, delete and watch, to which kinds
 * only add hooks. Objects it hands out are shared and must not be changed; every failure is a StatusError.
 */
// For the API server.
export type { AdmissionAttributes, AdmissionPlugin, Operation, StepObserver } from './admission.js';
export { AdmissionChain, Reinvocation } from './admission.js';
export type { RequestContext, RequestOrigin, SentAbout, UserInfo } from './request-context.js';
export type { ResourceStoreOptions } from './resource-store.js';
export { ResourceStore } from './resource-store.js';
export type { CreateCall, TrackFields } from './create.js';
export type { DeleteCall, DeleteOptions, DeleteResult } from './delete.js';
export { validateDeleteOptions } from './delete.js';
export type { ListRequest, WatchRequest } from './list-options.js';
export type { ObjectList } from './read.js';
export type { Representation } from './representation.js';
export { represent } from './representation.js';
export type { Finish, HookCall, StoreDeps, StoreHooks } from './store-deps.js';
export { systemContext } from './store-deps.js';
export type { Transform, UpdateCall, UpdateResult } from './update-call.js';
export { checkIdentity } from './update-checks.js';
export type { WatchEvent } from './watch.js';
export { toStatusError } from './storage-status.js';
export { cloneJson, equalJson } from './json.js';
export { namespaceHooks } from './namespace-hooks.js';
export { ServiceAllocation } from './service-allocation/service-hooks.js';
export { firstServiceIp, splitRanges } from './service-allocation/ip-range.js';
