import type { AnyContainer, Check, CheckPod } from './check.js';
import {
  badContainers,
  containersOf,
  hasUserNamespace,
  isWindows,
  named,
  plural,
  quoted,
  setters,
  sorted,
  unless,
} from './check.js';
import { procMount, seccompProfile } from './baseline-checks.js';

const allowPrivilegeEscalation: CheckPod = (pod) => {
  const bad = badContainers(pod, (one) => one.securityContext?.allowPrivilegeEscalation !== false);
  if (bad.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${named(bad)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

const capabilities: CheckPod = (pod) => {
  const missing = badContainers(
    pod,
    (one) => !(one.securityContext?.capabilities?.drop ?? []).includes('ALL'),
  );
  const added = (one: AnyContainer): string[] =>
    (one.securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
  const adding = badContainers(pod, (one) => added(one).length > 0);
  const names = quoted(sorted(containersOf(pod).flatMap(added)));
  const details = [
    ...(missing.length > 0
      ? [`${named(missing)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding.length > 0
      ? [`${named(adding)} must not include ${names} in securityContext.capabilities.add`]
      : []),
  ];
  if (details.length === 0) return undefined;
  return { reason: 'unrestricted capabilities', detail: details.join('; ') };
};

const ALLOWED_VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

const restrictedVolumes: CheckPod = ({ spec }) => {
  const bad = (spec.volumes ?? []).flatMap(({ name, ...sources }) => {
    const [type = 'unknown'] = Object.entries(sources)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([key]) => key);
    return ALLOWED_VOLUMES.has(type) ? [] : [{ name, type }];
  });
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map(({ type }) => type));
  const volumes = `${plural('volume', 'volumes', bad.length)} ${quoted(bad.map(({ name }) => name))}`;
  const what = plural('restricted volume type', 'restricted volume types', types.length);
  return {
    reason: 'restricted volume types',
    detail: `${volumes} ${plural('uses', 'use', bad.length)} ${what} ${quoted(types)}`,
  };
};

const runAsNonRoot: CheckPod = (pod) => {
  const own = pod.spec.securityContext?.runAsNonRoot;
  const of = (one: AnyContainer): boolean | undefined => one.securityContext?.runAsNonRoot;
  const by = setters(
    own === false,
    badContainers(pod, (one) => of(one) === false),
  );
  const reason = 'runAsNonRoot != true';
  if (by.length > 0)
    return {
      reason,
      detail: `${by.join(' and ')} must not set securityContext.runAsNonRoot=false`,
    };
  const implicit = own === true ? [] : badContainers(pod, (one) => of(one) === undefined);
  if (implicit.length === 0) return undefined;
  return {
    reason,
    detail: `pod or ${named(implicit)} must set securityContext.runAsNonRoot=true`,
  };
};

const runAsUser: CheckPod = (pod) => {
  const by = setters(
    pod.spec.securityContext?.runAsUser === 0,
    badContainers(pod, (one) => one.securityContext?.runAsUser === 0),
  );
  if (by.length === 0) return undefined;
  return { reason: 'runAsUser=0', detail: `${by.join(' and ')} must not set runAsUser=0` };
};

const seccompRestricted: CheckPod = (pod) => {
  const explicit = seccompProfile(pod);
  if (explicit) return explicit;
  if (pod.spec.securityContext?.seccompProfile) return undefined;
  const implicit = badContainers(pod, (one) => !one.securityContext?.seccompProfile);
  if (implicit.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${named(implicit)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

const restricted = (id: string, ...versions: Check['versions']): Check => ({
  id,
  level: 'restricted',
  versions,
});

/** In the order in which they report, after the baseline checks. */
export const restrictedChecks: readonly Check[] = [
  restricted(
    'allowPrivilegeEscalation',
    { since: 8, check: allowPrivilegeEscalation },
    { since: 25, check: unless(isWindows, allowPrivilegeEscalation) },
  ),
  restricted(
    'capabilities_restricted',
    { since: 22, check: capabilities, overrides: ['capabilities_baseline'] },
    {
      since: 25,
      check: unless(isWindows, capabilities),
      overrides: ['capabilities_baseline'],
    },
  ),
  restricted('procMount_restricted', { since: 35, check: procMount, overrides: ['procMount'] }),
  restricted('restrictedVolumes', {
    since: 0,
    check: restrictedVolumes,
    overrides: ['hostPathVolumes'],
  }),
  restricted(
    'runAsNonRoot',
    { since: 0, check: runAsNonRoot },
    { since: 35, check: unless(hasUserNamespace, runAsNonRoot) },
  ),
  restricted(
    'runAsUser',
    { since: 23, check: runAsUser },
    { since: 35, check: unless(hasUserNamespace, runAsUser) },
  ),
  restricted(
    'seccompProfile_restricted',
    { since: 19, check: seccompRestricted, overrides: ['seccompProfile_baseline'] },
    {
      since: 25,
      check: unless(isWindows, seccompRestricted),
      overrides: ['seccompProfile_baseline'],
    },
  ),
];
