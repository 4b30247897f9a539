import { Agent, request } from 'node:http';

export interface Answer {
  readonly pod: string;
  readonly image: string;
  /** The Server header. */
  readonly server: string;
}

/** One GET of `http://address:port/`. Throws for any answer but 200. */
export function get(address: string, port: number, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: address, port, agent, timeout: 5000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.once('error', reject).once('end', () => {
        const { 'x-pod': pod, 'x-image': image, server } = response.headers;
        if (response.statusCode === 200)
          resolve({ pod: String(pod), image: String(image), server: String(server) });
        else reject(new Error(`HTTP ${response.statusCode}: ${body}`));
      });
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer within 5 s')));
    sent.once('error', reject).end();
  });
}

/** `count` requests one after another, each on a connection of its own; the pods that answered, in order. */
export async function ask(address: string, port: number, count: number): Promise<string[]> {
  const agent = new Agent({ keepAlive: false });
  const pods: string[] = [];
  for (let i = 0; i < count; i++) pods.push((await get(address, port, agent)).pod);
  return pods;
}

const WORKERS = 2;
/** A load that a failed test forgot ends by itself. */
const LONGEST_MS = 120_000;

/** Requests without a pause, from clients that keep their connection and from others that never do. */
export class HttpLoad {
  readonly failures: string[] = [];
  readonly byPod = new Map<string, number>();
  readonly byImage = new Map<string, number>();
  readonly servers = new Set<string>();
  requests = 0;
  private isStopping = false;
  private readonly workers: Promise<void>[];

  constructor(address: string, port: number) {
    this.workers = Array.from({ length: WORKERS }, () => [
      this.work(address, port, true),
      this.work(address, port, false),
    ]).flat();
  }

  /** Ends it; what failed. */
  async stop(): Promise<readonly string[]> {
    this.isStopping = true;
    await Promise.all(this.workers);
    return this.failures;
  }

  private async work(address: string, port: number, keepAlive: boolean): Promise<void> {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    const end = performance.now() + LONGEST_MS;
    while (!this.isStopping && performance.now() < end) {
      this.requests += 1;
      try {
        const { pod, image, server } = await get(address, port, agent);
        this.servers.add(server);
        this.byPod.set(pod, (this.byPod.get(pod) ?? 0) + 1);
        this.byImage.set(image, (this.byImage.get(image) ?? 0) + 1);
      } catch (error) {
        this.failures.push(`${keepAlive ? 'kept' : 'new'} connection: ${String(error)}`);
      }
    }
    agent.destroy();
  }
}
