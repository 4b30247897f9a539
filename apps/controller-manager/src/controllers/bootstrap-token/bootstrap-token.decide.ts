import { createHmac } from 'node:crypto';
import type { ConfigMap, Secret } from '@orrery/api';

export const TOKEN_TYPE = 'bootstrap.kubernetes.io/token';
export const TOKEN_NAMESPACE = 'kube-system';
const PREFIX = 'bootstrap-token-';
const SIGNATURE = 'jws-kubeconfig-';

const decode = ({ data }: Secret, name: string): string =>
  Buffer.from(data?.[name] ?? '', 'base64').toString('utf8');

/** When the token runs out; undefined = never, NaN = it cannot be read, which counts as run out. */
export function expiryOf(secret: Secret): number | undefined {
  const text = decode(secret, 'expiration');
  return text === '' ? undefined : Date.parse(text);
}

export function isExpired(secret: Secret, now: number): boolean {
  const expiry = expiryOf(secret);
  return expiry !== undefined && !(expiry > now);
}

/** Id and secret of a token that signs (k8s pkg/controller/bootstrap/util.go: validateSecretForSigning). */
function signingToken(secret: Secret, now: number): readonly [string, string] | undefined {
  const id = decode(secret, 'token-id');
  const text = decode(secret, 'token-secret');
  if (secret.type !== TOKEN_TYPE || id === '' || text === '') return undefined;
  if (secret.metadata.name !== `${PREFIX}${id}` || isExpired(secret, now)) return undefined;
  return decode(secret, 'usage-bootstrap-signing') === 'true' ? [id, text] : undefined;
}

/** A detached JWS (RFC 7515, appendix F) with the token as key. */
function sign(content: string, id: string, secret: string): string {
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  const header = encode(JSON.stringify({ alg: 'HS256', kid: id }));
  const signature = createHmac('sha256', secret)
    .update(`${header}.${encode(content)}`)
    .digest('base64url');
  return `${header}..${signature}`;
}

/** Pure: the data of cluster-info with a signature of each token and no others; undefined when it has no kubeconfig. */
export function signedData(
  { data = {} }: ConfigMap,
  secrets: readonly Secret[],
  now: number,
): Record<string, string> | undefined {
  const kubeconfig = data['kubeconfig'];
  if (kubeconfig === undefined) return undefined;
  const kept = Object.entries(data).filter(([name]) => !name.startsWith(SIGNATURE));
  const signatures = secrets.flatMap((secret) => {
    const token = signingToken(secret, now);
    return token ? [[`${SIGNATURE}${token[0]}`, sign(kubeconfig, ...token)] as const] : [];
  });
  return Object.fromEntries([...kept, ...signatures]);
}
