import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Pkcs10CertificateRequest } from '@peculiar/x509';
import { alternativeNames } from './extensions.js';
import { generateKeyPair, parsePrivateKey, privateKeyToPem, toSigningKey, toSpki } from './keys.js';
import { toName, toSubject } from './name.js';
import type { Subject } from './name.js';
import { pemBlocks } from './pem.js';
import { PkiError, readOrRefuse } from './pki-error.js';
import { loadX509 } from './load-x509.js';
import type { X509Library } from './x509-library.js';

const SUBJECT_ALT_NAME = '2.5.29.17';

/** What a PKCS 10 certificate request asks for. */
export interface SigningRequest {
  readonly subject: Required<Subject>;
  readonly dns: readonly string[];
  readonly ips: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
  readonly publicKey: KeyObject;
}

/** A request in PEM with the private key it is for. */
export interface SigningRequestAndKey {
  readonly csrPem: string;
  readonly keyPem: string;
}

async function checkSignature(request: Pkcs10CertificateRequest): Promise<void> {
  const good = await request.verify().catch((error: unknown) => {
    throw new PkiError(
      'badSignature',
      'the signature of the certificate request cannot be checked',
      {
        cause: error,
      },
    );
  });
  if (!good)
    throw new PkiError('badSignature', 'the signature of the certificate request is wrong');
}

function readRequest(x509: X509Library, request: Pkcs10CertificateRequest): SigningRequest {
  const extension = request.getExtension(SUBJECT_ALT_NAME);
  const names =
    extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.items : [];
  const values = (type: string): string[] =>
    names.filter((name) => name.type === type).map((name) => name.value);
  return {
    subject: toSubject(request.subjectName),
    dns: values('dns'),
    ips: values('ip'),
    emails: values('email'),
    uris: values('url'),
    publicKey: createPublicKey({
      key: Buffer.from(request.publicKey.rawData),
      format: 'der',
      type: 'spki',
    }),
  };
}

/** Reads a CSR in PEM and checks that its owner signed it. Throws PkiError: malformed or badSignature. */
export async function parseSigningRequest(pem: string): Promise<SigningRequest> {
  const [block] = pemBlocks(pem);
  if (block?.label !== 'CERTIFICATE REQUEST')
    throw new PkiError('malformed', 'PEM block type must be CERTIFICATE REQUEST');
  const x509 = await loadX509();
  const request = readOrRefuse(
    'certificate request',
    () => new x509.Pkcs10CertificateRequest(block.text),
  );
  const read = readOrRefuse('certificate request', () => readRequest(x509, request));
  await checkSignature(request);
  return read;
}

/** A CSR as a kubelet sends when it joins, for the key in `keyPem` or for a new one. Throws PkiError for a bad key. */
export async function createSigningRequest(
  subject: Subject,
  dns: readonly string[] = [],
  keyPem?: string,
): Promise<SigningRequestAndKey> {
  const [x509, { privateKey, publicKey }] = await Promise.all([
    loadX509(),
    keyPem === undefined ? generateKeyPair() : parsePrivateKey(keyPem),
  ]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: toName(x509, subject),
    keys: {
      privateKey: await toSigningKey(privateKey),
      publicKey: await new x509.PublicKey(toSpki(publicKey)).export(),
    },
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [...alternativeNames(x509, { dns })],
  });
  return { csrPem: `${request.toString('pem')}\n`, keyPem: privateKeyToPem(privateKey) };
}
