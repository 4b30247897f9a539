/**
 * Caches that follow the API server. The first list is always consistent; after that the cache lags by the watch
 * alone and never goes back in time. Cached objects are shared: clone before changing. `hasSeen(rv)` tells whether
 * one's own write has arrived. A watch that is cut resumes at the last revision; 410 lists anew.
 */
export type { IndexFunction, LabelMatcher, Lister } from './indexer.js';
export { BY_NODE, BY_OWNER, Indexer, byNode, byOwner } from './indexer.js';
export type { InformerFactoryOptions } from './informer-factory.js';
export { InformerFactory, dropManagedFields } from './informer-factory.js';
export { isAtLeast } from './resource-version.js';
export type { InformerHandler, InformerOptions, InformerScope } from './shared-informer.js';
export { SharedInformer } from './shared-informer.js';
