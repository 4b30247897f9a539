import { inOrder, message } from './protobuf.js';

/** The messages of etcd (etcd api/etcdserverpb/rpc.proto) in the shapes of the etcd3 package, those that a component sends in its work. */
const rangeRequest = message(
  inOrder(
    ['key', 'bytes'],
    ['range_end', 'bytes'],
    ['limit', 'int'],
    ['revision', 'int'],
    ['sort_order', { names: ['None', 'Ascend', 'Descend'] }],
    ['sort_target', { names: ['Key', 'Version', 'Create', 'Mod', 'Value'] }],
    ['serializable', 'bool'],
    ['keys_only', 'bool'],
    ['count_only', 'bool'],
    ['min_mod_revision', 'int'],
    ['max_mod_revision', 'int'],
    ['min_create_revision', 'int'],
    ['max_create_revision', 'int'],
  ),
);
const putRequest = message(
  inOrder(
    ['key', 'bytes'],
    ['value', 'bytes'],
    ['lease', 'int'],
    ['prev_kv', 'bool'],
    ['ignore_value', 'bool'],
    ['ignore_lease', 'bool'],
  ),
);
const deleteRequest = message(
  inOrder(['key', 'bytes'], ['range_end', 'bytes'], ['prev_kv', 'bool']),
);
const requestOp = message(
  inOrder(
    ['request_range', rangeRequest],
    ['request_put', putRequest],
    ['request_delete_range', deleteRequest],
  ),
  true,
);
const compare = message([
  ...inOrder(
    ['result', { names: ['Equal', 'Greater', 'Less', 'NotEqual'] }],
    ['target', { names: ['Version', 'Create', 'Mod', 'Value', 'Lease'] }],
    ['key', 'bytes'],
    ['version', 'int'],
    ['create_revision', 'int'],
    ['mod_revision', 'int'],
    ['value', 'bytes'],
    ['lease', 'int'],
  ),
  { tag: 64, name: 'range_end', type: 'bytes' },
]);
const txnRequest = message(
  inOrder(
    ['compare', compare, 'repeated'],
    ['success', requestOp, 'repeated'],
    ['failure', requestOp, 'repeated'],
  ),
);

/** The ids of cluster and member, which nobody asks the KV service for, are left out. */
const header = message([
  { tag: 3, name: 'revision', type: 'int' },
  { tag: 4, name: 'raft_term', type: 'int' },
]);
const keyValue = message(
  inOrder(
    ['key', 'bytes'],
    ['create_revision', 'int'],
    ['mod_revision', 'int'],
    ['version', 'int'],
    ['value', 'bytes'],
    ['lease', 'int'],
  ),
);
const rangeResponse = message(
  inOrder(['header', header], ['kvs', keyValue, 'repeated'], ['more', 'bool'], ['count', 'int']),
);
const responseOp = message(
  inOrder(
    ['response_range', rangeResponse],
    ['response_put', message(inOrder(['header', header], ['prev_kv', keyValue]))],
    [
      'response_delete_range',
      message(inOrder(['header', header], ['deleted', 'int'], ['prev_kvs', keyValue, 'repeated'])),
    ],
  ),
  true,
);
const txnResponse = message(
  inOrder(['header', header], ['succeeded', 'bool'], ['responses', responseOp, 'repeated']),
);

/** The member's own id is what its status is compared with. */
const memberHeader = message([
  { tag: 2, name: 'member_id', type: 'int' },
  { tag: 3, name: 'revision', type: 'int' },
]);
const statusResponse = message(
  inOrder(
    ['header', memberHeader],
    ['version', 'text'],
    ['dbSize', 'int'],
    ['leader', 'int'],
    ['raftIndex', 'int'],
    ['raftTerm', 'int'],
    ['raftAppliedIndex', 'int'],
    ['errors', 'text', 'repeated'],
    ['dbSizeInUse', 'int'],
    ['isLearner', 'bool'],
  ),
);

const compactionRequest = message(inOrder(['revision', 'int'], ['physical', 'bool']));
const leaseGrantRequest = message(inOrder(['TTL', 'int'], ['ID', 'int']));
const leaseGrantResponse = message(
  inOrder(['header', header], ['ID', 'int'], ['TTL', 'int'], ['error', 'text']),
);
const watchCreateRequest = message([
  ...inOrder(
    ['key', 'bytes'],
    ['range_end', 'bytes'],
    ['start_revision', 'int'],
    ['progress_notify', 'bool'],
  ),
  { tag: 6, name: 'prev_kv', type: 'bool' },
  { tag: 8, name: 'fragment', type: 'bool' },
]);
const watchRequest = message(
  [
    { tag: 1, name: 'create_request', type: watchCreateRequest },
    { tag: 3, name: 'progress_request', type: message([]) },
  ],
  true,
);
const event = message(
  inOrder(['type', { names: ['Put', 'Delete'] }], ['kv', keyValue], ['prev_kv', keyValue]),
);
const watchResponse = message([
  ...inOrder(
    ['header', header],
    ['watch_id', 'int'],
    ['created', 'bool'],
    ['canceled', 'bool'],
    ['compact_revision', 'int'],
    ['cancel_reason', 'text'],
    ['fragment', 'bool'],
  ),
  { tag: 11, name: 'events', type: event, repeated: true },
]);

/** Calls with one answer. */
export const UNARY_METHODS = {
  range: { path: '/etcdserverpb.KV/Range', request: rangeRequest, response: rangeResponse },
  txn: { path: '/etcdserverpb.KV/Txn', request: txnRequest, response: txnResponse },
  compact: {
    path: '/etcdserverpb.KV/Compact',
    request: compactionRequest,
    response: message(inOrder(['header', header])),
  },
  leaseGrant: {
    path: '/etcdserverpb.Lease/LeaseGrant',
    request: leaseGrantRequest,
    response: leaseGrantResponse,
  },
  status: {
    path: '/etcdserverpb.Maintenance/Status',
    request: message([]),
    response: statusResponse,
  },
} as const;

export const WATCH = {
  path: '/etcdserverpb.Watch/Watch',
  request: watchRequest,
  response: watchResponse,
} as const;
