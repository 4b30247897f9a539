import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Logger } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import type { RemoteApi } from './api-services.js';
import type { ExtensionServers } from './extension-server.js';
import { KEPT_LIMIT, RemoteDocuments } from './remote-documents.js';

const MEGABYTE = 1024 * 1024;
type Backend = Awaited<ReturnType<ExtensionServers['locate']>>;

const FRESH_MS = 30_000;

/** A clock whose time passes only by `pass`. */
class ManualClock extends SystemClock {
  #now = 0;
  #timers: { at: number; callback: () => void }[] = [];

  override monotonic(): number {
    return this.#now;
  }

  override after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  pass(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { callback } of due) callback();
  }
}

const remoteOf = (name: string, isAvailable = true): RemoteApi => ({
  name: `v1.${name}`,
  group: name,
  version: 'v1',
  spec: { groupPriorityMinimum: 1, versionPriority: 1 },
  service: { name, namespace: 'default', port: 443 },
  isAvailable,
});

let clock: ManualClock;
let apis: { version: number };
/** Bytes of the document that the servers answer with, and what they say in it. */
let size: number;
let word: string;

function documentsOf(): RemoteDocuments {
  const answerOf = (): IncomingMessage => {
    const body = Buffer.alloc(size, 'x');
    body.write(`{"word":"${word}`);
    body.write('"}', size - 2);
    return Object.assign(Readable.from([body]), { statusCode: 200 }) as IncomingMessage;
  };
  const servers = {
    locate: () => Promise.resolve({ address: '127.0.0.1', port: 1 } as Backend),
    exchange: () => Promise.resolve(answerOf()),
  };
  const logger = { debug: () => undefined } as unknown as Logger;
  const { signal } = new AbortController();
  return new RemoteDocuments({ clock, logger, signal }, apis, servers);
}

/** The first letter that a server's document says. */
async function wordOf(documents: RemoteDocuments, name: string): Promise<string> {
  const document = await documents.get(remoteOf(name), '/x');
  return String(document?.['word']).slice(0, 1);
}

beforeEach(() => {
  clock = new ManualClock();
  apis = { version: 1 };
  [size, word] = [MEGABYTE, 'a'];
});

describe('RemoteDocuments', () => {
  it('believes a document for a while, and only as long as no APIService changes', async () => {
    const documents = documentsOf();
    expect(await wordOf(documents, 'one')).toBe('a');
    word = 'b';
    expect(await wordOf(documents, 'one')).toBe('a');
    apis.version += 1;
    expect(await wordOf(documents, 'one')).toBe('b');
    word = 'c';
    clock.pass(FRESH_MS);
    expect(await wordOf(documents, 'one')).toBe('c');
  });

  it('keeps nothing of what is no longer believed, though nobody asks', async () => {
    const documents = documentsOf();
    await documents.get(remoteOf('one'), '/x');
    expect(documents.keptBytes).toBe(MEGABYTE);
    clock.pass(FRESH_MS);
    expect(documents.keptBytes).toBe(0);
  });

  it('keeps nothing of APIServices that were changed', async () => {
    const documents = documentsOf();
    await documents.get(remoteOf('one'), '/x');
    apis.version += 1;
    await documents.get(remoteOf('two', false), '/x');
    expect(documents.keptBytes).toBe(0);
  });

  it('keeps so many bytes at most, those that were read last', async () => {
    size = 10 * MEGABYTE;
    const documents = documentsOf();
    for (let i = 0; i < 10; i++) await documents.get(remoteOf(`r${i}`), '/x');
    expect(documents.keptBytes).toBeLessThanOrEqual(KEPT_LIMIT);
    expect(documents.keptBytes).toBeGreaterThan(KEPT_LIMIT - size);
    word = 'b';
    expect(await wordOf(documents, 'r9')).toBe('a');
    expect(await wordOf(documents, 'r0')).toBe('b');
  });

  it('does not keep that a document was not to be had', async () => {
    const documents = documentsOf();
    size = 17 * MEGABYTE;
    expect(await documents.get(remoteOf('one'), '/x')).toBeUndefined();
    expect(documents.keptBytes).toBe(0);
    size = MEGABYTE;
    expect(await wordOf(documents, 'one')).toBe('a');
  });
});
