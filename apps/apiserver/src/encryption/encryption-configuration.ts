import { createHash } from 'node:crypto';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type { FieldError } from '@orrery/apimachinery';
import { ConfigError } from '@orrery/component';
import { isMapping, readDocument } from '../config/configuration-file.js';
import type { Mapping } from '../config/configuration-file.js';
import { aesCbc, aesGcm, secretbox } from '@orrery/storage';
import type { EncryptionRule, ValueKey, ValueProvider } from '@orrery/storage';
import { checkMasks, checkResources } from './check-resources.js';

const CIPHERS = { aescbc: aesCbc, aesgcm: aesGcm, secretbox } as const;
const LENGTHS = { aescbc: [16, 24, 32], aesgcm: [16, 24, 32], secretbox: [32] } as const;
type CipherName = keyof typeof CIPHERS;
const CIPHER_NAMES = ['aesgcm', 'aescbc', 'secretbox'] as const;
const PROVIDERS = ['kms', ...CIPHER_NAMES, 'identity'] as const;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const API_VERSIONS = ['apiserver.config.k8s.io/v1', 'v1'];
const atLeastOne = (what: string): string => `at least one ${what} is required`;

/** Reads an EncryptionConfiguration; findings are upstream's (k8s apiserver pkg/apis/apiserver/validation/validation_encryption.go). */
class Reader {
  readonly findings: FieldError[] = [];
  readonly unknown: string[] = [];

  rules(given: unknown): EncryptionRule[] {
    const at = FieldPath.of('resources');
    return this.list(given, at, String(at)).map((rule, i) => this.rule(rule, at.index(i)));
  }

  /** Fields that nobody knows are refused, as upstream's strict decoding does. */
  know(given: unknown, at: string, fields: readonly string[]): Mapping {
    const mapping = isMapping(given) ? given : {};
    for (const field of Object.keys(mapping))
      if (!fields.includes(field)) this.unknown.push(`unknown field "${at}${field}"`);
    return mapping;
  }

  private list(given: unknown, at: FieldPath, what: string): readonly unknown[] {
    if (Array.isArray(given) && given.length > 0) return given as unknown[];
    this.findings.push(required(at, atLeastOne(what)));
    return [];
  }

  private rule(given: unknown, at: FieldPath): EncryptionRule {
    const { resources, providers } = this.know(given, `${String(at)}.`, ['resources', 'providers']);
    const r = at.child('resources');
    const p = at.child('providers');
    const names = this.list(resources, r, String(r)).map(String);
    this.findings.push(...checkResources(names, r));
    const found = this.list(providers, p, String(p)).flatMap((provider, i) =>
      this.provider(provider, p.index(i)),
    );
    return { resources: names, providers: found };
  }

  private provider(given: unknown, at: FieldPath): ValueProvider[] {
    const mapping = this.know(given, `${String(at)}.`, PROVIDERS);
    const named = PROVIDERS.filter((name) => isMapping(mapping[name]));
    const [name] = named;
    if (name === undefined || named.length > 1) {
      const problem =
        name === undefined
          ? 'provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity'
          : 'more than one provider specified in a single element, should split into different list elements';
      // Not the value, which has the secrets in it.
      this.findings.push(invalid(at, named.join(','), problem));
      return [];
    }
    if (name === 'identity') return [{ name }];
    if (name === 'kms') {
      this.findings.push(
        invalid(at.child('kms'), 'kms', 'plugins for keys (KMS) are not modelled'),
      );
      return [];
    }
    const { keys } = this.know(mapping[name], `${String(at)}.${name}.`, ['keys']);
    return [{ name, keys: this.keys(keys, at.child(name, 'keys'), name) }];
  }

  private keys(given: unknown, at: FieldPath, cipher: CipherName): ValueKey[] {
    return this.list(given, at, 'keys').flatMap((key, i) => this.key(key, at.index(i), cipher));
  }

  private key(given: unknown, at: FieldPath, cipher: CipherName): ValueKey[] {
    const { name = '', secret = '' } = this.know(given, `${String(at)}.`, ['name', 'secret']);
    const before = this.findings.length;
    if (typeof name !== 'string' || name === '')
      this.findings.push(required(at.child('name'), 'name is a mandatory field for a key'));
    const bytes = this.secret(secret, at.child('secret'), LENGTHS[cipher]);
    if (!bytes || typeof name !== 'string' || this.findings.length > before) return [];
    const print = createHash('sha256').update(bytes).digest('base64');
    return [{ name, id: `${cipher}:${name}:${print}`, cipher: CIPHERS[cipher](bytes) }];
  }

  private secret(given: unknown, at: FieldPath, lengths: readonly number[]): Buffer | undefined {
    if (typeof given !== 'string' || given === '') {
      this.findings.push(required(at, 'secret is a mandatory field for a key'));
      return undefined;
    }
    const clean = given.replace(/[\r\n]/g, '');
    const bytes = Buffer.from(clean, 'base64');
    if (!BASE64.test(clean))
      this.findings.push(invalid(at, 'REDACTED', 'secrets must be base64 encoded'));
    else if (!lengths.includes(bytes.length))
      this.findings.push(
        invalid(
          at,
          'REDACTED',
          `secret is not of the expected length, got ${bytes.length}, expected one of [${lengths.join(' ')}]`,
        ),
      );
    return bytes;
  }
}

const aggregate = (texts: readonly string[]): string => {
  const [only = '', ...others] = new Set(texts);
  return others.length > 0 ? `[${[only, ...others].join(', ')}]` : only;
};

function parse(text: string, source: string): Mapping {
  if (text === '') throw new ConfigError(`${source} is empty`);
  return readDocument(text, 'EncryptionConfiguration', API_VERSIONS, source);
}

/** Reads the EncryptionConfiguration of --encryption-provider-config. Throws ConfigError, which tells no secret. */
export function readEncryptionConfiguration(text: string, source: string): EncryptionRule[] {
  const reader = new Reader();
  const { resources } = reader.know(parse(text, source), '', ['kind', 'apiVersion', 'resources']);
  const rules = reader.rules(resources);
  if (reader.unknown.length > 0)
    throw new ConfigError(`${source}: strict decoding error: ${reader.unknown.join(', ')}`);
  if (reader.findings.length > 0)
    throw new ConfigError(
      `${source}: ${aggregate(reader.findings.map(({ field, message }) => `${field}: ${message}`))}`,
    );
  const masked = checkMasks(rules);
  if (masked !== undefined) throw new ConfigError(`${source}: ${masked}`);
  return rules;
}
