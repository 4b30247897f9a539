/**
 * Certificates and service-account tokens. Guarantees: every key is EC P-256 unless a file brings another;
 * files are written whole with mode 0600; what exists and is valid is kept; nothing here reads the clock,
 * callers pass the time; input that cannot be used is refused with a PkiError. What writes certificates or
 * reads requests is asynchronous and loads @peculiar/x509 at first use; reading certificates is node:crypto.
 */
export type { CertificateAndKey, CertificateAuthority, IssueOptions } from './certificate.js';
export {
  caCertHash,
  createCa,
  issueCertificate,
  parseCa,
  parseCertificates,
  signPublicKey,
} from './certificate.js';
export { isClientCertificateOf } from './client-trust.js';
export type { ClusterPki, ClusterPkiOptions, PkiNode } from './cluster-pki.js';
export { createClusterPki } from './cluster-pki.js';
export type { AlternativeNames, ExtendedUsage, KeyUsage } from './extensions.js';
export type { KeyPair } from './keys.js';
export {
  generateKeyPair,
  keyId,
  parsePrivateKey,
  parsePublicKeys,
  privateKeyToPem,
  publicKeyToPem,
} from './keys.js';
export type { VerifiedClaims, VerifyOptions } from './json-web-token.js';
export { UnknownKeyError, issuerOfToken, verifyToken } from './json-web-token.js';
export type { KubeconfigContent } from './kubeconfig.js';
export { toKubeconfig } from './kubeconfig.js';
export type { Subject } from './name.js';
export { subjectOf } from './name.js';
export type { PkiErrorCode } from './pki-error.js';
export { PkiError } from './pki-error.js';
export { writePrivate } from './pki-store.js';
export type { SigningRequest } from './read-request.js';
export { readSigningRequest } from './read-request.js';
export type { SigningRequestAndKey } from './signing-request.js';
export { createSigningRequest, parseSigningRequest } from './signing-request.js';
export type {
  KubernetesClaim,
  NamedUid,
  ServiceAccountClaims,
  ServiceAccountIdentity,
  SignOptions,
  TokenBinding,
} from './service-account-token.js';
export {
  ServiceAccountTokenSigner,
  ServiceAccountTokenVerifier,
  TokenError,
  serviceAccountUsername,
  toJwks,
} from './service-account-token.js';
