import { describe, expect, it } from '@jest/globals';
import type { ClusterRole } from '@orrery/api';
import { aggregatedRules } from './clusterrole-aggregation.reconciler.js';

const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] });

const role = (
  name: string,
  labels: Record<string, string>,
  ...resources: string[]
): ClusterRole => ({
  metadata: { name, labels },
  rules: resources.map(rule),
});

describe('aggregatedRules()', () => {
  it('takes each rule once, in the order of selectors and names, and never its own', () => {
    const all = [
      role('b', { to: 'edit' }, 'pods', 'secrets'),
      role('a', { to: 'edit' }, 'pods'),
      role('c', { to: 'view' }, 'nodes'),
      role('d', {}, 'events'),
    ];
    const whole: ClusterRole = {
      ...role('whole', { to: 'edit' }, 'old'),
      aggregationRule: {
        clusterRoleSelectors: [{ matchLabels: { to: 'view' } }, { matchLabels: { to: 'edit' } }],
      },
    };
    const found = aggregatedRules(whole, [...all, whole]).map(({ resources }) => resources?.[0]);
    expect(found).toEqual(['nodes', 'pods', 'secrets']);
  });
});
