import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid } from '@orrery/apimachinery';
import type { WindowsSecurityContextOptions } from '../../../types.js';
import { given, when } from '../../../meta/findings.js';
import { check, dnsSubdomain } from '../../../meta/names.js';

const MAX_SPEC_KIB = 64;
const MAX_DOMAIN = 256;
const MAX_USER = 104;
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const DNS_DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const NETBIOS_DOMAIN = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;

/** What keeps a text from being `[domain\]user`; findings come in upstream's order. */
function userNameFaults(text: string): string[] {
  if (text === '') return ['runAsUserName cannot be an empty string'];
  if (/\p{Cc}/u.test(text)) return ['runAsUserName cannot contain control characters'];
  const parts = text.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const user = parts.at(-1) ?? '';
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const isLegal = domain === undefined || NETBIOS_DOMAIN.test(domain) || DNS_DOMAIN.test(domain);
  const faults: [boolean, string][] = [
    [
      (domain ?? '').length >= MAX_DOMAIN,
      `runAsUserName's Domain length must be under ${MAX_DOMAIN} characters`,
    ],
    [!isLegal, "runAsUserName's Domain doesn't match the NetBios nor the DNS format"],
    [user === '', "runAsUserName's User cannot be empty"],
    [
      user.length > MAX_USER,
      `runAsUserName's User length must not be longer than ${MAX_USER} characters`,
    ],
    [/^[. ]+$/.test(user), "runAsUserName's User cannot contain only periods or spaces"],
    [
      /["/\\:;|=,+*?<>@[\]]/.test(user),
      'runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]',
    ],
  ];
  return faults.filter(([isFault]) => isFault).map(([, fault]) => fault);
}

/** k8s pkg/apis/core/validation/validation.go:validateWindowsSecurityContextOptions. */
export function validateWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  path: FieldPath,
): FieldError[] {
  if (!options) return [];
  const spec = path.child('gmsaCredentialSpec');
  const user = path.child('runAsUserName');
  return [
    ...given(options.gmsaCredentialSpecName, (name) =>
      check(dnsSubdomain, name, path.child('gmsaCredentialSpecName')),
    ),
    ...given(options.gmsaCredentialSpec, (text) => [
      ...when(text === '', invalid(spec, text, 'gmsaCredentialSpec cannot be an empty string')),
      ...when(
        text.length > MAX_SPEC_KIB * 1024,
        invalid(spec, text, `gmsaCredentialSpec size must be under ${MAX_SPEC_KIB} KiB`),
      ),
    ]),
    ...given(options.runAsUserName, (name) =>
      userNameFaults(String(name)).map((fault) => invalid(user, name, fault)),
    ),
  ];
}
