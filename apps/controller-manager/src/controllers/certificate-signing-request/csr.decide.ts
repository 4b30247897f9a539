import type { CertificateSigningRequest } from '@orrery/api';
import type { SigningRequest } from '@orrery/pki';

export const APISERVER_CLIENT = 'kubernetes.io/kube-apiserver-client';
export const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
export const KUBELET_SERVING = 'kubernetes.io/kubelet-serving';
export const LEGACY_UNKNOWN = 'kubernetes.io/legacy-unknown';

type Asked = Pick<SigningRequest, 'subject' | 'dns' | 'ips' | 'emails' | 'uris'>;

const SIGNATURE = 'digital signature';
const ENCIPHERMENT = 'key encipherment';

export const hasCondition = (
  { status }: CertificateSigningRequest,
  type: 'Approved' | 'Denied' | 'Failed',
): boolean => (status?.conditions ?? []).some((one) => one.type === type && one.status !== 'False');

/** Newer kubelets with keys that cannot encipher leave that usage out. */
function hasUsages(usages: readonly string[], auth: 'client auth' | 'server auth'): boolean {
  const asked = new Set(usages.filter((usage) => usage !== ENCIPHERMENT));
  return asked.size === 2 && asked.has(auth) && asked.has(SIGNATURE);
}

const noUsages = (auth: string): string => {
  const sorted = [auth, SIGNATURE, ENCIPHERMENT].sort().join(' ');
  return `usages did not match [${sorted}]`;
};

function subjectFault({ subject }: Asked): string | undefined {
  const { organizations } = subject;
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes')
    return 'subject organization is not system:nodes';
  return undefined;
}

const nameFault = ({ subject }: Asked): string | undefined =>
  subject.commonName.startsWith('system:node:')
    ? undefined
    : 'subject common name does not begin with system:node:';

/** Why a request is no client certificate of a kubelet (k8s pkg/apis/certificates/helpers.go: ValidateKubeletClientCSR). */
export function kubeletClientFault(asked: Asked, usages: readonly string[]): string | undefined {
  const fault = subjectFault(asked);
  if (fault) return fault;
  if (asked.dns.length > 0) return 'DNS subjectAltNames are not allowed';
  if (asked.emails.length > 0) return 'Email subjectAltNames are not allowed';
  if (asked.ips.length > 0) return 'IP subjectAltNames are not allowed';
  if (asked.uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (nameFault(asked)) return nameFault(asked);
  return hasUsages(usages, 'client auth') ? undefined : noUsages('client auth');
}

/** Why a request is no serving certificate of a kubelet (ValidateKubeletServingCSR). */
export function kubeletServingFault(asked: Asked, usages: readonly string[]): string | undefined {
  const fault = subjectFault(asked);
  if (fault) return fault;
  if (asked.dns.length === 0 && asked.ips.length === 0)
    return 'DNS or IP subjectAltName is required';
  if (asked.emails.length > 0) return 'Email subjectAltNames are not allowed';
  if (asked.uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (!hasUsages(usages, 'server auth')) return noUsages('server auth');
  return nameFault(asked);
}

/** Why a request is no client certificate of the API server's (validAPIServerClientUsages). */
export function apiServerClientFault(usages: readonly string[]): string | undefined {
  const other = usages.find((usage) => ![SIGNATURE, ENCIPHERMENT, 'client auth'].includes(usage));
  if (other) return `invalid usage for client certificate: ${other}`;
  return usages.includes('client auth')
    ? undefined
    : 'missing required usage for client certificate: client auth';
}

/** Pure: why a signer does not sign a request; undefined when it does. */
export function signerFault(
  signer: string,
  asked: Asked,
  usages: readonly string[],
): string | undefined {
  switch (signer) {
    case KUBELET_CLIENT:
      return kubeletClientFault(asked, usages);
    case KUBELET_SERVING:
      return kubeletServingFault(asked, usages);
    case APISERVER_CLIENT:
      return apiServerClientFault(usages);
    case LEGACY_UNKNOWN:
      return undefined;
    default:
      return `unrecognized signerName: "${signer}"`;
  }
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Pure: how long a certificate lives: what is asked for, at least ten minutes, at most what the flag says. */
export function lifetimeMs({ spec }: CertificateSigningRequest, mostMs: number): number {
  const { expirationSeconds } = spec;
  if (expirationSeconds === undefined) return mostMs;
  return Math.min(Math.max(expirationSeconds * 1000, 10 * MINUTE_MS), mostMs);
}

/** Pure: when a request is to be deleted (k8s pkg/controller/certificates/cleaner). `expiry` of its certificate, if it has one. */
export function cleanUpAt(csr: CertificateSigningRequest, expiry?: number): number {
  const { conditions = [], certificate } = csr.status ?? {};
  const created = Date.parse(csr.metadata.creationTimestamp ?? '') || 0;
  if (conditions.length === 0) return created + 24 * HOUR_MS;
  const times = conditions.flatMap(({ type, lastUpdateTime }) => {
    const ended = type !== 'Approved' || Boolean(certificate);
    const at = Date.parse(lastUpdateTime ?? '');
    const late = ended && !Number.isNaN(at) ? [at + HOUR_MS] : [];
    return type === 'Approved' && expiry !== undefined ? [...late, expiry] : late;
  });
  return times.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...times);
}
