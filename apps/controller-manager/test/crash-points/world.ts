import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { StatusError, isConflict, isNotFound } from '@orrery/apimachinery';
import type { Pod, ResourceRef } from '@orrery/api';
import { resources } from '@orrery/api';
import { connect } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { SteppedClock, SystemClock, SystemRandom, createLogger } from '@orrery/component';
import { ServiceAccountToken } from '@orrery/controller';
import { InformerFactory } from '@orrery/informers';
import { eventually } from '@orrery/testkit';
import type { ControllerEntry } from '../../src/controller-entry.js';
import { ControllerProcess } from './controller-process.js';
import { intercept } from './intercepting-client.js';
import type { Interceptor } from './intercepting-client.js';
import { MASTER } from './scenario-plane.js';
import { normalForm } from './normal-form.js';

export const NS = 'default';

/** What the node agents of a world do with a pod that is new, by its label `does`. */
export type PodLife = 'run' | 'succeed' | 'fail' | 'nothing';

/** A cluster of its own in which one scenario is played once: a fork of the API server's. */
export class World {
  readonly clock = new SteppedClock();
  readonly random = new SystemRandom();
  readonly logger = createLogger({ component: 'crash-points' });
  /** Not intercepted: the user's, the nodes'. */
  readonly client: KubeClient;
  /** Writes of everybody so far. */
  activity = 0;
  /** Writes of controllers that their service accounts have no right to. */
  readonly refused: string[] = [];
  readonly #life = new AbortController();
  readonly #running: Promise<unknown>[] = [];
  readonly #processes = new Set<ControllerProcess>();
  readonly #counting: Interceptor = {
    write: async (_write, send) => {
      this.activity++;
      try {
        return await send();
      } finally {
        this.activity++;
      }
    },
  };

  /** For what the controllers of all worlds write to disk. */
  readonly folder: string;
  readonly #flags: readonly string[];

  constructor(
    private readonly server: string,
    options: { readonly folder: string; readonly flags: readonly string[] },
  ) {
    this.folder = options.folder;
    this.#flags = options.flags;
    this.client = this.#connect();
  }

  /** Starts controllers as a process of their own; its client goes through `interceptor`. */
  start(entries: readonly ControllerEntry[], interceptor: Interceptor = {}): ControllerProcess {
    const { clock, random, logger } = this;
    const process = new ControllerProcess(entries, {
      client: intercept(this.#connect(), interceptor),
      clientOf: (account) => intercept(this.#connectAs(account), interceptor),
      clock,
      random,
      logger,
      flags: this.#flags,
    });
    this.#processes.add(process);
    return process;
  }

  async kill(process: ControllerProcess): Promise<void> {
    await process.kill();
    this.#processes.delete(process);
  }

  /** Nodes that run pods at once, as their label `does` says, and let deleted ones go. */
  startNodes(): void {
    const { client, clock, random, logger } = this;
    const informers = new InformerFactory({ client, clock, random, logger });
    const visit = (pod: Pod): void => {
      this.#running.push(this.#live(pod).catch(() => undefined));
    };
    informers.informer(resources.pods).addHandler({ onAdd: visit, onUpdate: visit });
    this.#running.push(informers.start(this.#life.signal));
  }

  /** Resolves when nothing has anything to do, and nobody has written for `quietMs`. */
  async quiet(quietMs: number): Promise<void> {
    let seen = -1;
    let since = this.#now();
    await eventually(
      () => {
        const busy = [...this.#processes].reduce((sum, process) => sum + process.busy, 0);
        if (busy > 0 || seen !== this.activity) {
          seen = this.activity;
          since = this.#now();
        }
        return this.#now() - since >= quietMs;
      },
      { timeoutMs: 120_000, intervalMs: 10 },
    );
  }

  async stop(): Promise<void> {
    this.#life.abort(new Error('the world ends'));
    await Promise.all([...this.#processes].map((process) => process.kill()));
    await Promise.all(this.#running);
    await this.client.close();
  }

  create<T extends KubeObject>(ref: ResourceRef<T>, object: unknown): Promise<T> {
    return this.client.resource(ref).create(object as T);
  }

  get<T extends KubeObject>(ref: ResourceRef<T>, key: ObjectKey): Promise<T> {
    return this.client.resource(ref).get(key);
  }

  async list<T extends KubeObject>(ref: ResourceRef<T>): Promise<T[]> {
    return (await this.client.resource(ref).list()).items;
  }

  patch<T extends KubeObject>(ref: ResourceRef<T>, name: string, body: object): Promise<T> {
    const key = ref.namespaced ? { namespace: NS, name } : { name };
    return this.client.resource(ref).patch(key, 'merge', body);
  }

  patchStatus<T extends KubeObject>(ref: ResourceRef<T>, name: string, status: object): Promise<T> {
    const key = ref.namespaced ? { namespace: NS, name } : { name };
    return this.client.resource(ref).patch(key, 'merge', { status }, { subresource: 'status' });
  }

  /** All objects of these kinds, without what chance and time give. */
  async picture(refs: readonly ResourceRef[]): Promise<string[]> {
    const lists = await Promise.all(
      refs.map((ref) => this.list<KubeObject>(ref as ResourceRef<KubeObject>)),
    );
    return normalForm(lists.flat());
  }

  #connect(): KubeClient {
    const master = { server: this.server, insecureSkipTlsVerify: true, token: MASTER };
    return intercept(connect(master), this.#counting);
  }

  /** As the controller's service account, with its rights alone. */
  #connectAs(account: string): KubeClient {
    const tokens = new ServiceAccountToken({
      client: this.client,
      account,
      clock: new SystemClock(),
    });
    const server = { server: this.server, insecureSkipTlsVerify: true, tokens };
    const noting: Interceptor = {
      write: (_write, send) =>
        send().catch((error: unknown) => {
          if (error instanceof StatusError && error.code === 403) this.refused.push(error.message);
          throw error;
        }),
    };
    return intercept(intercept(connect(server), noting), this.#counting);
  }

  #now(): number {
    return this.clock.monotonic() - this.clock.offset;
  }

  /** What a node does next with a pod. */
  async #live(pod: Pod): Promise<void> {
    const life = pod.metadata.labels?.['does'] ?? 'nothing';
    if (life === 'nothing') return;
    try {
      if (pod.metadata.deletionTimestamp) await this.#letGo(pod);
      else if ((pod.status?.phase ?? 'Pending') === 'Pending') await this.#run(pod, life);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #letGo({ metadata, status }: Pod): Promise<void> {
    const { namespace = '', name = '', uid, finalizers = [] } = metadata;
    if (finalizers.length > 0 && isEnded(status)) return;
    await this.client
      .resource(resources.pods)
      .delete(
        { namespace, name },
        { gracePeriodSeconds: 0, ...(uid ? { preconditions: { uid } } : {}) },
      );
  }

  async #run({ metadata }: Pod, life: string): Promise<void> {
    const { namespace = '', name = '', labels } = metadata;
    const status = statusOf(life, labels?.['ip'] ?? '1');
    await this.client
      .resource(resources.pods)
      .patch({ namespace, name }, 'merge', { status }, { subresource: 'status' });
  }
}

const isEnded = (status: Pod['status']): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';

const LONG_AGO = '2026-01-01T00:00:00Z';

function statusOf(life: string, ip: string): object {
  const podIP = `10.0.0.${ip}`;
  if (life === 'run')
    return {
      phase: 'Running',
      podIP,
      podIPs: [{ ip: podIP }],
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: LONG_AGO }],
    };
  const exitCode = life === 'succeed' ? 0 : 1;
  return {
    phase: life === 'succeed' ? 'Succeeded' : 'Failed',
    containerStatuses: [
      {
        name: 'c',
        image: 'i',
        imageID: 'i',
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode, finishedAt: LONG_AGO } },
      },
    ],
  };
}

/** A pod template whose pods do so on their nodes. */
export const template = (app: string, does: PodLife, extra: object = {}): object => ({
  metadata: { labels: { app, does } },
  spec: {
    restartPolicy: does === 'succeed' || does === 'fail' ? 'Never' : 'Always',
    containers: [{ name: 'c', image: 'i' }],
    ...extra,
  },
});
