import { stringifySteps } from '@orrery/apimachinery';
import { Turns, inTurns } from '@orrery/component';

/** Rows or items of a document, each made when its turn comes. */
export interface LongList<T> {
  readonly items: readonly T[];
  readonly toItem: (item: T) => object;
  /** What a large item takes beforehand, in steps; what it is made into is written in steps, too. Undefined = it is small. */
  readonly unread?: (item: T) => Iterator<unknown, unknown> | undefined;
}

/** An item of which it takes long to make JSON. */
async function largeItem<T>(
  { toItem }: LongList<T>,
  item: T,
  unread: Iterator<unknown, unknown>,
): Promise<string> {
  await inTurns(unread);
  return (await inTurns(stringifySteps(toItem(item)))) ?? '';
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
  list: LongList<T>,
  pretty = false,
): Promise<Buffer[]> {
  const { items, toItem } = list;
  const space = pretty ? 2 : undefined;
  const whole = JSON.stringify({ ...document, [field]: [] }, undefined, space);
  if (items.length === 0) return [Buffer.from(pretty ? `${whole}\n` : whole)];
  const end = pretty ? ']\n}' : ']}';
  const chunks = [Buffer.from(whole.slice(0, -end.length))];
  const turns = new Turns();
  let separator = '';
  for (const one of items) {
    const unread = pretty ? undefined : list.unread?.(one);
    const text = unread
      ? await largeItem(list, one, unread)
      : JSON.stringify(toItem(one), undefined, space);
    const item = pretty ? `${INDENT}${text.replaceAll('\n', INDENT)}` : text;
    chunks.push(Buffer.from(`${separator}${item}`));
    separator = ',';
    if (turns.isOver) await turns.next();
  }
  chunks.push(Buffer.from(pretty ? `\n  ${end}\n` : end));
  return chunks;
}
