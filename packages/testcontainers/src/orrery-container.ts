import { randomUUID } from 'node:crypto';
import { OrreryError } from '@orrery/testing';
import { GenericContainer, Wait, getContainerRuntimeClient } from 'testcontainers';
import { API_PORT, StartedOrreryContainer } from './started-orrery-container.js';

const DEFAULT_IMAGE = 'orrery:local';
/** Where the cluster keeps its files in the container: in memory, for it ends with the container. */
const HOME = '/var/lib/orrery';
/** Node ports that the image publishes. */
const FIRST_NODE_PORT = 30_000;
const LAST_NODE_PORT = 30_031;
const START_MS = 120_000;

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Docker 19.03: the first with what testcontainers asks of an engine. */
const OLDEST_MINOR = 40;
const OLDEST = 'Docker 19.03 (API 1.40)';

/** `1.40` -> [1, 40]; versions are no decimal fractions. */
const versionOf = (text: string): readonly number[] => text.split('.').map(Number);

async function requireEngine(version: () => Promise<unknown>): Promise<void> {
  const { Version, ApiVersion } = (await version()) as { Version?: string; ApiVersion?: string };
  const [major = 0, minor = 0] = versionOf(ApiVersion ?? '0');
  if (major < 1 || (major === 1 && minor < OLDEST_MINOR))
    throw new OrreryError(
      `the Docker engine is too old: ${Version ?? 'unknown'} (API ${ApiVersion ?? 'unknown'}), ${OLDEST} or newer is needed`,
    );
}

const START_LABEL = 'dev.orrery.start';

/** A container that was created and could not be started stays otherwise: testcontainers leaves it to its reaper. */
async function removeUnstarted(start: string): Promise<void> {
  const { container } = await getContainerRuntimeClient();
  const filters = JSON.stringify({ label: [`${START_LABEL}=${start}`] });
  const left = await container.dockerode.listContainers({ all: true, filters });
  for (const { Id } of left) await container.dockerode.getContainer(Id).remove({ force: true });
}

/** One line for the reader of a test's output, with the remedy. */
function explain(error: unknown, image: string): OrreryError {
  if (error instanceof OrreryError) return error;
  const message = messageOf(error);
  if (/container runtime strategy/i.test(message))
    return new OrreryError(
      'no Docker engine answers: start one, or name it in DOCKER_HOST (testcontainers found none)',
      { cause: error },
    );
  if (
    /no such image|not found|pull access denied|manifest unknown|repository does not exist|\/v2\//i.test(
      message,
    )
  )
    return new OrreryError(
      `the image ${image} is not there and cannot be pulled: build it (docker build -t ${image} . in Orrery's checkout), or name another in ORRERY_IMAGE or new OrreryContainer(IMAGE)`,
      { cause: error },
    );
  const taken =
    /(?:Bind for|listen tcp\d?) (\S+:\d+)(?: failed)?: (?:port is already allocated|bind: address already in use)/;
  const port = taken.exec(message)?.[1];
  if (port !== undefined)
    return new OrreryError(
      `${port} is taken on the engine's host: stop what listens there, or let the engine choose (no host port)`,
      { cause: error },
    );
  return new OrreryError(`the container ${image} did not start: ${message}`, { cause: error });
}

const requireWhole = (
  what: string,
  value: number,
  allowed: (value: number) => boolean,
  which: string,
): void => {
  if (!Number.isInteger(value) || !allowed(value))
    throw new OrreryError(`${what}(${value}): ${which}`);
};

/** A whole cluster in one container, not privileged and as an ordinary user. */
export class OrreryContainer extends GenericContainer {
  private nodes = 1;
  private etcdMembers = 1;
  private readonly extraArgs: string[] = [];
  private readonly nodePorts: number[] = [];

  constructor(private readonly imageAsked = process.env['ORRERY_IMAGE'] ?? DEFAULT_IMAGE) {
    super(imageAsked);
    this.withExposedPorts(API_PORT)
      .withEnvironment({ ORRERY_HOME: HOME })
      .withTmpFs({ [HOME]: 'rw,exec,mode=1777' })
      .withStartupTimeout(START_MS)
      .withWaitStrategy(Wait.forLogMessage('orrery: ready in'));
  }

  /** Nodes, 1 to 64; of several the first is the control plane's and takes no pods without a toleration. Default 1. */
  withNodes(count: number): this {
    requireWhole('withNodes', count, (n) => n >= 1 && n <= 64, 'a cluster has 1 to 64 nodes');
    this.nodes = count;
    return this;
  }

  /** 1, 3 or 5. Default 1. */
  withEtcdMembers(count: number): this {
    requireWhole(
      'withEtcdMembers',
      count,
      (n) => [1, 3, 5].includes(n),
      'etcd has 1, 3 or 5 members',
    );
    this.etcdMembers = count;
    return this;
  }

  /** A further flag of a component: `withComponentArg('kube-apiserver', 'audit-log-path', '-')`. */
  withComponentArg(component: string, flag: string, value: string): this {
    this.extraArgs.push(`--extra-arg=${component}.${flag}=${value}`);
    return this;
  }

  /** Makes a Service's node port, 30000 to 30031, reachable at `getMappedPort(port)`. */
  withNodePort(port: number): this {
    requireWhole(
      'withNodePort',
      port,
      (n) => n >= FIRST_NODE_PORT && n <= LAST_NODE_PORT,
      `node ports that can be reached are ${FIRST_NODE_PORT} to ${LAST_NODE_PORT}`,
    );
    this.nodePorts.push(port);
    return this;
  }

  override async start(): Promise<StartedOrreryContainer> {
    const start = randomUUID();
    try {
      const { info, container } = await getContainerRuntimeClient();
      await requireEngine(() => container.dockerode.version());
      this.withCommand([
        'up',
        '--single-process',
        '--publish-address=auto',
        `--nodes=${this.nodes}`,
        `--etcd-members=${this.etcdMembers}`,
        `--tls-san=${info.containerRuntime.host}`,
        '--extra-arg=kube-apiserver.enable-faults=true',
        ...this.extraArgs,
      ])
        .withExposedPorts(...this.nodePorts)
        .withLabels({ [START_LABEL]: start });
      return await StartedOrreryContainer.of(await super.start(), `${HOME}/orrery/admin.conf`);
    } catch (error) {
      // What went wrong first is what the caller is told.
      await removeUnstarted(start).catch(() => undefined);
      throw explain(error, this.imageAsked);
    }
  }
}
