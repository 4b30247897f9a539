import { request } from 'node:http';
import type { FrontendProblem, RuleChanges, RuleSet } from '@orrery/dataplane';

/** The dataplane does not answer, or does not know this node's rules: they must be sent whole, later. */
export class DataplaneError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DataplaneError';
  }
}

/** The control socket of the host's dataplane. */
export class DataplaneClient {
  constructor(private readonly socketPath: string) {}

  replace(set: RuleSet): Promise<readonly FrontendProblem[]> {
    const { node, sources, rules } = set;
    return this.send('PUT', node, { sources, rules });
  }

  change(node: string, changes: RuleChanges): Promise<readonly FrontendProblem[]> {
    return this.send('PATCH', node, changes);
  }

  /** Resolves when the dataplane that answers now has gone; rejects when none answers. `connected` is called in between. */
  untilGone(connected: () => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const req = request({ socketPath: this.socketPath, path: '/alive', signal }, (res) => {
        connected();
        res.on('error', () => undefined);
        res.on('close', () => {
          resolve();
        });
        res.resume();
      });
      req.on('error', (cause) => {
        reject(new DataplaneError(`dataplane ${this.socketPath}: ${cause.message}`, { cause }));
      });
      req.end();
    });
  }

  private send(method: string, node: string, body: unknown): Promise<readonly FrontendProblem[]> {
    return new Promise((resolve, reject) => {
      const path = `/nodes/${encodeURIComponent(node)}/rules`;
      const headers = { 'content-type': 'application/json' };
      const req = request({ socketPath: this.socketPath, path, method, headers }, (res) => {
        const parts: Buffer[] = [];
        res.on('data', (part: Buffer) => parts.push(part));
        res.on('end', () => {
          const text = Buffer.concat(parts).toString();
          if (res.statusCode === 200)
            resolve((JSON.parse(text) as { problems: FrontendProblem[] }).problems);
          else reject(new DataplaneError(`dataplane answered ${res.statusCode}: ${text}`));
        });
      });
      req.on('error', (cause) => {
        reject(new DataplaneError(`dataplane ${this.socketPath}: ${cause.message}`, { cause }));
      });
      req.end(JSON.stringify(body));
    });
  }
}
