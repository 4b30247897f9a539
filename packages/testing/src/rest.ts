import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';

/** What the API server answered instead of 2xx: its Status. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly body: unknown,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export interface Credentials {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function failure(response: IncomingMessage, text: string): ApiError {
  const body = parse(text);
  const { reason = '', message = text } = (
    typeof body === 'object' && body !== null ? body : {}
  ) as { reason?: string; message?: string };
  return new ApiError(response.statusCode ?? 0, reason, message, body);
}

/** A watch that is cut has ended, as one that the server ends; whoever watches asks again. */
async function* untilCut(response: IncomingMessage, signal: AbortSignal): AsyncGenerator<string> {
  try {
    for await (const chunk of response.setEncoding('utf8')) yield String(chunk);
  } catch (error) {
    if (signal.aborted || (error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
  }
}

/** HTTPS with the administrator's certificate; JSON both ways. */
export class Rest {
  constructor(
    readonly server: string,
    private readonly agent: Agent,
  ) {}

  static connect(server: string, { ca, cert, key }: Credentials): Rest {
    const agent = new Agent({ keepAlive: true, scheduling: 'lifo', ca, cert, key });
    return new Rest(server, agent);
  }

  /** The same connections below another path. */
  below(path: string): Rest {
    return new Rest(this.server + path, this.agent);
  }

  async json<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.open(path, options);
    const text = await textOf(response);
    if ((response.statusCode ?? 0) >= 300) throw failure(response, text);
    return parse(text) as T;
  }

  /** The lines of a watch until it ends, is cut, or the signal aborts. */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator<unknown, void> {
    const response = await this.open(path, { signal });
    if ((response.statusCode ?? 0) >= 300) throw failure(response, await textOf(response));
    let rest = '';
    for await (const chunk of untilCut(response, signal)) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as unknown;
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private open(path: string, options: RequestOptions): Promise<IncomingMessage> {
    const { method = 'GET', body, contentType = 'application/json', accept, signal } = options;
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        new URL(this.server + path),
        {
          method,
          agent: this.agent,
          headers: {
            accept: accept ?? 'application/json',
            'user-agent': 'orrery-testing',
            ...(text === undefined
              ? {}
              : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
          },
          ...(signal ? { signal } : {}),
        },
        resolve,
      );
      request.on('error', reject);
      request.end(text);
    });
  }
}
