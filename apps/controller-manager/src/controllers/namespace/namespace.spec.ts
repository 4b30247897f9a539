import { describe, expect, it } from '@jest/globals';
import { resources } from '@orrery/api';
import { deletionConditions } from './namespace.reconciler.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const textOf = (
  remainders: Parameters<typeof deletionConditions>[1],
  failed: readonly string[] = [],
): string[] =>
  deletionConditions([], remainders, failed, NOW).map(
    ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
  );

describe('deletionConditions()', () => {
  it.each([
    {
      name: 'say that all is gone',
      remainders: [{ ref: resources.pods, count: 0, finalizers: [] }],
      want: [
        'NamespaceDeletionDiscoveryFailure False ResourcesDiscovered: All resources successfully discovered',
        'NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: All legacy kube types successfully parsed',
        'NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization',
        'NamespaceContentRemaining False ContentRemoved: All content successfully removed',
        'NamespaceFinalizersRemaining False ContentHasNoFinalizers: All content-preserving finalizers finished',
      ],
    },
    {
      name: 'count what is left and what holds it',
      remainders: [
        { ref: resources.pods, count: 2, finalizers: ['a/b', 'a/b', 'c/d'] },
        { ref: resources.deployments, count: 1, finalizers: [] },
      ],
      want: [
        'NamespaceDeletionDiscoveryFailure False ResourcesDiscovered: All resources successfully discovered',
        'NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: All legacy kube types successfully parsed',
        'NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization',
        'NamespaceContentRemaining True SomeResourcesRemain: Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances',
        'NamespaceFinalizersRemaining True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: a/b in 2 resource instances, c/d in 1 resource instances',
      ],
    },
  ])('$name', ({ remainders, want }) => {
    expect(textOf(remainders)).toEqual(want);
  });

  it('name the groups that could not be asked', () => {
    expect(textOf([], ['metrics.k8s.io'])[0]).toBe(
      'NamespaceDeletionDiscoveryFailure True DiscoveryFailed: Discovery failed for some groups, 1 failing: metrics.k8s.io',
    );
  });

  it('say what could not be deleted', () => {
    const failure = new Error('no');
    const remainders = [{ ref: resources.pods, count: 1, finalizers: [], failure }];
    expect(textOf(remainders)[2]).toBe(
      'NamespaceDeletionContentFailure True ContentDeletionFailed: Failed to delete all resource types, 1 remaining: no',
    );
  });

  it('keep the time of what did not change', () => {
    const before = deletionConditions([], [], [], NOW);
    expect(deletionConditions(before, [], [], NOW + 60_000)).toEqual(before);
  });
});
