/**
 * The states of the storage API by upstream's classification (k8s apiserver/pkg/storage/testing/coverage:
 * categories.go), 78 in all.
 */
const GET = [
  'Get RV: Quorum / Latest ("")',
  'Get RV: Cache-Any ("0")',
  'Get RV: Past Committed Snapshot',
  'Get RV: Future / Too Large',
  'Get RV: Compacted / Too Old',
  'Get RV: Malformed ("abc")',
  'Get Key: Existing Object',
  'Get Key: Non-Existing Object',
  'Get Option: IgnoreNotFound (true)',
  'Get Option: IgnoreNotFound (false)',
  'Get Outcome: Found Object',
  'Get Outcome: NotFound (404)',
  'Get Outcome: Ignored NotFound',
  'Get Outcome: Err TooLarge',
  'Get Outcome: Err TooOld / Expired',
  'Get Outcome: Err Invalid / Parse',
] as const;

const LIST = [
  'List RV: Quorum / Latest ("")',
  'List RV: Cache-Any ("0")',
  'List RV: Past Committed Snapshot',
  'List RV: Future / Too Large',
  'List RV: Compacted / Too Old',
  'List RV: Malformed ("abc")',
  'List Match: Unset',
  'List Match: Exact',
  'List Match: NotOlderThan',
  'List Match: Invalid',
  'List Pagination: Unpaged',
  'List Pagination: Initial Chunk (Limit > 0)',
  'List Pagination: Continue Token Drained',
  'List Pagination: RV + Continue Conflict',
  'List Scope: Root Prefix',
  'List Scope: Subtree Namespace',
  'List Scope: Non-Recursive Key',
  'List Filter: Unfiltered (Everything)',
  'List Filter: Label Selector',
  'List Filter: Field Selector',
  'List Filter: Zero Match Filter',
  'List Outcome: Success Full',
  'List Outcome: Success Paged',
  'List Outcome: Success Empty',
  'List Outcome: Err TooLarge',
  'List Outcome: Err TooOld / Expired',
  'List Outcome: Err Invalid / Parse',
] as const;

const WATCH = [
  'Watch Mode: Standard Live Stream',
  'Watch Mode: History Stream (RV = "0")',
  'Watch Mode: WatchList Snapshot (SendInitialEvents)',
  'Watch Mode: Historical Stream (RV = "R")',
  'Watch Mode: Compacted Stream',
  'Watch Scope: Root Prefix',
  'Watch Scope: Subtree Namespace',
  'Watch Scope: Single Key',
  'Watch Filter: Unfiltered (Everything)',
  'Watch Filter: Label Selector',
  'Watch Filter: Field Selector',
  'Watch Event: Added (Create / Filter Enter)',
  'Watch Event: Modified (Update in Filter)',
  'Watch Event: Deleted (Delete / Filter Exit)',
  'Watch Bookmark: initial-events-end',
  'Watch Bookmark: Progress / Quiescent',
  'Watch Outcome: Continuous Event Delivery',
  'Watch Outcome: Err TooOld / 410 Gone',
] as const;

const MUTATION = [
  'Mutation Op: Create',
  'Mutation Op: Update',
  'Mutation Op: Delete',
  'Precondition: None (Unconditional)',
  'Precondition: Matching ResourceVersion',
  'Precondition: Stale / Mismatched RV',
  'Update Path: Mutating State Change',
  'Update Path: Short-Circuit / No-Op',
  'Update Path: Upsert (IgnoreNotFound)',
  'Update Path: CachedObject Suggestion',
  'Delete Path: Admission Validation Reject',
  'Delete Path: Key Not Found',
  'Mutation Outcome: Success',
  'Mutation Outcome: Key Already Exists (409)',
  'Mutation Outcome: Key Not Found (404)',
  'Mutation Outcome: Precondition Failed',
  'Mutation Outcome: Validation Rejected',
] as const;

export const STATES: readonly string[] = [...GET, ...LIST, ...WATCH, ...MUTATION];

/** States of upstream's Go interface that no HTTP request can ask for or be answered with. */
export const NOT_IN_HTTP: readonly string[] = [
  'Get RV: Compacted / Too Old',
  'Get Option: IgnoreNotFound (true)',
  'Get Outcome: Ignored NotFound',
  'Get Outcome: Err TooOld / Expired',
  'Update Path: CachedObject Suggestion',
];
