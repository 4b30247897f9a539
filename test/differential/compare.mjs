// Reduces two answers to what must be alike in 1.20 and 1.36, and says where they differ.

/** Of the newer version, or each server's own. */
const FIELDS_OF_ONE = [
  /^kind$/,
  /^apiVersion$/,
  /^metadata\.(uid|creationTimestamp|resourceVersion|managedFields|selfLink|generation)/,
  /^metadata\.labels\.kubernetes\.io\/metadata\.name$/,
  /^metadata\.annotations\.(container\.)?seccomp\.security/,
  /creationTimestamp$/,
  /^status\.lastPhaseTransitionTime$/,
  /^spec\.(internalTrafficPolicy|ipFamilies|ipFamilyPolicy|clusterIPs?|topologyKeys|allocateLoadBalancerNodePorts)/,
  /[nN]odePort$/,
];

const DECODING =
  /cannot be handled|cannot unmarshal|readObjectStart|decode|quantit|unrecognized type|parsing time|illegal base64/;

/** Go prints values as structs, ours as JSON, as 1.36 does: the text behind the value is what counts. */
function tailOf({ reason, message = '' }) {
  if (reason === 'FieldValueNotSupported')
    return message.split('supported values: ').at(-1).split(', ').sort().join();
  if (reason === 'FieldValueDuplicate') return 'Duplicate value';
  if (reason !== 'FieldValueInvalid') return message.replaceAll(/\n[^]*/g, '');
  const start = message.startsWith('Invalid value: "') ? /[^\\]": /.exec(message) : undefined;
  const at = start ? start.index + start[0].length : message.lastIndexOf(': ') + 2;
  return message.slice(at).replace(/ \(e\.g\..*$/, '');
}

const plain = (text = '') =>
  text
    .replaceAll('characters', 'bytes')
    .replaceAll(/must have at most|must be no more than|may not be more than/g, 'at most')
    .replaceAll(/a{40,}/g, 'LONG')
    .replaceAll(/\[\d+\]/g, '[#]');

/** Code, reason and causes of a refusal, in words that both versions share. */
export function summaryOf({ status, json }) {
  if (status < 300) return { code: status };
  if (status === 400 && DECODING.test(json.message ?? '')) return { code: 400, reason: 'decoding' };
  const causes = (json.details?.causes ?? []).map(
    (cause) => `${cause.reason} ${plain(cause.field)}: ${plain(tailOf(cause))}`,
  );
  return {
    code: status,
    reason: json.reason,
    ...(causes.length > 0
      ? { causes: [...new Set(causes)].sort() }
      : { message: plain(json.message ?? '') }),
    details: [json.details?.name, json.details?.group, json.details?.kind].map((one) =>
      plain(one ?? ''),
    ),
  };
}

/** Where two objects that were accepted differ. */
function* differencesOf(ours, theirs, at = '') {
  if (FIELDS_OF_ONE.some((pattern) => pattern.test(at))) return;
  const areObjects = [ours, theirs].every((one) => typeof one === 'object' && one !== null);
  if (areObjects && Array.isArray(ours) === Array.isArray(theirs)) {
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)]))
      yield* differencesOf(ours[key], theirs[key], at === '' ? key : `${at}.${key}`);
  } else if (JSON.stringify(ours) !== JSON.stringify(theirs)) {
    yield `${at}: ${JSON.stringify(ours)} | ${JSON.stringify(theirs)}`;
  }
}

const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Without what each server makes up itself: uids, and what follows the generateName `g-`. */
const withoutMadeUp = ({ status, json }) => ({
  status,
  json: JSON.parse(
    JSON.stringify(json)
      .replaceAll(UID, 'UID')
      .replaceAll(/"g-[a-z0-9]{5}"/g, '"g-RANDOM"'),
  ),
});

const only = (some, others) => some.filter((one) => !others.includes(one)).join('; ') || '-';

/** One text for what differs; undefined when the answers are alike. */
export function difference(...answers) {
  const [ours, theirs] = answers.map(withoutMadeUp);
  const [a, b] = [summaryOf(ours), summaryOf(theirs)];
  if (JSON.stringify(a) === JSON.stringify(b)) {
    if (a.code >= 300) return undefined;
    const found = [...differencesOf(ours.json, theirs.json)];
    return found.length > 0 ? `accepted: ${found.slice(0, 4).join('; ')}` : undefined;
  }
  if (a.causes && b.causes && a.code === b.code)
    return `ours alone: ${only(a.causes, b.causes)}\n    upstream alone: ${only(b.causes, a.causes)}`;
  return `ours: ${JSON.stringify(a)}\n    upstream: ${JSON.stringify(b)}`;
}

/** The paths of one entry of managedFields. */
function* pathsOf(fields, at = '') {
  const below = Object.entries(fields);
  if (below.length === 0) yield at;
  for (const [key, value] of below) yield* pathsOf(value, `${at} ${key}`);
}

const ownersOf = ({ json }) =>
  (json.metadata.managedFields ?? []).flatMap(({ manager, operation, subresource, fieldsV1 }) =>
    [...pathsOf(fieldsV1)].map((path) =>
      [manager, operation, subresource, path].filter(Boolean).join(' '),
    ),
  );

/** Fields that a new object's writer owns on one side alone. */
export function ownersDifference(...answers) {
  const [ours, theirs] = answers.map(ownersOf);
  const [a, b] = [only(ours, theirs), only(theirs, ours)];
  return a === b ? undefined : `ours alone: ${a}\n    upstream alone: ${b}`;
}
