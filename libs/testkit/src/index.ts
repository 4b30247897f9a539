/**
 * What specs are built with: a real etcd, faults between it and its clients, waiting without sleeping, and the contract
 * suites that every implementation of an interface passes. Nothing here imports Jest; suites take its globals when declared.
 */
export type { EventuallyOptions } from './eventually.js';
export { eventually } from './eventually.js';
export { fuzzBudget, tellTried } from './fuzz-budget.js';
export type { FuzzBudget } from './fuzz-budget.js';
export type { Address } from './etcd/addresses.js';
export { freeAddress } from './etcd/addresses.js';
export type { EtcdTlsFiles, StartEtcdOptions } from './etcd/start-etcd.js';
export { TestEtcd, TestMember, startEtcd } from './etcd/start-etcd.js';
export type { ProcessGuard } from './etcd/process-guard.js';
export { startProcessGuard } from './etcd/process-guard.js';
export type { SharedEtcd } from './etcd/use-etcd.js';
export { useEtcd } from './etcd/use-etcd.js';
export { TcpFaultProxy, startTcpFaultProxy } from './etcd/tcp-proxy.js';
export type { StorageUnderTest } from './storage/contract-context.js';
export { WatchRecorder, codeOf, podValue } from './storage/contract-context.js';
export { storageContract } from './storage/storage-contract.js';
