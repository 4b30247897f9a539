import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import {
  DecodeError,
  StatusError,
  decodeJson,
  decodeYaml,
  encodeYaml,
  repeatedKeysOfJson,
} from '@orrery/apimachinery';
import type { DecodedJson, DecodedYaml } from '@orrery/apimachinery';

export interface DecodeJob {
  readonly id: number;
  readonly body: Uint8Array;
  /** The body is JSON, to be written as YAML. */
  readonly isJson?: boolean;
  readonly findRepeated?: boolean;
}

export interface DecodeAnswer {
  readonly id: number;
  readonly json?: string;
  readonly yaml?: string;
  readonly repeated?: readonly string[];
  readonly status?: StatusError['status'];
  readonly refused?: string;
  readonly failed?: string;
}

/** What a body is read as. */
export type Decoded = DecodedYaml;

export interface DecodeHow {
  /** {@link Decoded.repeatedKeys} is wanted. */
  readonly findRepeated?: boolean;
  /** Lets others have their turn. */
  readonly pause?: (() => Promise<void>) | undefined;
}

interface Waiting {
  resolve(answer: DecodeAnswer): void;
  reject(error: Error): void;
}

/** YAML up to this size is decoded at once: to ask another thread would take longer. */
const SMALL_BODY = 16 * 1024;
/** What a thread may need for the tree of one document, which the limits of the decoder keep far below this. */
const THREAD_MEMORY_MB = 512;

/** A thread that decodes and encodes YAML while the event loop goes on. It is started when first needed, and anew when it has died. */
export class YamlThread {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  constructor(private readonly program: URL) {}

  async decode(body: Uint8Array, findRepeated = false): Promise<Decoded> {
    const { json = 'null', repeated = [] } = await this.ask({ body, findRepeated });
    return { value: JSON.parse(json) as unknown, duplicateFields: [], repeatedKeys: repeated };
  }

  /** JSON as YAML. */
  async encode(body: Uint8Array): Promise<Buffer> {
    const { yaml = '' } = await this.ask({ body, isJson: true });
    return Buffer.from(yaml);
  }

  private ask(given: Omit<DecodeJob, 'id'>): Promise<DecodeAnswer> {
    const worker = (this.worker ??= this.start());
    this.last += 1;
    const job: DecodeJob = { id: this.last, ...given };
    return new Promise((resolve, reject) => {
      this.waiting.set(job.id, { resolve, reject });
      worker.ref();
      worker.postMessage(job);
    });
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  private start(): Worker {
    const worker = new Worker(this.program, {
      resourceLimits: { maxOldGenerationSizeMb: THREAD_MEMORY_MB },
    });
    worker.on('message', (answer: DecodeAnswer) => {
      this.settle(answer);
    });
    const end = (error: Error): void => {
      if (this.worker !== worker) return;
      this.worker = undefined;
      for (const each of this.waiting.values()) each.reject(error);
      this.waiting.clear();
    };
    worker.once('error', end);
    worker.once('exit', () => {
      end(new Error('the thread that decodes YAML has ended'));
    });
    return worker;
  }

  private settle(answer: DecodeAnswer): void {
    const { id, status, refused, failed } = answer;
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    // The process may end when nobody waits.
    if (this.waiting.size === 0) this.worker?.unref();
    if (!waiting) return;
    if (status) waiting.reject(StatusError.fromStatus(status));
    else if (refused !== undefined) waiting.reject(new DecodeError(refused));
    else if (failed !== undefined) waiting.reject(new Error(failed));
    else waiting.resolve(answer);
  }
}

/** Lies beside every bundle; sources run without it, and decode on their own thread. */
const program = new URL('./decode-worker.js', import.meta.url);
const thread = existsSync(program) ? new YamlThread(program) : undefined;

/** `decodeYaml`, for large bodies on another thread. JSON in place of YAML is read as what it is. */
export async function decodeYamlAside(
  body: Buffer,
  { findRepeated = false, pause }: DecodeHow = {},
): Promise<Decoded> {
  if (!thread || body.length <= SMALL_BODY) return decodeYaml(body, { findRepeated });
  const json = decodedJson(body);
  if (!json) return thread.decode(body, findRepeated);
  await pause?.();
  return { ...json, repeatedKeys: findRepeated ? repeatedKeysOfJson(body.toString()) : [] };
}

function decodedJson(body: Buffer): DecodedJson | undefined {
  if (!/^\s*\{/.test(body.toString('latin1', 0, 64))) return undefined;
  try {
    return decodeJson(body);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** JSON as YAML, that of a large document made on another thread: a list of thousands takes seconds. */
export async function encodeYamlAside(json: readonly Buffer[]): Promise<Buffer> {
  const body = Buffer.concat(json);
  if (thread && body.length > SMALL_BODY) return thread.encode(body);
  return Buffer.from(encodeYaml(JSON.parse(body.toString())));
}
