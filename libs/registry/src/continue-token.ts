import { newBadRequest } from '@orrery/apimachinery';

/** Where a paged list goes on (k8s apiserver pkg/storage/continue.go). */
export interface ContinueToken {
  /** The snapshot's revision; -1 = go on in whatever is current. */
  readonly revision: number;
  /** The key behind which the next page starts, relative to the resource's prefix. */
  readonly after: string;
}

export function encodeContinue({ revision, after }: ContinueToken): string {
  return Buffer.from(
    JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `${after}\u0000` }),
  ).toString('base64url');
}

const bad = (why: string): Error => newBadRequest(`continue key is not valid: ${why}`);

export function decodeContinue(text: string): ContinueToken {
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    if (!/^[A-Za-z0-9_-]+$/.test(text)) throw new SyntaxError('illegal base64 data');
    token = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as typeof token;
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
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
  };
}
