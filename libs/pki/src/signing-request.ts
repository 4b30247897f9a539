import type { Pkcs10CertificateRequest } from '@peculiar/x509';
import { alternativeNames } from './extensions.js';
import { generateKeyPair, parsePrivateKey, privateKeyToPem, toSigningKey, toSpki } from './keys.js';
import { toName } from './name.js';
import type { Subject } from './name.js';
import { PkiError, readOrRefuse } from './pki-error.js';
import { derOfRequest, readSigningRequest } from './read-request.js';
import type { SigningRequest } from './read-request.js';
import { loadX509 } from './load-x509.js';

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

/** Reads a CSR in PEM and checks that its owner signed it. Throws PkiError: malformed or badSignature. */
export async function parseSigningRequest(pem: string): Promise<SigningRequest> {
  const read = readSigningRequest(pem);
  const x509 = await loadX509();
  const request = readOrRefuse(
    'certificate request',
    () => new x509.Pkcs10CertificateRequest(derOfRequest(pem)),
  );
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
