import { goJsonError, newBadRequest } from '@orrery/apimachinery';

/** Where a paged list goes on (k8s apiserver pkg/storage/continue.go). */
export interface ContinueToken {
  /** The snapshot's revision; -1 = go on in whatever is current. */
  readonly revision: number;
  /** The key behind which the next page starts, relative to the resource's prefix. */
  readonly after: string;
  /** The logical cluster that the list is of, where it is not the live one: a fork's UID. */
  readonly cluster?: string;
}

export function encodeContinue({ revision, after, cluster }: ContinueToken): string {
  return Buffer.from(
    JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `${after}\u0000`, cluster }),
  ).toString('base64url');
}

const bad = (why: string): Error =>
  newBadRequest(`invalid continue token: continue key is not valid: ${why}`);

/** Reads a token of the given logical cluster. Throws 400 for any other. */
export function decodeContinue(text: string, cluster?: string): ContinueToken {
  const token = parseContinue(text);
  if (token.cluster !== cluster) throw bad('it is of a list of another logical cluster');
  return token;
}

const named = (cluster: unknown): { cluster?: string } =>
  typeof cluster === 'string' ? { cluster } : {};

function parseContinue(text: string): ContinueToken {
  const odd = /[^A-Za-z0-9_-]/.exec(text);
  if (odd) throw bad(`illegal base64 data at input byte ${odd.index}`);
  // What is left behind whole groups of four is too little for a byte.
  if (text.length % 4 === 1) throw bad(`illegal base64 data at input byte ${text.length - 1}`);
  let token: { v?: unknown; rv?: unknown; start?: unknown; cluster?: unknown };
  const bytes = Buffer.from(text, 'base64url');
  try {
    token = JSON.parse(bytes.toString('utf8')) as typeof token;
  } catch (error) {
    throw bad(goJsonError(error, bytes));
  }
  if (typeof token !== 'object' || token === null || token.v !== 'meta.k8s.io/v1') {
    throw bad(`server does not recognize this encoded version ${JSON.stringify(token?.v ?? '')}`);
  }
  if (typeof token.rv !== 'number' || token.rv === 0) {
    throw bad('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof token.start !== 'string' || token.start === '') {
    throw bad('encoded start key empty (version meta.k8s.io/v1)');
  }
  if (token.start.includes('..')) throw bad(`invalid start key "${token.start}"`);
  return {
    revision: token.rv,
    after: token.start.endsWith('\0') ? token.start.slice(0, -1) : token.start,
    ...named(token.cluster),
  };
}
