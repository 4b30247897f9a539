import type { FieldError, FieldPath } from '@orrery/apimachinery';
import {
  invalid,
  isConfigMapKey,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isPathSegmentName,
  isPortName,
  isPortNumber,
  isQualifiedName,
  isRelaxedEnvVarName,
  regexError,
  required,
  tooLong,
} from '@orrery/apimachinery';

/** Says what is wrong with a value; an empty answer means it is legal. */
export type NameRule = (value: string) => readonly string[];

export const dnsLabel: NameRule = (value) => isDns1123Label(value);
export const dnsSubdomain: NameRule = (value) => isDns1123Subdomain(value);
export const dns1035Label: NameRule = (value) => isDns1035Label(value);
export const labelValue: NameRule = (value) => isLabelValue(value);
/** `name` or `dns.prefix/name`: keys of labels and annotations, names of resources and conditions. */
export const qualifiedName: NameRule = (value) => isQualifiedName(value);
/** A name that may stand in a URL path: names of roles, events and other kinds without DNS meaning. */
export const pathSegment: NameRule = (value) => isPathSegmentName(value);
/** Keys of ConfigMaps and Secrets. */
export const configKey: NameRule = (value) => isConfigMapKey(value);
/** Names of environment variables, in the relaxed form of 1.34 and later. */
export const envName: NameRule = (value) => isRelaxedEnvVarName(value);
/** Names of ports in containers: IANA service names. */
export const portName: NameRule = (value) => isPortName(value);

export const portNumber = (port: unknown): readonly string[] =>
  isPortNumber(typeof port === 'number' ? port : 0);

/** Findings of a rule as field errors. */
export function check(rule: NameRule, value: string | undefined, path: FieldPath): FieldError[] {
  const text = String(value ?? '');
  return rule(text).map((message) => invalid(path, text, message));
}

const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const IS_HTTP_PATH = new RegExp(`^${HTTP_PATH}$`);

/** `acme.io/foo` (k8s apimachinery pkg/util/validation/validation.go:IsDomainPrefixedPath). */
export function domainPrefixedPath(value: string | undefined, path: FieldPath): FieldError[] {
  const text = String(value ?? '');
  if (text === '') return [required(path)];
  const slash = text.indexOf('/');
  const host = text.slice(0, Math.max(slash, 0));
  const rest = slash < 0 ? '' : text.slice(slash + 1);
  if (host === '' || rest === '')
    return [invalid(path, text, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  return [
    ...check(dnsSubdomain, host, path),
    ...(IS_HTTP_PATH.test(rest)
      ? []
      : [invalid(path, rest, regexError('Invalid path', HTTP_PATH))]),
  ];
}

/** `www.example.com` (k8s apimachinery pkg/util/validation/validation.go:IsFullyQualifiedDomainName). */
export function fullDomainName(value: string, path: FieldPath): FieldError[] {
  if (value === '') return [required(path)];
  const name = value.endsWith('.') ? value.slice(0, -1) : value;
  const faults = dnsSubdomain(name);
  if (faults.length > 0) return [invalid(path, name, faults.join(','))];
  const labels = name.split('.');
  if (labels.length < 2)
    return [invalid(path, name, 'should be a domain with at least two segments separated by dots')];
  const bad = labels.find((label) => dnsLabel(label).length > 0);
  return bad === undefined ? [] : [invalid(path, bad, dnsLabel(bad).join(','))];
}

const MAX_DOMAIN = 253;
const MAX_SIGNER_PATH = 253 + 63 + 1;

/** `example.com/signer-name` (k8s pkg/apis/core/validation/validation.go:ValidateSignerName). */
export function signerName(value: string | undefined, path: FieldPath): FieldError[] {
  const text = String(value ?? '');
  if (text === '') return [required(path)];
  const [domain = '', rest = '', ...more] = text.split('/');
  if (!text.includes('/') || more.length > 0) {
    const form = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(path, text, form)];
  }
  const labels = (part: string, rule: NameRule): FieldError[] => {
    const bad = part.split('.').find((label) => rule(label).length > 0);
    if (bad === undefined) return [];
    const shown = JSON.stringify(bad);
    return rule(bad).map((fault) => invalid(path, part, `validating label ${shown}: ${fault}`));
  };
  return [
    ...(domain.length > MAX_DOMAIN ? [tooLong(path, MAX_DOMAIN)] : []),
    ...labels(domain, dnsLabel),
    ...(domain.includes('.')
      ? []
      : [invalid(path, domain, 'should be a domain with at least two segments separated by dots')]),
    ...labels(rest, dnsSubdomain),
    ...(rest.length > MAX_SIGNER_PATH ? [tooLong(path, MAX_SIGNER_PATH)] : []),
  ];
}
