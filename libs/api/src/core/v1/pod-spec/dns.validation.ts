import type { FieldError, FieldPath } from '@orrery/apimachinery';
import {
  forbidden,
  invalid,
  ipFaults,
  isDns1123SubdomainWithUnderscore,
  required,
  tooLong,
} from '@orrery/apimachinery';
import type { PodSpec } from '../../../types.js';
import { oneOfThese } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';

const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARS = 2048;
const MAX_HOSTNAME = 64;

export const validateAddress = (ip: string | undefined, path: FieldPath): FieldError[] =>
  ipFaults(String(ip ?? '')).map((fault) => invalid(path, ip ?? '', fault));

function validateSearches(searches: readonly string[] | undefined, path: FieldPath): FieldError[] {
  const all = list(searches).map(String);
  return [
    ...when(
      all.length > MAX_SEARCHES,
      invalid(path, all, `must not have more than ${MAX_SEARCHES} search paths`),
    ),
    ...when(
      all.join(' ').length > MAX_SEARCH_CHARS,
      invalid(
        path,
        all,
        `must not have more than ${MAX_SEARCH_CHARS} characters (including spaces) in the search list`,
      ),
    ),
    ...all.flatMap((search, i) => {
      if (search === '.') return [];
      const name = search.replace(/\.$/, '');
      return isDns1123SubdomainWithUnderscore(name).map((m) => invalid(path.index(i), name, m));
    }),
  ];
}

/** dnsPolicy and dnsConfig (k8s pkg/apis/core/validation/validation.go:validatePodDNSConfig). */
export function validateDnsConfig(spec: PodSpec, path: FieldPath): FieldError[] {
  const servers = list(spec.dnsConfig?.nameservers);
  if (spec.dnsPolicy === 'None' && !spec.dnsConfig) {
    return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
  }
  if (spec.dnsPolicy === 'None' && servers.length === 0) {
    const text = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
    return [required(path.child('nameservers'), text)];
  }
  return given(spec.dnsConfig, ({ searches, options }) => [
    ...when(
      servers.length > MAX_NAMESERVERS,
      invalid(
        path.child('nameservers'),
        servers,
        `must not have more than ${MAX_NAMESERVERS} nameservers`,
      ),
    ),
    ...servers.flatMap((ip, i) => validateAddress(ip, path.child('nameservers').index(i))),
    ...validateSearches(searches, path.child('searches')),
    ...eachOf(options, ({ name }, i) =>
      when(!name, required(path.child('options').index(i), 'must not be empty')),
    ),
  ]);
}

export const validateDnsPolicy = (spec: PodSpec, path: FieldPath): FieldError[] =>
  oneOfThese(
    spec.dnsPolicy,
    ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
    path.child('dnsPolicy'),
  );

/** Names by which the pod knows itself. */
export function validateHostnames(spec: PodSpec, path: FieldPath): FieldError[] {
  const at = path.child('hostnameOverride');
  return given(spec.hostnameOverride, (name) => [
    ...when(
      spec.setHostnameAsFQDN === true,
      forbidden(at, 'may not be specified when setHostnameAsFQDN is true'),
    ),
    ...when(
      spec.hostNetwork === true,
      forbidden(at, 'may not be specified when hostNetwork is true'),
    ),
    ...when(name.length > MAX_HOSTNAME, tooLong(at, MAX_HOSTNAME)),
    ...check(dnsSubdomain, name, at),
  ]);
}

export const validateHostAliases = (spec: PodSpec, path: FieldPath): FieldError[] =>
  eachOf(spec.hostAliases, ({ ip, hostnames }, i) => [
    ...validateAddress(ip, path.index(i).child('ip')),
    ...eachOf(hostnames, (name, n) =>
      check(dnsSubdomain, name, path.index(i).child('hostnames').index(n)),
    ),
  ]);

export const validateHostLabels = (spec: PodSpec, path: FieldPath): FieldError[] => [
  ...(spec.hostname ? check(dnsLabel, spec.hostname, path.child('hostname')) : []),
  ...(spec.subdomain ? check(dnsLabel, spec.subdomain, path.child('subdomain')) : []),
];
