import type { Container, EphemeralContainer, PodSpec, ServiceAccount } from '@orrery/api';

/** The annotation of an account whose pods may only use the secrets that it lists. */
const ENFORCE = 'kubernetes.io/enforce-mountable-secrets';

type AnyContainer = Container | EphemeralContainer;

const namesOf = (references: readonly { readonly name?: string }[] | undefined): Set<string> =>
  new Set((references ?? []).map(({ name }) => name ?? ''));

/** What is wrong with one container's environment; environment by variable and as a whole (CVE-2024-3177). */
function problemOf(
  what: string,
  { name, env = [], envFrom = [] }: AnyContainer,
  allowed: ReadonlySet<string>,
  account: string,
): string | undefined {
  const because = `is not allowed because service account ${account} does not reference that secret`;
  for (const variable of env) {
    const secret = variable.valueFrom?.secretKeyRef?.name;
    if (secret !== undefined && !allowed.has(secret))
      return `${what} ${name} with envVar ${variable.name} referencing secret.secretName="${secret}" ${because}`;
  }
  for (const { secretRef } of envFrom)
    if (secretRef && !allowed.has(secretRef.name ?? ''))
      return `${what} ${name} with envFrom referencing secret.secretName="${secretRef.name ?? ''}" ${because}`;
  return undefined;
}

/** The same for volumes and pull secrets. */
function forbiddenOutside(
  spec: PodSpec,
  account: ServiceAccount,
  allowed: ReadonlySet<string>,
): string | undefined {
  const name = account.metadata.name ?? '';
  for (const { secret } of spec.volumes ?? [])
    if (secret && !allowed.has(secret.secretName ?? ''))
      return `volume with secret.secretName="${secret.secretName ?? ''}" is not allowed because service account ${name} does not reference that secret`;
  const pulls = namesOf(account.imagePullSecrets);
  for (const { name: pull = '' } of spec.imagePullSecrets ?? [])
    if (!pulls.has(pull))
      return `imagePullSecret "${pull}" is not allowed because service account ${name} does not reference that imagePullSecret`;
  return undefined;
}

const LISTS = [
  ['initContainers', 'init container'],
  ['containers', 'container'],
  ['ephemeralContainers', 'ephemeral container'],
] as const;

/**
 * Why a pod may not use its secrets (k8s plugin/pkg/admission/serviceaccount:limitSecretReferences); every list of
 * containers counts (CVE-2023-2728). Undefined when it may, or the account does not ask for it.
 */
export function forbiddenSecret(
  spec: PodSpec,
  account: ServiceAccount,
  only?: 'ephemeralContainers',
): string | undefined {
  if (account.metadata.annotations?.[ENFORCE] !== 'true') return undefined;
  const name = account.metadata.name ?? '';
  const allowed = namesOf(account.secrets);
  for (const [field, what] of LISTS) {
    if (only && field !== only) continue;
    for (const container of spec[field] ?? []) {
      const problem = problemOf(what, container, allowed, name);
      if (problem) return problem;
    }
  }
  return only ? undefined : forbiddenOutside(spec, account, allowed);
}
