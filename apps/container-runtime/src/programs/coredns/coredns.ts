import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, isIPv6 } from 'node:net';
import type { Server, Socket as Connection } from 'node:net';
import { resources } from '@orrery/api';
import { connect } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { SystemRandom, reachablePort, silentLogger } from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import { LAME_DUCK_MS, ProgramExit } from '../program.js';
import type { ProgramContext, RunningProgram } from '../program.js';
import { forward, upstreams } from './forward.js';
import { RCODE, decodeQuery, encodeAnswer } from './message.js';
import { ClusterZone } from './zone.js';

const PORT = 53;
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const LARGEST = 65_535;

/** The API server as the pod's service account sees it. */
function clientOf(context: ProgramContext): KubeClient {
  const file = (name: string): string => context.hostPathOf(`${ACCOUNT}/${name}`) ?? '';
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = context.env;
  if (host === '' || file('token') === '') {
    context.log('stderr', 'plugin/kubernetes: no service account or no address of the API server');
    throw new ProgramExit(1);
  }
  return connect({
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    ca: readFileSync(file('ca.crt'), 'utf8'),
    tokenFile: file('token'),
    userAgent: 'coredns',
    clock: context.clock,
  });
}

/** Answers questions of both transports. */
class DnsServer {
  private readonly udp: Socket;
  private readonly tcp: Server;
  private readonly connections = new Set<Connection>();
  private readonly servers = upstreams();

  constructor(
    private readonly context: ProgramContext,
    private readonly zone: ClusterZone,
    private readonly isReady: () => boolean,
  ) {
    this.udp = createSocket(isIPv6(context.listen) ? 'udp6' : 'udp4');
    this.udp.on('message', (packet, from) => {
      void this.answer(packet).then((answer) => {
        if (answer) this.udp.send(answer, from.port, from.address, () => undefined);
      });
    });
    this.tcp = createServer((connection) => {
      this.connections.add(connection);
      connection.once('close', () => this.connections.delete(connection));
      connection.on('error', () => connection.destroy());
      this.serve(connection);
    });
  }

  async listen(): Promise<void> {
    const port = reachablePort(PORT);
    const { listen: address } = this.context;
    await new Promise<void>((resolve, reject) => {
      this.udp.once('error', reject);
      this.udp.bind(port, address, resolve);
    });
    await new Promise<void>((resolve, reject) => {
      this.tcp.once('error', reject);
      this.tcp.listen(port, address, resolve);
    });
  }

  close(): void {
    this.udp.close();
    this.tcp.close();
    for (const connection of this.connections) connection.destroy();
  }

  /** Messages of a connection, each behind its length. */
  private serve(connection: Connection): void {
    let rest = Buffer.alloc(0);
    connection.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const end = 2 + rest.readUInt16BE(0);
        void this.answer(rest.subarray(2, end), LARGEST).then((answer) => {
          if (!answer) return;
          const length = Buffer.alloc(2);
          length.writeUInt16BE(answer.length);
          connection.write(Buffer.concat([length, answer]));
        });
        rest = rest.subarray(end);
      }
    });
  }

  private async answer(packet: Buffer, limit?: number): Promise<Buffer | undefined> {
    try {
      const query = decodeQuery(packet);
      if (!query) return undefined;
      const failed = { rcode: RCODE.serverFailure, answers: [] };
      if (!this.isReady()) return encodeAnswer(query, failed, limit ?? query.size);
      const own = this.zone.resolve(query.name, query.type);
      if (own) return encodeAnswer(query, own, limit ?? query.size);
      const answer = await forward(packet, this.servers, this.context.clock);
      return answer ?? encodeAnswer(query, failed, limit ?? query.size);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
}

/** The cluster's DNS: Services and endpoints by name; other names are asked of the machine's own servers. */
export async function coredns(context: ProgramContext): Promise<RunningProgram> {
  const client = clientOf(context);
  const ending = new AbortController();
  const factory = new InformerFactory({
    client,
    clock: context.clock,
    random: new SystemRandom(),
    logger: silentLogger,
  });
  const services = factory.informer(resources.services);
  const slices = factory.informer(resources.endpointslices);
  const server = new DnsServer(
    context,
    new ClusterZone('cluster.local', { services: services.lister, slices: slices.lister }),
    () => services.hasSynced && slices.hasSynced,
  );
  const end = (): void => {
    // A container that is being stopped may be killed, too.
    if (ending.signal.aborted) return;
    ending.abort();
    server.close();
  };
  try {
    await server.listen();
  } catch (error) {
    end();
    throw error;
  }
  void factory.start(ending.signal).finally(() => {
    void client.close();
  });
  context.log('stdout', '.:53');
  context.log('stdout', 'CoreDNS-1.12.1');
  return {
    stop: async () => {
      await context.clock.sleep(LAME_DUCK_MS);
      end();
    },
    kill: end,
    cpuNanoseconds: () => 0,
  };
}
