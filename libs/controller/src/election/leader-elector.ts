import { StatusError, isAlreadyExists, isConflict, isNotFound } from '@orrery/apimachinery';
import type { Fence, ObjectKey } from '@orrery/apimachinery';
import type { Lease } from '@orrery/api';
import { resources } from '@orrery/api';
import { isConnectionError } from '@orrery/client';
import type { KubeClient, ResourceClient } from '@orrery/client';
import type { Clock, Logger, Random } from '@orrery/component';
import type { EventRecorder } from '../writes/event-recorder.js';
import type { LeaderMeters } from './leader-metrics.js';
import { decideElection, leaseRecord } from './lease-record.js';
import type { Observation } from './lease-record.js';

export interface LeaderElectionOptions {
  readonly client: KubeClient;
  /** The Lease, e.g. kube-system/kube-scheduler. */
  readonly lease: ObjectKey;
  /** Names this process among the candidates. */
  readonly identity: string;
  /** How long others wait after the last renewal that they saw; default 15 s. */
  readonly leaseDurationMs?: number;
  /** How long after its last renewal a leader still writes; default 10 s. */
  readonly renewDeadlineMs?: number;
  /** Default 2 s. */
  readonly retryPeriodMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Told who leads, as an event of the Lease; default nobody. */
  readonly events?: EventRecorder;
  /** Told who leads, for metrics; default nobody. */
  readonly meters?: LeaderMeters;
}

/** A server that refuses connections is starting: it is asked again soon. */
const REFUSED_RETRY_MS = 200;

/** Whether this process leads, now. */
export interface Leadership {
  readonly held: boolean;
  /** Throws LeadershipLost when the lease may have passed to another: call it before each write. */
  assertMayWrite(): void;
}

/** What runs for one term. `since` is a revision before which the leaders of before did all that they did. */
export type Lead = (term: AbortSignal, since: string | undefined) => Promise<void>;

export class LeadershipLost extends Error {
  constructor() {
    super('this process no longer leads; nothing was written');
    this.name = 'LeadershipLost';
  }
}

/** For components that run without election. */
export const alwaysLeader: Leadership = { held: true, assertMayWrite: () => undefined };

/** Beyond the lease's end (k8s client-go leaderelection/healthzadaptor.go, with upstream's 20 s). */
const TOLERATED_MS = 20_000;

/**
 * Leader election on a Lease (k8s client-go tools/leaderelection). Only local monotonic time decides: the term
 * ends renewDeadline after the *sending* of the last renewal that succeeded, which is before any other candidate
 * can think the lease expired, since that counts leaseDuration from when it saw that renewal.
 *
 *   standby ──(lease free or expired)──> leading ──(renewal too late, or signal)──> standby
 */
export class LeaderElector implements Leadership {
  readonly #leases: ResourceClient<Lease>;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  #observed: Observation | undefined;
  #termEnds = Number.NEGATIVE_INFINITY;
  /** When the last renewal that was granted was sent. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  #isWorking = false;
  #refused = false;
  #told = '';
  /** The Lease as it was when it was taken. */
  #taken: Lease | undefined;
  #since: string | undefined;
  #depose: () => void = () => undefined;

  constructor(private readonly options: LeaderElectionOptions) {
    this.#leases = options.client.resource(resources.leases);
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
    options.meters?.leads(false);
  }

  get held(): boolean {
    return this.options.clock.monotonic() < this.#termEnds;
  }

  /** Why the process should be ended: it goes on with its term's work long after the lease has run out. */
  get problem(): string | undefined {
    const over = this.options.clock.monotonic() - this.#renewedAt;
    return this.#isWorking && over > this.#leaseDurationMs + TOLERATED_MS
      ? `failed election to renew leadership on lease ${this.options.lease.name}`
      : undefined;
  }

  assertMayWrite(): void {
    if (!this.held) throw new LeadershipLost();
  }

  /** The Lease under which this process writes; undefined = it holds none. */
  get fence(): Fence | undefined {
    const { namespace = '', name } = this.options.lease;
    const { leaseTransitions: transitions = 0, holderIdentity: holder } = this.#taken?.spec ?? {};
    return holder === undefined ? undefined : { namespace, name, transitions, holder };
  }

  /** The server says that the lease has passed on: the term ends now. */
  fenced(): void {
    this.options.logger.warn('a write was fenced off', { lease: this.options.lease.name });
    this.#termEnds = Number.NEGATIVE_INFINITY;
    this.#depose();
  }

  /**
   * Contends until `signal` aborts. Each term runs `lead`, whose signal aborts when the term ends; the next term
   * starts only when `lead` has returned. The lease is given back at the end.
   */
  async start(signal: AbortSignal, lead: Lead): Promise<void> {
    while (!signal.aborted) {
      if (!(await this.#tryOnce())) {
        await this.#wait(signal);
        continue;
      }
      this.options.logger.info('started leading', { lease: this.options.lease.name });
      this.#tell('became leader');
      this.options.meters?.leads(true);
      await this.#term(signal, lead);
      this.options.meters?.leads(false);
      this.options.logger.info('stopped leading', { lease: this.options.lease.name });
      if (!signal.aborted) this.#tell('stopped leading');
    }
  }

  /** k8s client-go tools/leaderelection/resourcelock/leaselock.go:RecordEvent. */
  #tell(what: string): void {
    const { events, identity } = this.options;
    const { metadata } = this.#taken ?? { metadata: {} };
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata };
    events?.event(lease, 'Normal', 'LeaderElection', `${identity} ${what}`);
  }

  async #term(signal: AbortSignal, lead: Lead): Promise<void> {
    const end = new AbortController();
    const term = AbortSignal.any([signal, end.signal]);
    this.#depose = () => {
      end.abort(new LeadershipLost());
    };
    this.#isWorking = true;
    const leading = lead(term, this.#since).finally(() => {
      this.#isWorking = false;
      end.abort(new Error('the work of the term ended'));
    });
    await this.#renewUntilLost(term);
    end.abort(new LeadershipLost());
    await leading;
    const wasHeld = this.held;
    this.#termEnds = Number.NEGATIVE_INFINITY;
    if (wasHeld) await this.#release();
  }

  async #renewUntilLost(term: AbortSignal): Promise<void> {
    const { clock, logger } = this.options;
    while (!term.aborted) {
      await this.#wait(term);
      if (term.aborted) return;
      await Promise.race([this.#tryOnce(), clock.sleep(this.#retryPeriodMs * 2).then(() => false)]);
      if (this.held) continue;
      logger.warn('leader election lost', { lease: this.options.lease.name });
      return;
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.options;
    const waitMs = this.#refused ? REFUSED_RETRY_MS : this.#retryPeriodMs;
    await clock.sleep(waitMs * (1 + 0.2 * random.next()), signal).catch(() => undefined);
  }

  /** True when the lease is ours after this. */
  async #tryOnce(): Promise<boolean> {
    const { clock } = this.options;
    const sentAt = clock.monotonic();
    try {
      const taken = await this.#acquireOrRenew(AbortSignal.timeout(this.#renewDeadlineMs));
      this.#refused = false;
      if (!taken) return false;
      this.#renewedAt = sentAt;
      this.#termEnds = sentAt + this.#renewDeadlineMs;
      return true;
    } catch (error) {
      this.#refused = isConnectionError(error) && error.neverSent;
      this.#tellFailure(error);
      return false;
    }
  }

  /** The lease is taken to be as this process left it. False when it is not, and has to be read. */
  async #renew(signal: AbortSignal): Promise<boolean> {
    const known = this.#observed?.lease;
    if (!this.held || known?.spec.holderIdentity !== this.options.identity) return false;
    try {
      await this.#write(known, signal);
      return true;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.options.logger.debug('lease not renewed as it was known', { error: String(error) });
      return false;
    }
  }

  async #write(lease: Lease, signal: AbortSignal): Promise<void> {
    const { clock, identity } = this.options;
    const spec = leaseRecord(identity, this.#leaseDurationMs, clock.now(), lease.spec);
    const updated = await this.#leases.update({ ...lease, spec }, { signal });
    this.#observed = { lease: updated, at: clock.monotonic() };
    this.#take(updated, lease);
  }

  /** A refusal, of rights say, is told once: whoever waits for the lease would wait for ever. */
  #tellFailure(error: unknown): void {
    const { logger, lease } = this.options;
    const text = String(error);
    const isNews = error instanceof StatusError && text !== this.#told;
    if (error instanceof StatusError) this.#told = text;
    const about = { lease: lease.name, error: text };
    if (isNews) logger.warn('lease not taken or renewed', about);
    else logger.debug('lease not taken or renewed', about);
  }

  /** k8s client-go tools/leaderelection:tryAcquireOrRenew. */
  async #acquireOrRenew(signal: AbortSignal): Promise<boolean> {
    if (await this.#renew(signal)) return true;
    const lease = await this.#read(signal);
    const { clock, identity } = this.options;
    if (!lease) return this.#create(signal);
    const decision = decideElection({
      lease,
      observed: this.#observed,
      identity,
      now: clock.monotonic(),
      leaseDurationMs: this.#leaseDurationMs,
    });
    this.#observed = decision.observed;
    if (decision.action === 'wait') return false;
    if (lease.spec.holderIdentity === identity) this.options.meters?.slowPath();
    try {
      await this.#write(lease, signal);
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  async #create(signal: AbortSignal): Promise<boolean> {
    const { clock, identity, lease: key } = this.options;
    const spec = leaseRecord(identity, this.#leaseDurationMs, clock.now());
    try {
      const created = await this.#leases.create({ metadata: { ...key }, spec }, { signal });
      this.#observed = { lease: created, at: clock.monotonic() };
      this.#take(created);
      return true;
    } catch (error) {
      if (isAlreadyExists(error)) return false;
      throw error;
    }
  }

  /** A leader that gave the lease back had done all before that; one that did not may have written until now. */
  #take(taken: Lease, before?: Lease): void {
    this.#taken = taken;
    const { holderIdentity: last = '' } = before?.spec ?? {};
    if (!before || last === this.options.identity) return;
    this.#since = (last === '' ? before : taken).metadata.resourceVersion;
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return await this.#leases.get(this.options.lease, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Lets another lead at once. */
  async #release(): Promise<void> {
    const { clock, identity, logger } = this.options;
    const signal = AbortSignal.timeout(this.#retryPeriodMs);
    try {
      const lease = await this.#read(signal);
      if (lease?.spec.holderIdentity !== identity) return;
      const spec = { ...leaseRecord('', 1000, clock.now(), lease.spec), holderIdentity: '' };
      await this.#leases.update({ ...lease, spec }, { signal });
    } catch (error) {
      logger.debug('lease not released', { error: String(error) });
    }
  }
}
