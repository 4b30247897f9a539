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
/** Bytes of all documents that are kept; above, those that were asked for first are read again. */
export const KEPT_LIMIT = 4 * LIMIT;
/**
 * No document of kinds is so deep or so wide, which upstream does not ask: what goes through one below here calls itself, and what
 * puts several together goes through a map in one go.
 */
const LIMITS = { depth: 1000, width: 20_000 };

export const isJsonObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Read {
  readonly document: Json;
  /** Of the document as it was sent. */
  readonly bytes: number;
}

interface Kept {
  readonly answer: Promise<Read | undefined>;
  /** Zero until it was read. */
  bytes: number;
  forget(): void;
}

/** Discovery and OpenAPI documents of extension API servers, read when asked for and believed for a while. */
export class RemoteDocuments {
  /** Those that were asked for first, first. */
  private readonly kept = new Map<string, Kept>();
  /** The edition of the APIServices at which these were read. */
  private edition = -1;

  constructor(
    private readonly services: Pick<ServerServices, 'clock' | 'signal' | 'logger'>,
    private readonly apis: Pick<ApiServices, 'version'>,
    private readonly servers: Pick<ExtensionServers, 'locate' | 'exchange'>,
  ) {}

  /** Bytes of the documents that are kept, as they were sent; never over {@link KEPT_LIMIT}. */
  get keptBytes(): number {
    return [...this.kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** JSON at a path of the server; undefined when it is not to be had. */
  async get(
    remote: RemoteApi,
    path: string,
    accept = 'application/json',
  ): Promise<Json | undefined> {
    if (this.edition !== this.apis.version) this.forgetAll();
    if (!remote.isAvailable) return undefined;
    const id = `${remote.service.namespace}/${remote.service.name}:${remote.service.port}${path} ${accept}`;
    const known = this.kept.get(id) ?? this.keep(id, this.read(remote, path, accept));
    return (await known.answer)?.document;
  }

  private forgetAll(): void {
    this.edition = this.apis.version;
    for (const one of this.kept.values()) one.forget();
  }

  /** For a while from now, where it is to be had. */
  private keep(id: string, answer: Promise<Read | undefined>): Kept {
    const cancel = this.services.clock.after(
      FRESH_MS,
      () => {
        kept.forget();
      },
      { unref: true },
    );
    const forget = (): void => {
      cancel();
      if (this.kept.get(id) === kept) this.kept.delete(id);
    };
    const kept: Kept = { answer, bytes: 0, forget };
    this.kept.set(id, kept);
    void answer.then((read) => {
      kept.bytes = read?.bytes ?? 0;
      if (read) this.makeRoom();
      else forget();
    });
    return kept;
  }

  private makeRoom(): void {
    let bytes = this.keptBytes;
    for (const one of this.kept.values()) {
      if (bytes <= KEPT_LIMIT) return;
      if (one.bytes > 0) one.forget();
      bytes -= one.bytes;
    }
  }

  private async read(remote: RemoteApi, path: string, accept: string): Promise<Read | undefined> {
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
      const parsed = await inTurns(parseJsonSteps(Buffer.concat(chunks), LIMITS));
      return isJsonObject(parsed) ? { document: parsed, bytes: size } : undefined;
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
