// Says where two answers of servers of the same version differ: code, headers, and every value of the body (not its keys' order).

const HEADERS = ['content-type', 'cache-control', 'warning', 'retry-after', 'location', 'allow'];
const TIME = /"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"/g;
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Without what each server makes up itself. */
const neutral = (text) =>
  text
    .replaceAll(TIME, '"TIME"')
    .replaceAll(UID, 'UID')
    .replaceAll(/127\.\d+\.30\.\d+/g, 'HOST')
    .replaceAll(/("resourceVersion": ?)"\d+"/g, '$1"RV"')
    .replaceAll(/("continue": ?)"[^"]+"/g, '$1"CONTINUE"')
    .replaceAll(/("hash": ?)"[^"]+"/g, '$1"HASH"')
    .replaceAll(/(Bad_|a{58})[a-z0-9]{5}/g, '$1RANDOM')
    .replaceAll(/,\s*"storageVersionHash": ?"[^"]+"/g, '');

/** Two values from shortly before the place where they part. */
function fromWhereTheyPart(ours, theirs) {
  const texts = [ours, theirs].map((value) => JSON.stringify(value) ?? 'undefined');
  const [a, b] = texts;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const from = Math.max(0, at - 60);
  return texts.map((text) => `${from > 0 ? '…' : ''}${shorten(text.slice(from), 400)}`).join(' | ');
}

function* differencesOf(ours, theirs, at = '') {
  const areObjects = [ours, theirs].every((one) => typeof one === 'object' && one !== null);
  if (areObjects && Array.isArray(ours) === Array.isArray(theirs)) {
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)]))
      yield* differencesOf(ours[key], theirs[key], at === '' ? key : `${at}.${key}`);
  } else if (JSON.stringify(ours) !== JSON.stringify(theirs)) {
    yield `${at}: ${fromWhereTheyPart(ours, theirs)}`;
  }
}

const shorten = (text, most = 900) =>
  text.length > most ? `${text.slice(0, most)} … (${text.length})` : text;

/** Several documents, one to a line (a watch), or one. */
function documentsOf(text) {
  try {
    return [JSON.parse(text)];
  } catch {
    try {
      return text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    } catch {
      return undefined;
    }
  }
}

/** Upstream reports of a map's entries in no order: causes of one refusal are a set. */
function withSortedCauses(document) {
  const causes = document?.details?.causes;
  if (!(causes?.length > 1)) return document;
  const sorted = causes.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const message = document.message.replace(/ is invalid: \[[^]*/, ' is invalid: […]');
  return { ...document, message, details: { ...document.details, causes: sorted } };
}

function* bodyDifferences(ours, theirs) {
  const [a, b] = [neutral(ours), neutral(theirs)];
  if (a === b) return;
  const documents = [documentsOf(a), documentsOf(b)];
  if (documents.includes(undefined)) {
    yield `ours: ${shorten(a)}\n    upstream: ${shorten(b)}`;
    return;
  }
  const found = [...differencesOf(...documents.map((some) => some.map(withSortedCauses)))];
  for (const one of found.slice(0, 6)) yield one.replace(/^0\./, '');
}

/** One text for what differs; undefined when the answers are alike. */
export function exactDifference(ours, theirs) {
  const found = [];
  if (ours.status !== theirs.status) found.push(`code: ${ours.status} | ${theirs.status}`);
  for (const name of HEADERS) {
    const [a, b] = [ours, theirs].map(({ headers }) => neutral(`"${headers[name] ?? ''}"`));
    if (a !== b) found.push(`${name}: ${shorten(a)} | ${shorten(b)}`);
  }
  if (!ours.headers['audit-id'] !== !theirs.headers['audit-id']) found.push('audit-id');
  found.push(...bodyDifferences(ours.text, theirs.text));
  return found.length > 0 ? found.join('\n    ') : undefined;
}
