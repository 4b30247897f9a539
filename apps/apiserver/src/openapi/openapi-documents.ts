import { createHash } from 'node:crypto';
import type { Steps } from '@orrery/apimachinery';
import { inTurns } from '@orrery/component';

/** What is sent, and its hash. */
export interface Document {
  readonly chunks: readonly Buffer[];
  readonly hash: string;
}

/** Bytes of a document that are kept, hashed and sent in one. */
const CHUNK = 256 * 1024;

/** Puts pieces together. */
export function* hashSteps(made: Steps<Buffer[]>): Steps<Document> {
  const pieces = yield* made;
  const hash = createHash('sha512');
  const chunks: Buffer[] = [];
  let [waiting, size]: [Buffer[], number] = [[], 0];
  for (const [i, piece] of pieces.entries()) {
    waiting.push(piece);
    size += piece.length;
    if (size < CHUNK && i < pieces.length - 1) continue;
    const chunk = Buffer.concat(waiting, size);
    hash.update(chunk);
    chunks.push(chunk);
    [waiting, size] = [[], 0];
    yield;
  }
  return { chunks, hash: hash.digest('hex').toUpperCase() };
}

/** Editions of one document that are kept: the live one, and those of past and forked clusters. */
const EDITIONS = 4;

/** Bytes of all documents that are kept: those of built-in groups have 8 MiB, those of a definition of usual size 100 kB. */
const KEPT_LIMIT = 256 * 1024 * 1024;

interface Kept {
  readonly id: string;
  readonly document: Promise<Document>;
  /** Zero until it is made. */
  bytes: number;
}

/**
 * Documents that were made, by what they describe and of which edition of it; all logical clusters of a server share one. What
 * is not asked for any more, such as those of groups that are gone, leaves when others need the room.
 */
export class OpenApiDocuments {
  /** By id and edition; those that were asked for last, last. */
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly limit = KEPT_LIMIT) {}

  /** Bytes of the documents that are kept. */
  get keptBytes(): number {
    return [...this.kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The document `id` of an edition of the API; whoever asks while it is made waits for it. */
  get(id: string, edition: string, make: () => Steps<Buffer[]>): Promise<Document> {
    const key = keyOf(id, edition);
    const known = this.kept.get(key);
    const found = known ?? { id, document: inTurns(hashSteps(make())), bytes: 0 };
    this.kept.delete(key);
    this.kept.set(key, found);
    if (!known) this.made(key, found);
    return found.document;
  }

  /** Forgets a document that was made while the API changed. */
  drop(id: string, edition: string): void {
    this.kept.delete(keyOf(id, edition));
  }

  private made(key: string, { id, document }: Kept): void {
    const editions = [...this.kept].filter(([, one]) => one.id === id);
    for (const [old] of editions.slice(0, -EDITIONS)) this.kept.delete(old);
    document.then(
      ({ chunks }) => {
        const kept = this.kept.get(key);
        if (kept?.document !== document) return;
        kept.bytes = chunks.reduce((sum, { length }) => sum + length, 0);
        this.makeRoom();
      },
      () => this.kept.delete(key),
    );
  }

  private makeRoom(): void {
    let bytes = this.keptBytes;
    for (const [key, one] of this.kept) {
      if (bytes <= this.limit) return;
      if (one.bytes > 0) this.kept.delete(key);
      bytes -= one.bytes;
    }
  }
}

const keyOf = (id: string, edition: string): string => `${id} ${edition}`;
