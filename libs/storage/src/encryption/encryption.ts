import type { Clock } from '@orrery/component';
import type { IEvent, IRangeResponse, IRequestOp, ITxnResponse } from 'etcd3';

import { FORK_KEYS, parseOverlayKey } from '../fork/fork-record.js';
import { overlayHeadLength } from '../fork/overlay-value.js';
import { ResourceValues } from './resource-values.js';
import type { ValueProvider } from './resource-values.js';
import type { Seal, SealedKeyValue } from './seal.js';

/** Resources (`secrets`, `*.apps`, `*.`, `*.*`) whose values the providers store. */
export interface EncryptionRule {
  readonly resources: readonly string[];
  readonly providers: readonly ValueProvider[];
}

export interface EncryptionOptions {
  readonly rules: readonly EncryptionRule[];
  /** What every key of an object starts with; ends in '/'. */
  readonly keyspace: string;
  /** The resource (`deployments.apps`) that a key, without the keyspace, is of; undefined = never encrypted. */
  readonly resourceOf: (key: string) => string | undefined;
  readonly clock: Clock;
  /** Told of every value that was encrypted or decrypted. */
  readonly onTransform?: (done: Transformed) => void;
}

export interface Transformed {
  readonly resource: string;
  readonly type: 'to_storage' | 'from_storage';
  /** `k8s:enc:aescbc:v1:`, `identity`, or `unknown`. */
  readonly prefix: string;
  readonly failed: boolean;
  readonly ms: number;
}

/** What a fork writes in front of an object stays readable: transactions compare it. */
function headOf(key: string, value: Buffer): [head: Buffer, own: Buffer] {
  const length = key.startsWith(FORK_KEYS) ? overlayHeadLength(value) : 0;
  return [value.subarray(0, length), value.subarray(length)];
}

const joined = (head: Buffer, own: Buffer): Buffer =>
  head.length === 0 ? own : Buffer.concat([head, own]);

const PLAIN = new ResourceValues();

/** Resources in the order of their rules, each with all providers that were named for it. */
function byResource(rules: readonly EncryptionRule[]): Map<string, ResourceValues> {
  const providers = new Map<string, ValueProvider[]>();
  for (const rule of rules)
    for (const resource of rule.resources)
      providers.set(resource, [...(providers.get(resource) ?? []), ...rule.providers]);
  return new Map([...providers].map(([resource, them]) => [resource, new ResourceValues(them)]));
}

/** Stands between etcd and everything else: values are encrypted on their way there, and readable on their way back. */
export class Encryption {
  private values: ReadonlyMap<string, ResourceValues>;
  /** By resource and key. */
  private readonly seals = new Map<string, Map<string, { isCurrent: boolean }>>();

  constructor(private readonly options: EncryptionOptions) {
    this.values = byResource(options.rules);
  }

  /** Other rules from now on: what was read before counts as current, or not, by these. */
  replace(rules: readonly EncryptionRule[]): void {
    this.values = byResource(rules);
    for (const [resource, seals] of this.seals) {
      const now = this.valuesOf(resource).writesWith;
      for (const [id, seal] of seals) seal.isCurrent = id === now;
    }
  }

  /** How a value is stored that is written now. */
  current(key: string): Seal | undefined {
    const resource = this.resourceOf(key);
    return resource === undefined
      ? undefined
      : this.seal(resource, this.valuesOf(resource).writesWith);
  }

  /** The operations of a transaction with the values that they put encrypted. */
  encryptPuts(operations: readonly IRequestOp[]): IRequestOp[] {
    return operations.map((operation) => {
      const { request_put: put } = operation;
      if (!put?.key || !put.value) return operation;
      const key = put.key.toString();
      const resource = this.resourceOf(key);
      if (resource === undefined) return operation;
      const [head, own] = headOf(key, Buffer.from(put.value));
      if (own.length === 0) return operation;
      const values = this.valuesOf(resource);
      const startedAt = this.options.clock.monotonic();
      const sealed = values.encrypt(own, key);
      this.tell(values, { resource, type: 'to_storage', prefix: values.writePrefix }, startedAt);
      return { ...operation, request_put: { ...put, value: joined(head, sealed) } };
    });
  }

  openRange(response: IRangeResponse): IRangeResponse {
    for (const kv of response.kvs) this.open(kv);
    return response;
  }

  openTransaction(response: ITxnResponse): ITxnResponse {
    for (const answer of response.responses) {
      const { response_range: range, response_delete_range: deletion, response_put: put } = answer;
      for (const kv of range?.kvs ?? []) this.open(kv);
      for (const kv of deletion?.prev_kvs ?? []) this.open(kv);
      if (put?.prev_kv) this.open(put.prev_kv);
    }
    return response;
  }

  openEvents(events: readonly IEvent[]): void {
    for (const { kv, prev_kv: before } of events) {
      this.open(kv);
      if (before) this.open(before);
    }
  }

  private open(kv: SealedKeyValue): void {
    const key = kv.key.toString();
    const [head, own] = headOf(key, kv.value);
    const resource = this.resourceOf(key);
    // Deletions and answers of keys alone have no value.
    if (own.length === 0 || resource === undefined) return;
    const values = this.valuesOf(resource);
    const startedAt = this.options.clock.monotonic();
    const opened = values.open(own, key);
    const { prefix = 'unknown' } = opened;
    this.tell(values, { resource, type: 'from_storage', prefix }, startedAt, 'problem' in opened);
    // What no rule is for is told as where there are no rules (StoredEntry).
    if ('problem' in opened && values === PLAIN) return;
    if ('problem' in opened) kv.seal = { isCurrent: false, problem: opened.problem };
    else {
      kv.value = joined(head, opened.value);
      kv.seal = this.seal(resource, opened.id);
    }
  }

  private tell(
    values: ResourceValues,
    done: Pick<Transformed, 'resource' | 'type' | 'prefix'>,
    startedAt: number,
    failed = false,
  ): void {
    if (values === PLAIN) return;
    const ms = this.options.clock.monotonic() - startedAt;
    this.options.onTransform?.({ ...done, failed, ms });
  }

  private resourceOf(key: string): string | undefined {
    const { keyspace, resourceOf } = this.options;
    const own = parseOverlayKey(key)?.key ?? key;
    return own.startsWith(keyspace) ? resourceOf(own.slice(keyspace.length)) : undefined;
  }

  private valuesOf(resource: string): ResourceValues {
    const dot = resource.indexOf('.');
    const group = dot < 0 ? '' : resource.slice(dot + 1);
    const { values } = this;
    return values.get(resource) ?? values.get(`*.${group}`) ?? values.get('*.*') ?? PLAIN;
  }

  private seal(resource: string, id: string): Seal {
    let seals = this.seals.get(resource);
    if (!seals) this.seals.set(resource, (seals = new Map()));
    let seal = seals.get(id);
    if (!seal) {
      seal = { isCurrent: id === this.valuesOf(resource).writesWith };
      seals.set(id, seal);
    }
    return seal;
  }
}
