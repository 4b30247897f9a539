const [QUOTE, BACKSLASH, OPEN, CLOSE, COMMA] = [0x22, 0x5c, 0x7b, 0x7d, 0x2c];
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d];

/** How our servers and upstream's begin an event, up to the fields of its object's metadata. */
const HEAD = /^\{"type":"[A-Z]+","object":\{(?:"(?:kind|apiVersion)":"[^"\\]*",){0,2}"metadata":\{/;
/** Quotes within a string are escaped, so these bytes are a field wherever they are. */
const FIELD = '"managedFields":[';

/** Index of the closing quote of the string that opens at `at`; the length of the text where it is cut off. */
function endOfString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === BACKSLASH) i++;
    else if (c === QUOTE) return i;
  }
  return text.length;
}

/** How many objects and lists are open at `to`, counted from `from`; -1 = one was closed that was open before. */
function depthAt(text: string, from: number, to: number): number {
  let depth = 0;
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = endOfString(text, i);
    else if (c === OPEN || c === OPEN_LIST) depth++;
    else if ((c === CLOSE || c === CLOSE_LIST) && --depth < 0) return depth;
  }
  return depth;
}

/** Index behind the list that opens at `at`. */
function endOfList(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = endOfString(text, i);
    else if (c === OPEN || c === OPEN_LIST) depth++;
    else if ((c === CLOSE || c === CLOSE_LIST) && --depth === 0) return i + 1;
  }
  return text.length;
}

/**
 * The line of a watch without its object's metadata.managedFields, which is half of many objects: what is not parsed costs neither time
 * nor garbage. A line in another form than servers write comes back as it is.
 */
export function withoutManagedFields(line: string): string {
  const head = HEAD.exec(line);
  if (!head) return line;
  const [{ length: start }] = head;
  const field = line.indexOf(FIELD, start);
  if (field < 0 || depthAt(line, start, field) !== 0) return line;
  let from = field;
  let to = endOfList(line, field + FIELD.length - 1);
  if (line.charCodeAt(to) === COMMA) to++;
  else if (line.charCodeAt(from - 1) === COMMA) from--;
  return line.slice(0, from) + line.slice(to);
}
