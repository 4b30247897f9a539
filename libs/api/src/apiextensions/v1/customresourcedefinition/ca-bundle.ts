import { X509Certificate } from 'node:crypto';

const BLOCK = /-----BEGIN ([^-\n]*)-----\r?\n[\s\S]*?-----END \1-----/g;

function certificateProblem(pem: string): string | undefined {
  try {
    void new X509Certificate(pem).serialNumber;
    return undefined;
  } catch {
    return 'failed to parse certificate: x509: malformed certificate';
  }
}

/**
 * Why certificates of authorities (PEM, in base64) cannot be used
 * (k8s apiserver pkg/util/webhook/validation.go:ValidateCABundle, client-go transport/transport.go:rootCertPool).
 */
export function caBundleProblem(base64: string): string | undefined {
  const blocks = [...Buffer.from(base64, 'base64').toString('latin1').matchAll(BLOCK)];
  const problems = blocks
    .filter(([, type]) => type === 'CERTIFICATE')
    .map(([pem]) => certificateProblem(pem));
  if (problems.includes(undefined)) return undefined;
  const nothing =
    blocks.length === 0
      ? 'unable to parse bytes as PEM block'
      : 'no valid certificate authority data seen';
  return `unable to load root certificates: ${problems[0] ?? nothing}`;
}
