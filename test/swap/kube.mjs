// What the checks ask a cluster with: kubectl, and objects as JSON.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 500;
/** More than 1 on a machine that is busy. */
const PATIENCE = Number(process.env.SWAP_PATIENCE ?? '1');

/** Runs a program; never throws for its exit code. */
function execute(command, args, { env, stdin = '', timeoutMs = 120_000 }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: 'pipe', timeout: timeoutMs * PATIENCE });
    const [out, err] = [[], []];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      const [stdout, stderr] = [out, err].map((chunks) => Buffer.concat(chunks).toString('utf8'));
      resolve({ code, stdout, stderr });
    });
    child.stdin.end(stdin);
  });
}

/** Asserts; the text says what was found instead. */
export function expectThat(condition, text) {
  if (!condition) throw new Error(typeof text === 'string' ? text : JSON.stringify(text));
}

export async function eventually(attempt, timeoutMs = 60_000) {
  const end = Date.now() + timeoutMs * PATIENCE;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(EVERY_MS);
    }
  }
}

/** One namespace of a cluster, as a check sees it. */
export class Kube {
  constructor(kubeconfig, namespace = 'default') {
    this.kubeconfig = kubeconfig;
    this.namespace = namespace;
  }

  in(namespace) {
    return new Kube(this.kubeconfig, namespace);
  }

  /** kubectl with these words; its output. Throws when it fails. */
  async run(line, stdin = '') {
    const result = await this.attempt(line, stdin);
    if (result.code !== 0) throw new Error(`kubectl ${line}: ${result.stderr || result.stdout}`);
    return result.stdout;
  }

  attempt(line, stdin = '') {
    const env = { ...process.env, KUBECONFIG: this.kubeconfig };
    const words = Array.isArray(line) ? line : line.split(' ');
    return execute('kubectl', ['-n', this.namespace, ...words], { env, stdin });
  }

  apply(...objects) {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    return this.run('apply -f -', JSON.stringify(list));
  }

  create(object) {
    return this.attempt('create -f -', JSON.stringify(object));
  }

  async get(what) {
    return JSON.parse(await this.run(`get ${what} -o json`));
  }

  async list(what) {
    return (await this.get(what)).items;
  }

  /** Waits until what is read satisfies the condition; the object. */
  reaches(what, condition, timeoutMs) {
    return eventually(async () => {
      const found = await this.get(what);
      expectThat(
        condition(found.items ?? found),
        `${what} is ${JSON.stringify(found.status ?? found.items ?? found).slice(0, 1500)}`,
      );
      return found.items ?? found;
    }, timeoutMs);
  }

  gone(what, timeoutMs) {
    return eventually(async () => {
      const { code, stdout } = await this.attempt(`get ${what} -o name --ignore-not-found`);
      expectThat(code === 0 && stdout.trim() === '', `${what} is still there`);
    }, timeoutMs);
  }
}

export const container = (image = 'nginx') => ({ name: 'c', image });

export const podSpec = (more = {}) => ({
  terminationGracePeriodSeconds: 1,
  containers: [container()],
  ...more,
});

export const template = (labels, more) => ({ metadata: { labels }, spec: podSpec(more) });

export const workload = (kind, name, spec, more = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: template({ app: name }, more),
    ...spec,
  },
});

export const pod = (name, more = {}, labels = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: podSpec(more),
});
