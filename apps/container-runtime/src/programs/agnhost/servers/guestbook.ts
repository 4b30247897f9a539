import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { Fatal, forever, textOf } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { hostPort, httpError, httpGet, json, routed, serveHttp } from '../http.js';
import type { Exchange, Reply } from '../http.js';

const FLAGS = { 'http-port': '80', 'backend-port': '6379', replicaof: '' };
const REGISTER_MS = 15_000;
const RETRY_MS = 1_000;

/** The pod's own address. */
function ownAddress(host: Agnhost): string {
  const given = host.env['POD_IP'] ?? host.listen;
  if (given !== '' && given !== '::' && given !== '0.0.0.0') return given;
  return (
    Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.internal === false && one.family === 'IPv4')?.address ?? '127.0.0.1'
  );
}

/** k8s test/images/agnhost/guestbook: keys and values, kept by a primary that tells its replicas. */
class Guestbook {
  private store: Record<string, unknown> = {};
  private readonly replicas: string[] = [];

  constructor(
    private readonly host: Agnhost,
    private readonly backendPort: string,
  ) {}

  async register(primary: string): Promise<void> {
    const { host } = this;
    const { clock } = host;
    const end = clock.monotonic() + REGISTER_MS;
    while (clock.monotonic() < end)
      try {
        const request = `register?host=${ownAddress(this.host)}`;
        host.log(`Registering to primary: ${primary}:${this.backendPort}/${request}`);
        const { body } = await this.ask(primary, request);
        this.store = (JSON.parse(body) as { data: Record<string, unknown> }).data;
        host.log(`Registered to node: ${primary}`);
        return;
      } catch (error) {
        host.log(
          `encountered error while registering to primary: ${textOf(error)}. Retrying in 1s.`,
        );
        await clock.sleep(RETRY_MS);
      }
    throw new Fatal('Timed out while registering to primary.');
  }

  private async ask(name: string, request: string): Promise<{ body: string }> {
    const { address } = await lookup(name);
    return httpGet(`http://${hostPort(address, this.backendPort)}/${request}`);
  }

  readonly routes = {
    '/register': ({ query }: Exchange): Reply => {
      const ip = query.get('host') ?? '';
      this.host.log(`GET /register?host=${ip}`);
      this.replicas.push(ip);
      return json({ data: this.store });
    },
    '/get': ({ query }: Exchange): Reply => {
      const key = query.get('key') ?? '';
      this.host.log(`GET /get?key=${key}`);
      return json({ data: key === '' ? this.store : (this.store[key] ?? '') });
    },
    '/set': ({ query }: Exchange): Promise<Reply> =>
      this.set(query.get('key') ?? '', query.get('value') ?? ''),
    '/guestbook': ({ query }: Exchange): Promise<Reply> => this.forward(query),
  };

  private async set(key: string, value: string): Promise<Reply> {
    this.host.log(`GET /set?key=${key}&value=${value}`);
    if (key === '') return httpError(400, 'cannot set with empty key.');
    this.store[key] = value;
    for (const replica of this.replicas)
      try {
        await this.ask(replica, `set?key=${key}&value=${value}`);
      } catch (error) {
        return httpError(
          417,
          `encountered error while propagating to replica '${replica}': ${textOf(error)}`,
        );
      }
    return json({ message: 'Updated' });
  }

  private async forward(query: URLSearchParams): Promise<Reply> {
    const command = (query.get('cmd') ?? '').toLowerCase();
    const [key, value] = [query.get('key') ?? '', query.get('value') ?? ''];
    this.host.log(`GET /guestbook?cmd=${command}&key=${key}&value=${value}`);
    if (command !== 'get' && command !== 'set')
      return httpError(400, `unsupported cmd: '${command}'`);
    if (command === 'set' && key === '') return httpError(400, 'cannot set with empty key.');
    const to = command === 'get' ? 'agnhost-replica' : 'agnhost-primary';
    try {
      return { body: (await this.ask(to, `${command}?key=${key}&value=${value}`)).body };
    } catch (error) {
      return httpError(417, `encountered error: ${textOf(error)}`);
    }
  }
}

export const guestbook: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, FLAGS);
  const book = new Guestbook(host, flags['backend-port']);
  await serveHttp(host, { port: Number(flags['http-port']), handler: routed(book.routes) });
  if (flags.replicaof !== '') await book.register(flags.replicaof);
  return forever();
};
