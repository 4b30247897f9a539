import { describe, expect, it } from '@jest/globals';
import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isPathSegmentName,
  isQualifiedName,
  nameIsDnsSubdomain,
} from './names.js';
import { isCidr, isConfigMapKey, isEnvVarName, isIpAddress, isPortName } from './values.js';

describe('names', () => {
  it.each([
    { name: 'a label', errors: isDns1123Label('web-0') },
    { name: 'a subdomain', errors: isDns1123Subdomain('a.b-c.d') },
    { name: 'a service name', errors: isDns1035Label('web') },
    { name: 'a qualified name', errors: isQualifiedName('example.com/My_Name.x') },
    { name: 'an empty label value', errors: isLabelValue('') },
    { name: 'an RBAC name', errors: isPathSegmentName('system:node') },
    { name: 'a generate name', errors: nameIsDnsSubdomain('web-', true) },
    { name: 'a port name', errors: isPortName('http-2') },
    { name: 'an IPv6 address', errors: isIpAddress('2001:db8::1') },
    { name: 'a CIDR', errors: isCidr('10.0.0.0/8') },
    { name: 'a key', errors: isConfigMapKey('a..b') },
    { name: 'an env name', errors: isEnvVarName('A.B') },
  ])('accepts $name', ({ errors }) => {
    expect(errors).toEqual([]);
  });

  it.each([
    {
      name: 'a capital letter',
      errors: isDns1123Subdomain('Web'),
      want: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    },
    {
      name: 'a long label',
      errors: isDns1123Label('a'.repeat(64)),
      want: 'must be no more than 63 characters',
    },
    {
      name: 'a long label value, in bytes',
      errors: isLabelValue('a'.repeat(64)),
      want: 'must be no more than 63 bytes',
    },
    {
      name: 'a long name of a key, in bytes',
      errors: isQualifiedName('a'.repeat(64)),
      want: 'name part must be no more than 63 bytes',
    },
    {
      name: 'a long prefix of a key, in bytes',
      errors: isQualifiedName(`${'a'.repeat(254)}/b`),
      want: 'prefix part must be no more than 253 bytes',
    },
    {
      name: 'two slashes in a key',
      errors: isQualifiedName('a/b/c'),
      want: "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    },
    {
      name: 'a port without a letter',
      errors: isPortName('80'),
      want: 'must contain at least one letter (a-z)',
    },
    {
      name: 'a leading zero',
      errors: isIpAddress('10.0.0.01'),
      want: 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    },
    {
      name: 'an empty prefix',
      errors: isQualifiedName('/a'),
      want: 'prefix part must be non-empty',
    },
    { name: 'a parent folder', errors: isConfigMapKey('..'), want: "must not be '..'" },
    { name: 'a slash', errors: isPathSegmentName('a/b'), want: "may not contain '/'" },
  ])('refuses $name', ({ errors, want }) => {
    expect(errors).toContain(want);
  });

  it('answers at once for a hostile name', () => {
    expect(isDns1123Subdomain('-'.repeat(1_000_000))).toHaveLength(1);
  });
});
