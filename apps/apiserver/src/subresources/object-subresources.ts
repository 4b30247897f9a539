import { kinds, removedKinds } from '@orrery/api';
import type { SubresourceHandler } from '../subresources.js';

const served = (): Promise<never> =>
  Promise.reject(new Error('subresources with a strategy are served by get, update and patch'));

/** Subresources that are the object itself under another update strategy, as the kinds declare them. */
export const objectSubresources: readonly SubresourceHandler[] = [
  ...kinds,
  ...removedKinds,
].flatMap(({ group, version, plural, kind, subresources }) =>
  Object.entries(subresources ?? {})
    // Served by rest/namespace-finalize.ts, which also ends the namespace.
    .filter(([name]) => !(plural === 'namespaces' && name === 'finalize'))
    .map(([subresource, strategy]) => ({
      group,
      version,
      resource: plural,
      subresource,
      kind: { kind },
      verbs: ['get', 'update', 'patch'] as const,
      strategy,
      handle: served,
    })),
);
