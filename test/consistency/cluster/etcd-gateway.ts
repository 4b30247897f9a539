import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:http';

type Json = Readonly<Record<string, unknown>>;

/** A put or a deletion as etcd's gateway writes it. */
export interface GatewayEvent {
  readonly key: string;
  readonly revision: number;
  readonly createRevision: number;
  readonly isDelete: boolean;
  readonly value: Buffer;
}

export interface GatewayWatchResponse {
  /** Revision of the store when the response was made. */
  readonly revision: number;
  readonly events: readonly GatewayEvent[];
  readonly isCreated: boolean;
  /** Set when the watch ended since its start was compacted. */
  readonly compactRevision?: number;
  readonly isCanceled: boolean;
}

export interface MemberStatus {
  readonly memberId: string;
  readonly leaderId: string;
  readonly revision: number;
  readonly term: number;
  readonly version: string;
  readonly dbSize: number;
}

const toBase64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null;

function fieldOf(value: unknown, name: string): unknown {
  return isJson(value) ? value[name] : undefined;
}

/** Numbers of 64 bits come as texts. */
function textOf(value: unknown, name: string): string {
  const text = fieldOf(value, name);
  return typeof text === 'string' ? text : '';
}

/** The key after the last one with this prefix. */
export function prefixEnd(prefix: string): string {
  const bytes = Buffer.from(prefix, 'utf8');
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) + 1;
  return bytes.toString('latin1');
}

/**
 * etcd by its own JSON gateway and Node's http alone: the harness's hands and eyes, which share no code with the storage
 * under test.
 */
export class EtcdGateway {
  constructor(readonly endpoint: string) {}

  async status(timeoutMs = 1000): Promise<MemberStatus> {
    const answer = await this.post('/v3/maintenance/status', {}, timeoutMs);
    const header = fieldOf(answer, 'header');
    return {
      memberId: textOf(header, 'member_id'),
      leaderId: textOf(answer, 'leader'),
      revision: Number(fieldOf(header, 'revision')),
      term: Number(fieldOf(answer, 'raftTerm')),
      version: textOf(answer, 'version'),
      dbSize: Number(fieldOf(answer, 'dbSize')),
    };
  }

  /** The store's revision by a linearizable read. */
  async revision(timeoutMs = 5000): Promise<number> {
    const answer = await this.post('/v3/kv/range', { key: toBase64('/'), limit: '1' }, timeoutMs);
    return Number(fieldOf(fieldOf(answer, 'header'), 'revision'));
  }

  /** All keys with a prefix, at the revision of the answer. */
  async list(prefix: string): Promise<{ revision: number; events: readonly GatewayEvent[] }> {
    const body = { key: toBase64(prefix), range_end: toBase64(prefixEnd(prefix)) };
    const answer = await this.post('/v3/kv/range', body, 10_000);
    const kvs = fieldOf(answer, 'kvs');
    return {
      revision: Number(fieldOf(fieldOf(answer, 'header'), 'revision')),
      events: Array.isArray(kvs) ? kvs.map((kv) => toEvent({ kv })) : [],
    };
  }

  /** Answers the revision of the write. */
  async put(key: string, value: string | Buffer, timeoutMs = 5000): Promise<number> {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    const body = { key: toBase64(key), value: bytes.toString('base64') };
    const answer = await this.post('/v3/kv/put', body, timeoutMs);
    return Number(fieldOf(fieldOf(answer, 'header'), 'revision'));
  }

  async deletePrefix(prefix: string): Promise<void> {
    const body = { key: toBase64(prefix), range_end: toBase64(prefixEnd(prefix)) };
    await this.post('/v3/kv/deleterange', body, 5000);
  }

  async compact(revision: number, physical = false): Promise<void> {
    await this.post('/v3/kv/compaction', { revision: String(revision), physical }, 5000);
  }

  async defragment(): Promise<void> {
    await this.post('/v3/maintenance/defragment', {}, 20_000);
  }

  /** Members with a raised alarm. */
  async alarms(): Promise<readonly string[]> {
    const answer = await this.post('/v3/maintenance/alarm', { action: 'GET' }, 5000);
    const alarms = fieldOf(answer, 'alarms');
    return Array.isArray(alarms) ? alarms.map((alarm) => textOf(alarm, 'memberID')) : [];
  }

  /** Takes back NOSPACE of one member: a disarm without a member leaves those of others. */
  async disarm(memberId: string): Promise<void> {
    const body = { action: 'DEACTIVATE', memberID: memberId, alarm: 'NOSPACE' };
    await this.post('/v3/maintenance/alarm', body, 5000);
  }

  /** Ids of the members by their peer URLs. */
  async memberIds(): Promise<ReadonlyMap<string, string>> {
    const answer = await this.post('/v3/cluster/member/list', {}, 5000);
    const members = fieldOf(answer, 'members');
    const ids = new Map<string, string>();
    for (const member of Array.isArray(members) ? members : []) {
      const urls = fieldOf(member, 'peerURLs');
      for (const url of Array.isArray(urls) ? urls : []) ids.set(String(url), textOf(member, 'ID'));
    }
    return ids;
  }

  /** Watches all keys from `/` to `0`; the result ends it. `onEnd` is called once, however it ended. */
  watch(
    startRevision: number,
    onResponse: (response: GatewayWatchResponse) => void,
    onEnd: () => void,
  ): GatewayWatch {
    const create = {
      key: toBase64('/'),
      range_end: toBase64('0'),
      start_revision: String(startRevision),
    };
    const outgoing = this.open('/v3/watch');
    const watch = new GatewayWatch(outgoing, onResponse, onEnd);
    outgoing.write(`${JSON.stringify({ create_request: create })}\n`);
    return watch;
  }

  private open(path: string): ClientRequest {
    return request(new URL(path, this.endpoint), {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'grpc-metadata-hasleader': 'true' },
    });
  }

  private post(path: string, body: Json, timeoutMs: number): Promise<Json> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.endpoint),
        { method: 'POST', agent: false, signal: AbortSignal.timeout(timeoutMs) },
        (response) => {
          readAll(response).then((text) => {
            if (response.statusCode === 200) resolve(JSON.parse(text) as Json);
            else reject(new Error(`etcd ${path}: ${response.statusCode} ${text.slice(0, 200)}`));
          }, reject);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify(body));
    });
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** An open watch of the gateway: JSON lines in both directions. */
export class GatewayWatch {
  private rest = '';
  private isOver = false;

  constructor(
    private readonly outgoing: ClientRequest,
    private readonly onResponse: (response: GatewayWatchResponse) => void,
    private readonly onEnd: () => void,
  ) {
    outgoing.on('error', () => this.end());
    outgoing.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('data', (text: string) => this.read(text));
      response.on('error', () => this.end());
      response.on('close', () => this.end());
    });
  }

  /** Asks for a progress notification (etcd >= 3.4). */
  requestProgress(): void {
    if (!this.isOver) this.outgoing.write('{"progress_request":{}}\n');
  }

  close(): void {
    this.outgoing.destroy();
    this.end();
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.outgoing.destroy();
    this.onEnd();
  }

  private read(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      if (this.isOver || line === '') continue;
      const result = fieldOf(JSON.parse(line), 'result');
      if (result === undefined) this.end();
      else this.onResponse(toResponse(result));
    }
  }
}

function toResponse(result: unknown): GatewayWatchResponse {
  const events = fieldOf(result, 'events');
  const compacted = Number(fieldOf(result, 'compact_revision') ?? 0);
  return {
    revision: Number(fieldOf(fieldOf(result, 'header'), 'revision')),
    events: Array.isArray(events) ? events.map(toEvent) : [],
    isCreated: fieldOf(result, 'created') === true,
    isCanceled: fieldOf(result, 'canceled') === true,
    ...(compacted > 0 ? { compactRevision: compacted } : {}),
  };
}

function toEvent(event: unknown): GatewayEvent {
  const kv = fieldOf(event, 'kv');
  return {
    key: Buffer.from(textOf(kv, 'key'), 'base64').toString('utf8'),
    revision: Number(fieldOf(kv, 'mod_revision')),
    createRevision: Number(fieldOf(kv, 'create_revision') ?? 0),
    isDelete: fieldOf(event, 'type') === 'DELETE',
    value: Buffer.from(textOf(kv, 'value'), 'base64'),
  };
}
