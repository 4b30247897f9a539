import { parseJsonSteps } from '@orrery/apimachinery';
import { inTurns } from '@orrery/component';
import type { ServerServices } from '../extensions.js';
import type { ApiServices, RemoteApi } from './api-services.js';
import type { ExtensionServers } from './extension-server.js';
import { AGGREGATOR, remoteUserHeaders } from './extension-server.js';

type Json = Record<string, unknown>;

const FRESH_MS = 30_000;
const TIMEOUT_MS = 5000;
const LIMIT = 16 * 1024 * 1024;
/** No document of a kind is so deep; what goes through one below here calls itself. */
const MAX_DEPTH = 1000;

export const isJsonObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Kept {
  readonly document: Json | undefined;
  readonly at: number;
  /** The edition of the APIServices at which it was read. */
  readonly edition: number;
}

/** Discovery and OpenAPI documents of extension API servers, read when asked for and believed for a while. */
export class RemoteDocuments {
  private readonly kept = new Map<string, Promise<Kept>>();

  constructor(
    private readonly services: ServerServices,
    private readonly apis: ApiServices,
    private readonly servers: ExtensionServers,
  ) {}

  /** JSON at a path of the server; undefined when it is not to be had. */
  async get(
    remote: RemoteApi,
    path: string,
    accept = 'application/json',
  ): Promise<Json | undefined> {
    if (!remote.isAvailable) return undefined;
    const id = `${remote.service.namespace}/${remote.service.name}:${remote.service.port}${path} ${accept}`;
    const known = await this.kept.get(id);
    const now = this.services.clock.monotonic();
    const isFresh =
      known && known.edition === this.apis.version && now - known.at < FRESH_MS && known.document;
    if (isFresh) return known.document;
    const reading = this.read(remote, path, accept).then((document) => ({
      document,
      at: now,
      edition: this.apis.version,
    }));
    this.kept.set(id, reading);
    return (await reading).document;
  }

  private async read(remote: RemoteApi, path: string, accept: string): Promise<Json | undefined> {
    const signal = AbortSignal.any([this.services.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const backend = await this.servers.locate(remote);
      const answer = await this.servers.exchange(backend, {
        method: 'GET',
        path,
        headers: {
          ...remoteUserHeaders(AGGREGATOR),
          accept,
          host: `${backend.address}:${backend.port}`,
        },
        signal,
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > LIMIT) return undefined;
        chunks.push(chunk);
      }
      if (answer.statusCode !== 200) return undefined;
      const parsed = await inTurns(parseJsonSteps(Buffer.concat(chunks), MAX_DEPTH));
      return isJsonObject(parsed) ? parsed : undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.services.logger.debug('document of an extension server cannot be read', {
        key: remote.name,
        reason,
      });
      return undefined;
    }
  }
}
