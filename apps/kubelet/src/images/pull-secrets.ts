import type { Secret } from '@orrery/api';

/** What a registry is told of who pulls. */
export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

/** With the secret that they are from. */
export interface PullCredentials extends RegistryCredentials {
  readonly secret: { readonly uid: string; readonly namespace: string; readonly name: string };
}

interface Entry {
  readonly host: string;
  readonly path: string;
  readonly credentials: RegistryCredentials;
}

const CONFIG_KEYS = ['.dockerconfigjson', '.dockercfg'] as const;
const DEFAULT_REGISTRY = 'index.docker.io';

type Plain = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textIn = (map: Plain, name: string): string => {
  const value = map[name];
  return typeof value === 'string' ? value : '';
};

function credentialsOf(entry: Plain): RegistryCredentials {
  const auth = Buffer.from(textIn(entry, 'auth'), 'base64').toString('utf8');
  const colon = auth.indexOf(':');
  return colon < 0
    ? { username: textIn(entry, 'username'), password: textIn(entry, 'password') }
    : { username: auth.slice(0, colon), password: auth.slice(colon + 1).replace(/\0+$/, '') };
}

/** `https://host:port/v1/path` and its shorter forms (k8s pkg/credentialprovider/keyring.go:Add). */
function entryOf(key: string, value: unknown): Entry[] {
  if (!isPlain(value)) return [];
  const [host = '', ...rest] = key.replace(/^https?:\/\//, '').split('/');
  const path = rest.join('/').replace(/^v[12](?:\/|$)/, '');
  return [{ host, path: path.replace(/\/$/, ''), credentials: credentialsOf(value) }];
}

function entriesOf({ data = {} }: Secret): Entry[] {
  for (const key of CONFIG_KEYS) {
    const text = data[key];
    if (text === undefined) continue;
    const plain = parse(Buffer.from(text, 'base64').toString('utf8'));
    const auths = key === '.dockercfg' ? plain : plain?.['auths'];
    if (isPlain(auths)) return Object.entries(auths).flatMap(([name, one]) => entryOf(name, one));
  }
  return [];
}

function parse(text: string): Plain | undefined {
  try {
    const plain: unknown = JSON.parse(text);
    return isPlain(plain) ? plain : undefined;
  } catch {
    return undefined;
  }
}

/** `*` in a part of a key's host stands for any text. Takes time in proportion to the text, whatever a Secret says. */
function samePart(pattern: string, part: string): boolean {
  const [head = '', ...pieces] = pattern.split('*');
  const tail = pieces.pop();
  if (tail === undefined) return part === head;
  if (part.length < head.length + tail.length || !part.startsWith(head) || !part.endsWith(tail))
    return false;
  const middle = part.slice(head.length, part.length - tail.length);
  let at = 0;
  for (const piece of pieces) {
    const found = middle.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return true;
}

function sameHost(pattern: string, host: string): boolean {
  const [patterns, parts] = [pattern.split('.'), host.split('.')];
  return (
    patterns.length === parts.length && patterns.every((one, i) => samePart(one, parts[i] ?? ''))
  );
}

/** Registry and repository of an image's name. */
function placeOf(image: string): { host: string; path: string } {
  const [first = '', ...rest] = image.split('/');
  const named = rest.length > 0 && /[.:]|^localhost$/.test(first);
  if (named && first !== 'docker.io') return { host: first, path: rest.join('/') };
  return { host: DEFAULT_REGISTRY, path: named ? rest.join('/') : image };
}

const originOf = ({ metadata }: Secret): Pick<PullCredentials, 'secret'> => ({
  secret: {
    uid: metadata.uid ?? '',
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
  },
});

/**
 * The credentials that fit an image, those of the longest path first; none when no secret names its registry
 * (k8s pkg/credentialprovider/keyring.go:Lookup).
 */
export function credentialsFor(image: string, secrets: readonly Secret[]): PullCredentials[] {
  const { host, path } = placeOf(image);
  const fits = (entry: Entry): boolean => {
    const wanted = entry.host === 'docker.io' ? DEFAULT_REGISTRY : entry.host;
    return sameHost(wanted, host) && path.startsWith(entry.path);
  };
  return secrets
    .flatMap((secret) => entriesOf(secret).map((entry) => ({ ...entry, ...originOf(secret) })))
    .filter(fits)
    .sort((a, b) => b.path.length - a.path.length)
    .map(({ credentials, secret }) => ({ ...credentials, secret }));
}
