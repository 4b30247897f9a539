import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Duplex } from 'node:stream';
import { SystemClock } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import type { CertificateAuthority } from '@orrery/pki';
import type { Json } from './replica.js';

export interface HookRequest {
  readonly method: string;
  readonly path: string;
  /** Common name of the client's certificate. */
  readonly peer: string;
  readonly headers: IncomingMessage['headers'];
  readonly json: Json;
}

export type HookReply = (request: HookRequest, response: ServerResponse) => unknown;

/** An HTTPS server of a spec, with a certificate of a CA of its own: webhooks, token and access reviews, extension APIs. */
export class HookServer {
  readonly seen: HookRequest[] = [];
  reply: HookReply = () => ({});

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    readonly ca: CertificateAuthority,
    readonly host: string,
    readonly port: number,
  ) {}

  static async start(host: string, dnsNames: readonly string[], port = 0): Promise<HookServer> {
    const now = new SystemClock().now();
    const ca = await createCa('hook-ca', now);
    const { certPem, keyPem } = await issueCertificate(ca, {
      commonName: 'hook',
      sans: { dns: [...dnsNames], ips: [host] },
      usages: ['serverAuth'],
      now,
    });
    const server = createServer(
      { cert: certPem, key: keyPem, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        void made.answer(request, response);
      },
    );
    await new Promise<void>((resolve) => {
      server.listen(port, host, resolve);
    });
    const made = new HookServer(server, ca, host, (server.address() as AddressInfo).port);
    return made;
  }

  /** Takes upgrades; without it they get no answer. */
  onUpgrade(take: (request: IncomingMessage, socket: Duplex) => void): void {
    this.server.on('upgrade', take);
  }

  get url(): string {
    return `https://${this.host}:${this.port}`;
  }

  get caBundle(): string {
    return Buffer.from(this.ca.certPem).toString('base64');
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => {
        resolve();
      });
      this.server.closeAllConnections();
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const json = (text === '' ? {} : JSON.parse(text)) as Json;
    const peer = (request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? '';
    const { method = '', url: path = '', headers } = request;
    const seen = { method, path, peer: String(peer), headers, json };
    this.seen.push(seen);
    const body = await this.reply(seen, response);
    if (response.writableEnded || body === undefined) return;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  }
}
