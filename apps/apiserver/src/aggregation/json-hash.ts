import { createHash } from 'node:crypto';
import { Turns } from '@orrery/component';

/** Bytes that are hashed in one go. */
const SLICE = 256 * 1024;

/** SHA-512 in capitals, as the hashes of discovery and OpenAPI documents are written; of large ones in turns with others. */
export async function jsonHash(text: Buffer): Promise<string> {
  const hash = createHash('sha512');
  const turns = new Turns();
  for (let at = 0; at < text.length; at += SLICE) {
    hash.update(text.subarray(at, at + SLICE));
    if (turns.isOver) await turns.next();
  }
  return hash.digest('hex').toUpperCase();
}
