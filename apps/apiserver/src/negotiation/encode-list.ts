import { Turns } from '@orrery/component';

/** Rows or items of a document, each made when its turn comes. */
export interface LongList<T> {
  readonly items: readonly T[];
  readonly toItem: (item: T) => object;
}

/** Behind each line of an item in a document for people. */
const INDENT = '\n    ';

/**
 * A document whose last field is a long list, as JSON in pieces: others have their turn between its items. `document` holds
 * everything but the list.
 */
export async function encodeListJson<T>(
  document: object,
  field: string,
  { items, toItem }: LongList<T>,
  pretty = false,
): Promise<Buffer[]> {
  const space = pretty ? 2 : undefined;
  const whole = JSON.stringify({ ...document, [field]: [] }, undefined, space);
  if (items.length === 0) return [Buffer.from(pretty ? `${whole}\n` : whole)];
  const end = pretty ? ']\n}' : ']}';
  const chunks = [Buffer.from(whole.slice(0, -end.length))];
  const turns = new Turns();
  let separator = '';
  for (const one of items) {
    const text = JSON.stringify(toItem(one), undefined, space);
    const item = pretty ? `${INDENT}${text.replaceAll('\n', INDENT)}` : text;
    chunks.push(Buffer.from(`${separator}${item}`));
    separator = ',';
    if (turns.isOver) await turns.next();
  }
  chunks.push(Buffer.from(pretty ? `\n  ${end}\n` : end));
  return chunks;
}
