import type { HeaderRules } from './serving-flags.js';

/** Whose certificates say who asks, and whose say that headers do. */
export interface Trust {
  readonly clientCa: string;
  readonly headerCa: string;
  readonly headers: HeaderRules;
}

const listIn = (data: Readonly<Record<string, string>>, key: string): readonly string[] => {
  const list: unknown = JSON.parse(data[key] ?? '[]');
  return Array.isArray(list) ? list.map(String) : [];
};

/** What flags do not say is as the API server's ConfigMap extension-apiserver-authentication says. */
export function withPublished(flags: Trust, data: Readonly<Record<string, string>>): Trust {
  const of = (name: string): readonly string[] => listIn(data, `requestheader-${name}`);
  return {
    clientCa: flags.clientCa === '' ? (data['client-ca-file'] ?? '') : flags.clientCa,
    ...(flags.headerCa === ''
      ? {
          headerCa: data['requestheader-client-ca-file'] ?? '',
          headers: {
            allowedNames: of('allowed-names'),
            usernames: of('username-headers'),
            uids: of('uid-headers'),
            groups: of('group-headers'),
            extraPrefixes: of('extra-headers-prefix'),
          },
        }
      : { headerCa: flags.headerCa, headers: flags.headers }),
  };
}
