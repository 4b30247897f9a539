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
