import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { ConfigError } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import type { ApiServerOptions } from './options.js';

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Reads a file that a flag names; the message names both. */
export function readFlagFile(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`--${flag}: ${messageOf(error)}`, { cause: error });
  }
}

interface CertificateAndKey {
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
}

export interface ServingTls extends CertificateAndKey {
  readonly ca?: Buffer;
  readonly ciphers?: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ecdhCurve?: string;
}

/** OpenSSL's names of the suites of TLS 1.2 that Go knows (crypto/tls/cipher_suites.go). */
const SUITES: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
};

/** Those of TLS 1.3, which are always on, as in Go. */
const SUITES_13 = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];

/** Curves by IANA's numbers, as Go's flag takes them. */
const CURVES: Readonly<Record<string, string>> = {
  '23': 'P-256',
  '24': 'P-384',
  '25': 'P-521',
  '29': 'X25519',
  '4588': 'X25519MLKEM768',
};

function named(
  flag: string,
  table: Readonly<Record<string, string>>,
  names: readonly string[],
): string[] {
  return names.map((name) => {
    const found = Object.hasOwn(table, name) ? table[name] : undefined;
    if (found === undefined)
      throw new ConfigError(
        `--${flag}: ${JSON.stringify(name)} is not supported; supported: ${Object.keys(table).join(', ')}`,
      );
    return found;
  });
}

type Ciphering = Pick<ServingTls, 'ciphers' | 'minVersion' | 'ecdhCurve'>;

function cipheringOf(options: ApiServerOptions): Ciphering {
  const { tlsCipherSuites: suites, tlsCurvePreferences: curves } = options;
  const older = suites.filter((suite) => !SUITES_13.includes(suite));
  const ciphers = named('tls-cipher-suites', SUITES, older);
  return {
    minVersion: options.tlsMinVersion === 'VersionTLS13' ? 'TLSv1.3' : 'TLSv1.2',
    ...(suites.length > 0 ? { ciphers: [...SUITES_13, ...ciphers].join(':') } : {}),
    ...(curves.length > 0
      ? { ecdhCurve: named('tls-curve-preferences', CURVES, curves).join(':') }
      : {}),
  };
}

/** A certificate for some names (--tls-sni-cert-key). */
export interface NamedCertificate {
  readonly hosts: readonly string[];
  readonly context: SecureContext;
}

/** What clients may call a server that shows this certificate. */
function namesIn(certificate: Buffer): string[] {
  const { subjectAltName = '', subject } = new X509Certificate(certificate);
  const names = [...subjectAltName.matchAll(/DNS:([^,\s"]+)/g)].map(([, name = '']) => name);
  if (names.length > 0) return names;
  return [/^CN=(.+)$/m.exec(subject)?.[1] ?? ''].filter((name) => name !== '');
}

/**
 * The certificates of --tls-sni-cert-key: `<cert>,<key>` for the names in the certificate, `<cert>,<key>:<host>,…` for these
 * (k8s component-base cli/flag/namedcertkey_flag.go).
 */
export function namedCertificates(options: ApiServerOptions): NamedCertificate[] {
  const flag = 'tls-sni-cert-key';
  return options.tlsSniCertKey.map((value) => {
    const [, cert = '', key = '', hosts] = /^([^,]+),([^,:]+)(?::(.+))?$/.exec(value) ?? [];
    if (cert === '')
      throw new ConfigError(
        `--${flag}: ${JSON.stringify(value)}: expected comma separated certificate and key file paths`,
      );
    const given = { cert: readFlagFile(flag, cert), key: readFlagFile(flag, key) };
    try {
      const context = createSecureContext({ ...given, ...cipheringOf(options) });
      return { hosts: hosts?.split(',') ?? namesIn(given.cert), context };
    } catch (error) {
      throw new ConfigError(`--${flag}: ${cert}: ${messageOf(error)}`, { cause: error });
    }
  });
}

function fromFiles(options: ApiServerOptions): CertificateAndKey | undefined {
  const { tlsCertFile: cert, tlsPrivateKeyFile: key } = options;
  if (cert === '' && key === '') return undefined;
  if (cert === '' || key === '')
    throw new ConfigError('--tls-cert-file and --tls-private-key-file go together');
  return {
    cert: readFlagFile('tls-cert-file', cert),
    key: readFlagFile('tls-private-key-file', key),
  };
}

/** Refuses files and names that TLS cannot be served with. Throws ConfigError. */
export function checkTls(options: ApiServerOptions): void {
  const given = fromFiles(options);
  const ciphering = cipheringOf(options);
  try {
    createSecureContext({ ...given, ...ciphering });
  } catch (error) {
    const flags = given ? '--tls-cert-file, --tls-private-key-file' : '--tls-*';
    throw new ConfigError(`${flags}: ${messageOf(error)}`, { cause: error });
  }
  namedCertificates(options);
}

async function selfSigned(options: ApiServerOptions, now: number): Promise<CertificateAndKey> {
  const address = options.advertiseAddress ?? options.bindAddress;
  const issued = await issueCertificate(await createCa('orrery-self-signed', now), {
    commonName: 'kube-apiserver',
    usages: ['serverAuth'],
    now,
    sans: {
      dns: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
      ips: [address, '127.0.0.1'],
    },
  });
  return { cert: issued.certPem, key: issued.keyPem };
}

/** The pair in --cert-dir, made when it is not there (k8s apiserver pkg/server/options/serving.go:MaybeDefaultWithSelfSignedCerts). */
async function fromFolder(options: ApiServerOptions, now: number): Promise<CertificateAndKey> {
  const { certDir } = options;
  const paths = { cert: join(certDir, 'apiserver.crt'), key: join(certDir, 'apiserver.key') };
  try {
    return { cert: readFileSync(paths.cert), key: readFileSync(paths.key) };
  } catch {
    const made = await selfSigned(options, now);
    try {
      mkdirSync(certDir, { recursive: true, mode: 0o755 });
      writeFileSync(paths.cert, made.cert, { mode: 0o644 });
      writeFileSync(paths.key, made.key, { mode: 0o600 });
    } catch (error) {
      throw new ConfigError(`--cert-dir: ${messageOf(error)}`, { cause: error });
    }
    return made;
  }
}

/** The serving certificate: from the flags, or one that is made, for this run or for a folder. */
export async function servingTls(options: ApiServerOptions, now: number): Promise<ServingTls> {
  const ca = options.clientCaFile
    ? { ca: readFlagFile('client-ca-file', options.clientCaFile) }
    : {};
  const pair =
    fromFiles(options) ??
    (options.certDir === '' ? await selfSigned(options, now) : await fromFolder(options, now));
  return { ...pair, ...cipheringOf(options), ...ca };
}
