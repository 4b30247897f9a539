import { once } from 'node:events';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';

export function hostPort(address: string): { host: string; port: number } {
  const { hostname, port } = new URL(address);
  return { host: hostname, port: Number(port) };
}

/** A connection on which bytes are written as they are: what an HTTP library would not send. */
export class RawHttp1 {
  private readonly chunks: Buffer[] = [];
  readonly closed: Promise<void>;
  private ended = false;

  private constructor(readonly socket: TLSSocket) {
    socket.on('data', (chunk: Buffer) => this.chunks.push(chunk));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.ended = true;
        resolve();
      });
    });
  }

  static async open(address: string): Promise<RawHttp1> {
    const socket = connect({ ...hostPort(address), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return new RawHttp1(socket);
  }

  get isOpen(): boolean {
    return !this.ended;
  }

  write(text: string | Buffer): void {
    if (!this.ended) this.socket.write(text);
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }

  /** The status of each answer that came. */
  statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code));
  }

  close(): void {
    this.socket.destroy();
  }
}
