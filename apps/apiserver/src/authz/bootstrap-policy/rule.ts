import type { PolicyRule } from '@orrery/api';

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

/** `rule('get list', 'apps', 'deployments deployments/scale')`; 'core' among several groups means ''. */
export function rule(verbs: string, groups: string, resources: string, names = ''): PolicyRule {
  const apiGroups = groups === '' ? [''] : words(groups).map((g) => (g === 'core' ? '' : g));
  return {
    apiGroups,
    resources: words(resources),
    ...(names === '' ? {} : { resourceNames: words(names) }),
    verbs: words(verbs),
  };
}

/** A rule about paths outside the resources. */
export function urls(verbs: string, paths: string): PolicyRule {
  return { nonResourceURLs: words(paths), verbs: words(verbs) };
}

export const READ = 'get list watch';
export const WRITE = 'create delete deletecollection patch update';
export const READ_WRITE = `${WRITE} ${READ}`;
export const READ_UPDATE = 'get list patch update watch';
/** May write events of both groups. */
export const EVENTS = rule('create patch update', 'core events.k8s.io', 'events');
