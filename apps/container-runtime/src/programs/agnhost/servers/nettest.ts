import { hostname } from 'node:os';
import { forever, textOf } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { hostPort, httpGet, routed, serveHttp } from '../http.js';
import type { Exchange, Reply } from '../http.js';
import { InClusterApi } from '../tools/in-cluster.js';

const FLAGS = {
  port: 8080,
  peers: 8,
  service: 'nettest',
  namespace: 'default',
  'delay-shutdown': 0,
};
const ROUNDS = 15;
const ROUND_MS = 5_000;
const MOST_LOG = 500;

interface Subset {
  readonly addresses?: readonly { readonly ip: string }[];
  readonly ports?: readonly { readonly port: number }[];
}

/** What one server knows of who reached whom. */
class NetTest {
  private readonly sent: Record<string, number> = {};
  private readonly received: Record<string, number> = {};
  private readonly errors: string[] = [];
  private readonly log: string[] = [];
  private contacting = true;

  constructor(
    private readonly host: Agnhost,
    private readonly settings: {
      readonly peers: number;
      readonly service: string;
      readonly namespace: string;
    },
  ) {}

  readonly routes = {
    '/quit': (): Reply => {
      this.host.exit(0);
      return {};
    },
    '/read': (): Reply => ({ body: JSON.stringify(this.state(), undefined, '\t') }),
    '/write': ({ body }: Exchange): Reply => this.write(body),
    '/status': (): Reply => ({ body: this.status() }),
  };

  private state(): Record<string, unknown> {
    const some = (counts: Record<string, number>): unknown =>
      Object.keys(counts).length === 0 ? null : counts;
    return {
      Hostname: hostname(),
      Sent: some(this.sent),
      Received: some(this.received),
      Errors: this.errors.length === 0 ? null : this.errors,
      Log: this.log.length === 0 ? null : this.log,
      StillContactingPeers: this.contacting,
    };
  }

  private write(body: Buffer): Reply {
    try {
      const { Source: source = '' } = JSON.parse(body.toString('utf8')) as { Source?: string };
      if (source === '') this.errors.push(`${hostname()}: Got request with no source`);
      else this.received[source] = (this.received[source] ?? 0) + 1;
    } catch (error) {
      this.errors.push(textOf(error));
    }
    return { body: `${JSON.stringify({ Hostname: hostname() })}\n` };
  }

  private status(): string {
    const { peers } = this.settings;
    const [sent, received] = [this.sent, this.received].map((one) => Object.keys(one).length);
    if ((sent ?? 0) >= peers && (received ?? 0) >= peers) return 'pass';
    return this.contacting ? 'running' : 'fail';
  }

  private say(text: string): void {
    this.log.push(text);
    if (this.log.length > MOST_LOG) this.log.shift();
  }

  /** Posts to each endpoint of the Service, again and again for a while. */
  async contactOthers(): Promise<void> {
    const api = new InClusterApi(this.host);
    for (let round = 0; round < ROUNDS; round++) {
      for (const endpoint of await this.endpoints(api)) await this.contact(endpoint);
      await this.host.clock.sleep(ROUND_MS);
    }
    this.contacting = false;
  }

  private async endpoints(api: InClusterApi): Promise<string[]> {
    const { service, namespace } = this.settings;
    const path = `/api/v1/namespaces/${namespace}/endpoints/${service}`;
    try {
      const { status, body } = await api.get(path, api.token());
      if (status !== 200) throw new Error(body);
      const { subsets = [] } = JSON.parse(body) as { subsets?: Subset[] };
      return subsets.flatMap(({ addresses = [], ports = [] }) =>
        addresses.flatMap(({ ip }) => ports.map(({ port }) => `http://${hostPort(ip, port)}`)),
      );
    } catch (error) {
      this.say(`Unable to read the endpoints for ${namespace}/${service}: ${textOf(error)}.`);
      return [];
    }
  }

  private async contact(endpoint: string): Promise<void> {
    this.say(`Attempting to contact ${endpoint}`);
    try {
      const body = JSON.stringify({ Source: hostname(), Dest: endpoint });
      const got = await httpGet(`${endpoint}/write`, { method: 'POST', body });
      const { Hostname: name } = JSON.parse(got.body) as { Hostname: string };
      this.sent[name] = (this.sent[name] ?? 0) + 1;
    } catch (error) {
      this.say(`Warning: unable to contact the endpoint "${endpoint}": ${textOf(error)}`);
    }
  }
}

/** k8s test/images/agnhost/nettest: each server of a Service reaches each other. */
export const nettest: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, FLAGS);
  const test = new NetTest(host, flags);
  const delay = flags['delay-shutdown'];
  if (delay > 0)
    host.onTerminate(() => {
      host.log(`Sleeping ${delay} seconds before exit ...`);
      host.clock.after(delay * 1000, () => {
        host.exit(0);
      });
    });
  await serveHttp(host, { port: flags.port, handler: routed(test.routes) });
  await test.contactOthers();
  return forever();
};
