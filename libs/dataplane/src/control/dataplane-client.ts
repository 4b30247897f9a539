import { request } from 'node:http';
import type { FrontendProblem, RuleChanges, RuleSet } from '../rule-set.js';
import type { ConnectionView } from '../table/endpoint-state.js';
import type { RuleView } from '../table/service-table.js';

/** The dataplane does not answer, or does not know this node's rules: they must be sent whole, later. */
export class DataplaneError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DataplaneError';
  }
}

/** A connection with the rule that chose its backend; node is empty when the rule has gone. */
export type RuledConnection = ConnectionView & { readonly rule: string; readonly node: string };

/** The control socket of a host's dataplane. */
export class DataplaneClient {
  /** No connection is kept: after a handover the path leads to another process. */
  private readonly place: { readonly socketPath: string; readonly agent: false };

  constructor(private readonly socketPath: string) {
    this.place = { socketPath, agent: false };
  }

  async replace(set: RuleSet): Promise<readonly FrontendProblem[]> {
    const { node, sources, rules } = set;
    return this.program('PUT', node, { sources, rules });
  }

  async change(node: string, changes: RuleChanges): Promise<readonly FrontendProblem[]> {
    return this.program('PATCH', node, changes);
  }

  async view(): Promise<readonly RuleView[]> {
    return JSON.parse(await this.call('GET', '/rules')) as RuleView[];
  }

  async connections(): Promise<readonly RuledConnection[]> {
    return JSON.parse(await this.call('GET', '/connections')) as RuledConnection[];
  }

  async counters(): Promise<Readonly<Record<string, number>>> {
    return JSON.parse(await this.call('GET', '/counters')) as Record<string, number>;
  }

  async sets(): Promise<readonly RuleSet[]> {
    return JSON.parse(await this.call('GET', '/sets')) as RuleSet[];
  }

  /** The NetworkPolicies in force, to be set again elsewhere. */
  async policies(): Promise<object> {
    return JSON.parse(await this.call('GET', '/policies')) as object;
  }

  /** Puts NetworkPolicies in force, as `@orrery/network-policy` compiles them. */
  async setPolicies(set: object): Promise<void> {
    await this.call('PUT', '/policies', set);
  }

  /** Where each process of the dataplane offers the sockets on which it listens, to `takeHandles`. */
  async offers(): Promise<readonly string[]> {
    return JSON.parse(await this.call('POST', '/offers')) as string[];
  }

  /** Asks the dataplane to take no new connection and to end when its established ones have. */
  async release(): Promise<void> {
    await this.call('POST', '/release');
  }

  /** Resolves when the dataplane that answers now has gone; rejects when none answers. `connected` is called in between. */
  untilGone(connected: () => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const req = request({ ...this.place, path: '/alive', signal }, (res) => {
        connected();
        res.on('error', () => undefined);
        res.on('close', () => {
          resolve();
        });
        res.resume();
      });
      req.on('error', (cause) => {
        reject(this.failure(cause));
      });
      req.end();
    });
  }

  private async program(
    method: string,
    node: string,
    body: unknown,
  ): Promise<readonly FrontendProblem[]> {
    const text = await this.call(method, `/nodes/${encodeURIComponent(node)}/rules`, body);
    return (JSON.parse(text) as { problems: FrontendProblem[] }).problems;
  }

  private call(method: string, path: string, body?: unknown): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const req = request({ ...this.place, path, method, headers }, (res) => {
        const parts: Buffer[] = [];
        res.on('data', (part: Buffer) => parts.push(part));
        res.on('end', () => {
          const text = Buffer.concat(parts).toString();
          if (res.statusCode !== undefined && res.statusCode < 300) resolve(text);
          else reject(new DataplaneError(`dataplane answered ${res.statusCode}: ${text}`));
        });
      });
      req.on('error', (cause) => {
        reject(this.failure(cause));
      });
      req.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  private failure(cause: Error): DataplaneError {
    return new DataplaneError(`dataplane ${this.socketPath}: ${cause.message}`, { cause });
  }
}
