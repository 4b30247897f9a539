import type { Secret, ServiceAccount } from '@orrery/api';

export const TOKEN_TYPE = 'kubernetes.io/service-account-token';
export const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
export const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

/** What is to be done about a token Secret. */
export type TokenDecision =
  | { readonly act: 'none' }
  /** The account is not in the cache: the server is asked before the Secret goes. */
  | { readonly act: 'delete' }
  | {
      readonly act: 'fill';
      readonly token: boolean;
      readonly data: Readonly<Record<string, string>>;
    };

const encode = (text: string): string => Buffer.from(text).toString('base64');

/** Whether the Secret is for this account: the uid is filled in later, the name must be there from the start. */
export const isFor = ({ metadata }: Secret, account: ServiceAccount): boolean => {
  const { [ACCOUNT_NAME]: name, [ACCOUNT_UID]: uid } = metadata.annotations ?? {};
  if (name !== account.metadata.name) return false;
  return uid === undefined || uid === '' || uid === account.metadata.uid;
};

/** Pure: what a token Secret lacks (k8s pkg/controller/serviceaccount/tokens_controller.go: syncSecret). */
export function decideToken(
  secret: Secret,
  account: ServiceAccount | undefined,
  rootCa: string,
): TokenDecision {
  if (secret.metadata.deletionTimestamp) return { act: 'none' };
  if (!account || !isFor(secret, account)) return { act: 'delete' };
  const { data = {}, metadata } = secret;
  const filled: Record<string, string> = {
    // A namespace that is there stays as it is.
    namespace: data['namespace'] || encode(metadata.namespace ?? ''),
    ...(rootCa === '' ? {} : { 'ca.crt': encode(rootCa) }),
  };
  const isWhole =
    Boolean(data['token']) &&
    Object.entries(filled).every(([name, value]) => data[name] === value) &&
    metadata.annotations?.[ACCOUNT_UID] === account.metadata.uid;
  return isWhole ? { act: 'none' } : { act: 'fill', token: !data['token'], data: filled };
}
