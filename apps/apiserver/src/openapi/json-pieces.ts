import type { Steps } from '@orrery/apimachinery';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function* write(value: unknown, depth: number, chunks: Buffer[]): Steps<void> {
  if (depth === 0 || !isRecord(value)) {
    chunks.push(Buffer.from(JSON.stringify(value)));
    yield;
    return;
  }
  let before = '{';
  for (const key of Object.keys(value)) {
    if (value[key] === undefined) continue;
    chunks.push(Buffer.from(`${before}${JSON.stringify(key)}:`));
    yield* write(value[key], depth - 1, chunks);
    before = ',';
  }
  chunks.push(Buffer.from(before === '{' ? '{}' : '}'));
}

/** A document as JSON, in pieces and in steps: one for each field of the objects down to `depth` levels below it. */
export function* jsonPieces(document: object, depth: number): Steps<Buffer[]> {
  const chunks: Buffer[] = [];
  yield* write(document, depth, chunks);
  return chunks;
}
