import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, jest } from '@jest/globals';
import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import { resources } from '@orrery/api';
import { app as apiServer } from '@orrery/apiserver';
import { connect } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { SteppedClock } from '@orrery/component';
import { eventually, freeAddress, useEtcd } from '@orrery/testkit';
import type { SharedEtcd } from '@orrery/testkit';
import { app as controllerManager } from '../src/index.js';

export interface ControlPlaneOptions {
  /** As --controllers takes them; default none runs before `startControllers`. */
  readonly controllers?: readonly string[];
  /** Further flags of the controller manager. */
  readonly flags?: readonly string[] | ((folder: string) => readonly string[]);
  /** Further flags of the API server; written into `folder` beforehand, files can be named. */
  readonly apiFlags?: readonly string[] | ((folder: string) => readonly string[]);
  /** Writes files that the flags name. */
  readonly prepare?: (folder: string) => void | Promise<void>;
  /** The bearer token that everybody comes with; default none. */
  readonly token?: string;
  /** Whether pods need the service account that a controller makes. */
  readonly serviceAccounts?: boolean;
}

type Flags = ControlPlaneOptions['flags'];

const flagsOf = (flags: Flags, folder: string): readonly string[] =>
  typeof flags === 'function' ? flags(folder) : (flags ?? []);

const kubeconfig = (server: string, token?: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'c', user: token === undefined ? {} : { token } }],
  });

/** A controller manager of a control plane, in this process. */
export class RunningControllers {
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;

  constructor(argv: readonly string[], clock: SteppedClock) {
    this.running = controllerManager.run(argv, { signal: this.stopping.signal, clock });
    // A failure is told by stop().
    this.running.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the controllers are stopping'));
    await this.running;
  }
}

/** A real etcd and API server, and a controller manager on a clock that the spec can put ahead. */
export class ControlPlane {
  readonly clock = new SteppedClock();
  readonly folder = mkdtempSync(join(tmpdir(), 'orrery-controllers-'));
  private readonly stopping = new AbortController();
  private api: Promise<void> = Promise.resolve();
  /** Where the API server answers. */
  server = '';
  private connected: KubeClient | undefined;
  private readonly managers: RunningControllers[] = [];

  constructor(
    private readonly etcd: SharedEtcd,
    private readonly options: ControlPlaneOptions,
  ) {}

  get client(): KubeClient {
    if (!this.connected) throw new Error('the control plane has not started');
    return this.connected;
  }

  async start(): Promise<void> {
    process.env['ORRERY_LOG_DIR'] = this.folder;
    await this.options.prepare?.(this.folder);
    const { token } = this.options;
    const { port, host: free } = await freeAddress();
    const host = free.replace(/^127\.\d+/, '127.237');
    const argv = [
      `--etcd-servers=${this.etcd.endpoints.join(',')}`,
      `--etcd-prefix=${this.etcd.keyspace}`,
      `--bind-address=${host}`,
      `--secure-port=${port}`,
      '--service-cluster-ip-range=127.237.128.0/17',
      '--cluster-cidr=127.237.64.0/18',
      ...(this.options.serviceAccounts ? [] : ['--disable-admission-plugins=ServiceAccount']),
      ...flagsOf(this.options.apiFlags, this.folder),
    ];
    await new Promise<void>((resolve, reject) => {
      // On the machine's clock: a step would take its requests in flight for late.
      this.api = apiServer.run(argv, { signal: this.stopping.signal, onReady: resolve });
      this.api.catch(reject);
    });
    this.server = `https://${host}:${port}`;
    writeFileSync(join(this.folder, 'kubeconfig'), kubeconfig(this.server, token));
    this.connected = connect({ server: this.server, insecureSkipTlsVerify: true, token });
    if (this.options.controllers) this.startControllers();
    await this.settled(resources.namespaces, { name: 'default' }, () => true);
  }

  /** Runs a (further) controller manager; the one of the options starts by itself. */
  startControllers(flags: readonly string[] = []): RunningControllers {
    const argv = [
      `--kubeconfig=${join(this.folder, 'kubeconfig')}`,
      '--leader-elect=false',
      `--controllers=${(this.options.controllers ?? ['*']).join(',')}`,
      ...flagsOf(this.options.flags, this.folder),
      ...flags,
    ];
    const manager = new RunningControllers(argv, this.clock);
    this.managers.push(manager);
    return manager;
  }

  async stop(): Promise<void> {
    await Promise.all(this.managers.map((manager) => manager.stop()));
    await this.connected?.close();
    this.stopping.abort(new Error('the control plane is stopping'));
    await this.api;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What the components logged, for a spec that has to be understood. */
  logs(component = 'kube-controller-manager'): string {
    return readFileSync(join(this.folder, `${component}.log`), 'utf8');
  }

  create<T extends KubeObject>(ref: ResourceRef<T>, object: unknown): Promise<T> {
    return this.client.resource(ref).create(object as T);
  }

  get<T extends KubeObject>(ref: ResourceRef<T>, key: ObjectKey): Promise<T> {
    return this.client.resource(ref).get(key);
  }

  async list<T extends KubeObject>(ref: ResourceRef<T>, namespace?: string): Promise<T[]> {
    return (await this.client.resource(ref).list(namespace ? { namespace } : {})).items;
  }

  /** Waits until the object says what `check` wants: true, or no failed expectation. */
  settled<T extends KubeObject>(
    ref: ResourceRef<T>,
    key: ObjectKey,
    check: (object: T) => unknown,
    timeoutMs = 8000,
  ): Promise<T> {
    return eventually(
      async () => {
        const object = await this.get(ref, key);
        if (check(object) === false)
          throw new Error(`not yet: ${JSON.stringify(object, undefined, 1)}`);
        return object;
      },
      { timeoutMs },
    );
  }

  /** Merges into the object's status, as its kubelet, say, would. */
  patchStatus<T extends KubeObject>(
    ref: ResourceRef<T>,
    key: ObjectKey,
    status: object,
  ): Promise<T> {
    const body = { status };
    return this.client.resource(ref).patch(key, 'merge', body, { subresource: 'status' });
  }

  async createNamespace(name: string): Promise<string> {
    await this.create(resources.namespaces, { metadata: { name } });
    return name;
  }

  /** Waits for an event of that reason about an object of that name; gives its message. */
  eventOf(namespace: string, name: string, reason: string, timeoutMs = 8000): Promise<string> {
    return eventually(
      async () => {
        const events = await this.list(resources.events, namespace);
        const about = events.filter(({ involvedObject }) => involvedObject.name === name);
        const found = about.find((event) => event.reason === reason);
        if (!found) throw new Error(`events: ${about.map((e) => e.reason).join(', ')}`);
        return found.message ?? '';
      },
      { timeoutMs },
    );
  }
}

/** One control plane for all tests of a spec file. */
export function useControlPlane(options: ControlPlaneOptions): ControlPlane {
  const plane = new ControlPlane(useEtcd(), options);
  jest.setTimeout(30_000);
  beforeAll(() => plane.start(), 60_000);
  afterAll(() => plane.stop(), 30_000);
  return plane;
}
