import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { asciiOf, elementsOf, insideOf, textOf } from './der.js';
import type { Element } from './der.js';
import type { Subject } from './name.js';
import { pemBlocks } from './pem.js';
import { PkiError, readOrRefuse } from './pki-error.js';

/** What a PKCS 10 certificate request asks for. */
export interface SigningRequest {
  readonly subject: Required<Subject>;
  readonly dns: readonly string[];
  readonly ips: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
  readonly publicKey: KeyObject;
}

const [OCTETS, OID, SEQUENCE, SET, ATTRIBUTES] = [0x04, 0x06, 0x30, 0x31, 0xa0];
const [EMAIL, DNS, URI, IP] = [0x81, 0x82, 0x86, 0x87];
/** Object identifiers by the hex form of their bytes. */
const [COMMON_NAME, ORGANIZATION] = ['550403', '55040a'];
const EXTENSION_REQUEST = '2a864886f70d01090e';
const SUBJECT_ALT_NAME = '551d11';

const oidOf = (element: Element | undefined): string =>
  element?.tag === OID ? element.content.toString('hex') : '';

function subjectFrom(name: Element | undefined): Required<Subject> {
  let commonName = '';
  const organizations: string[] = [];
  for (const set of insideOf(name, SEQUENCE))
    for (const attribute of insideOf(set, SET)) {
      const [type, value] = insideOf(attribute, SEQUENCE);
      const text = value && textOf(value);
      if (text === undefined) continue;
      if (oidOf(type) === COMMON_NAME) commonName = text;
      else if (oidOf(type) === ORGANIZATION) organizations.push(text);
    }
  return { commonName, organizations };
}

/** The names in a request's extensions: of its first attribute that has some, as Go's. */
function namesFrom(attributes: Element | undefined): Element[] {
  if (attributes?.tag !== ATTRIBUTES) return [];
  for (const attribute of elementsOf(attributes.content)) {
    const [type, values] = insideOf(attribute, SEQUENCE);
    if (oidOf(type) !== EXTENSION_REQUEST) continue;
    const [extensions] = insideOf(values, SET);
    const found = insideOf(extensions, SEQUENCE)
      .map((extension) => insideOf(extension, SEQUENCE))
      .filter(([id]) => oidOf(id) === SUBJECT_ALT_NAME);
    if (found.length > 1)
      throw new PkiError(
        'malformed',
        'x509: certificate request contains duplicate requested extensions',
      );
    const value = found[0]?.find(({ tag }) => tag === OCTETS);
    return value ? insideOf(elementsOf(value.content)[0], SEQUENCE) : [];
  }
  return [];
}

/** An address in the spelling of RFC 5952. */
function ipOf(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16)
    throw new PkiError('malformed', `x509: cannot parse IP address of length ${bytes.length}`);
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

function requestFrom(der: Buffer): SigningRequest {
  const [outer, ...rest] = elementsOf(der);
  if (rest.length > 0) throw new PkiError('malformed', 'asn1: syntax error: trailing data');
  const [info, algorithm, signature] = insideOf(outer, SEQUENCE);
  if (!algorithm || !signature) throw new PkiError('malformed', 'asn1: structure error');
  const [, subject, key, attributes] = insideOf(info, SEQUENCE);
  const names = namesFrom(attributes);
  const values = (wanted: number): Buffer[] =>
    names.filter(({ tag }) => tag === wanted).map(({ content }) => content);
  return {
    subject: subjectFrom(subject),
    dns: values(DNS).map(asciiOf),
    ips: values(IP).map(ipOf),
    emails: values(EMAIL).map(asciiOf),
    uris: values(URI).map(asciiOf),
    publicKey: createPublicKey({ key: key?.all ?? der, format: 'der', type: 'spki' }),
  };
}

const BODY = /^-----[^-]+-----([A-Za-z0-9+/=\s]+)-----[^-]+-----$/;

/** The request in DER. Throws PkiError (malformed) for PEM of something else. */
export function derOfRequest(pem: string): Buffer {
  const [block] = pemBlocks(pem);
  if (block?.label !== 'CERTIFICATE REQUEST')
    throw new PkiError('malformed', 'PEM block type must be CERTIFICATE REQUEST');
  const [, body] = BODY.exec(block.text) ?? [];
  if (body === undefined) throw new PkiError('malformed', 'the PEM block is not in base 64');
  return Buffer.from(body, 'base64');
}

/**
 * Reads a CSR in PEM; whether its owner signed it is not looked at (k8s pkg/apis/certificates/v1/helpers.go:ParseCSR). Thousands
 * of names take milliseconds. Throws PkiError: malformed.
 */
export function readSigningRequest(pem: string): SigningRequest {
  const der = derOfRequest(pem);
  return readOrRefuse('certificate request', () => requestFrom(der));
}
