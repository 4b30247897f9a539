import type { WatchResponse } from '@orrery/checker';
import type { Call, HttpReply, Json } from '../load/http-session.js';
import { field, reasonOf } from '../load/http-session.js';
import { STATES } from './states.js';

type Query = Readonly<Record<string, string>>;

const isMalformed = (rv: string): boolean => !/^\d+$/.test(rv);

/** `/api/v1/configmaps` is every namespace, `/api/v1/namespaces/x/configmaps` one. */
const isNamespaced = (path: string): boolean => path.startsWith('/api/v1/namespaces/');
/** `…/namespaces/x/configmaps/y` */
const isObjectPath = (path: string): boolean => path.split('/').length >= 7;

/** A list or watch of one object by its name. */
const isSingle = (query: Query): boolean =>
  (query['fieldSelector'] ?? '').startsWith('metadata.name=');

/**
 * Which states of the storage API a run has been through: upstream's categories (k8s
 * apiserver/pkg/storage/testing/coverage: categories.go, tracker.go), read from the requests and answers of HTTP.
 */
export class StateCoverage {
  private readonly hits = new Map<string, number>();

  hit(...states: readonly string[]): void {
    for (const state of states) this.hits.set(state, (this.hits.get(state) ?? 0) + 1);
  }

  get covered(): readonly string[] {
    return STATES.filter((state) => this.hits.has(state));
  }

  get missing(): readonly string[] {
    return STATES.filter((state) => !this.hits.has(state));
  }

  count(state: string): number {
    return this.hits.get(state) ?? 0;
  }

  /** A request other than a watch, with its whole answer. */
  call(
    { method, path, query = {}, body, contentType }: Omit<Call, 'server'>,
    reply: Omit<HttpReply, 'wasSent'>,
  ): void {
    const { code = 0, json } = reply;
    if (!path.includes('/configmaps')) {
      if (method === 'DELETE' && code === 403)
        this.hit(
          'Mutation Op: Delete',
          'Delete Path: Admission Validation Reject',
          'Mutation Outcome: Validation Rejected',
        );
      return;
    }
    if (method === 'GET' && isObjectPath(path)) this.get(query, code, json);
    else if (method === 'GET') this.list(path, query, { code, json });
    else this.mutation({ method, body, contentType }, code, json);
  }

  watch({ path, query = {} }: Pick<Call, 'path' | 'query'>, code: number): void {
    const rv = query['resourceVersion'];
    if (query['sendInitialEvents'] === 'true')
      this.hit('Watch Mode: WatchList Snapshot (SendInitialEvents)');
    else if (rv === undefined) this.hit('Watch Mode: Standard Live Stream');
    else if (rv === '0') this.hit('Watch Mode: History Stream (RV = "0")');
    else this.hit('Watch Mode: Historical Stream (RV = "R")');
    this.scope('Watch', path, query);
    this.filter('Watch', query);
    if (code === 410)
      this.hit('Watch Mode: Compacted Stream', 'Watch Outcome: Err TooOld / 410 Gone');
  }

  watchEvent(event: WatchResponse): void {
    const stream = 'Watch Outcome: Continuous Event Delivery';
    if (event.type === 'ADDED') this.hit('Watch Event: Added (Create / Filter Enter)', stream);
    else if (event.type === 'MODIFIED')
      this.hit('Watch Event: Modified (Update in Filter)', stream);
    else if (event.type === 'DELETED')
      this.hit('Watch Event: Deleted (Delete / Filter Exit)', stream);
    else if (event.type === 'BOOKMARK')
      this.hit(
        event.initialEventsEnd
          ? 'Watch Bookmark: initial-events-end'
          : 'Watch Bookmark: Progress / Quiescent',
      );
    else if (event.type === 'ERROR' && event.code === 410)
      this.hit('Watch Mode: Compacted Stream', 'Watch Outcome: Err TooOld / 410 Gone');
  }

  private get(query: Query, code: number, json: Json | undefined): void {
    this.revision('Get', query['resourceVersion'], reasonOf(json));
    this.hit('Get Option: IgnoreNotFound (false)');
    if (code === 200) this.hit('Get Key: Existing Object', 'Get Outcome: Found Object');
    else if (code === 404) this.hit('Get Key: Non-Existing Object', 'Get Outcome: NotFound (404)');
    else this.readError('Get', code, reasonOf(json));
  }

  private list(
    path: string,
    query: Query,
    { code, json }: Pick<HttpReply, 'json'> & { code: number },
  ): void {
    this.revision('List', query['resourceVersion'], reasonOf(json));
    this.match(query['resourceVersionMatch']);
    const { limit, continue: token } = query;
    if (token !== undefined) this.hit('List Pagination: Continue Token Drained');
    else
      this.hit(
        limit === undefined
          ? 'List Pagination: Unpaged'
          : 'List Pagination: Initial Chunk (Limit > 0)',
      );
    if (token !== undefined && Number(query['resourceVersion'] ?? 0) > 0)
      this.hit('List Pagination: RV + Continue Conflict');
    this.scope('List', path, query);
    this.filter('List', query);
    if (code !== 200) {
      this.readError('List', code, reasonOf(json));
      return;
    }
    const items = field(json, 'items');
    if (token !== undefined || limit !== undefined) this.hit('List Outcome: Success Paged');
    else if (Array.isArray(items) && items.length > 0) this.hit('List Outcome: Success Full');
    else this.hit('List Outcome: Success Empty', 'List Filter: Zero Match Filter');
  }

  private revision(verb: 'Get' | 'List', rv: string | undefined, reason: string | undefined): void {
    if (rv === undefined) this.hit(`${verb} RV: Quorum / Latest ("")`);
    else if (rv === '0') this.hit(`${verb} RV: Cache-Any ("0")`);
    else if (isMalformed(rv)) this.hit(`${verb} RV: Malformed ("abc")`);
    else if (reason === 'ResourceVersionTooLarge') this.hit(`${verb} RV: Future / Too Large`);
    else if (reason === 'Expired') this.hit(`${verb} RV: Compacted / Too Old`);
    else this.hit(`${verb} RV: Past Committed Snapshot`);
  }

  private readError(verb: 'Get' | 'List', code: number, reason: string | undefined): void {
    if (reason === 'ResourceVersionTooLarge') this.hit(`${verb} Outcome: Err TooLarge`);
    else if (code === 410) this.hit(`${verb} Outcome: Err TooOld / Expired`);
    else if (code === 400 || code === 422) this.hit(`${verb} Outcome: Err Invalid / Parse`);
  }

  private match(match: string | undefined): void {
    if (match === undefined) this.hit('List Match: Unset');
    else if (match === 'Exact') this.hit('List Match: Exact');
    else this.hit(match === 'NotOlderThan' ? 'List Match: NotOlderThan' : 'List Match: Invalid');
  }

  private scope(verb: 'List' | 'Watch', path: string, query: Query): void {
    if (isSingle(query))
      this.hit(verb === 'List' ? 'List Scope: Non-Recursive Key' : 'Watch Scope: Single Key');
    else if (isNamespaced(path)) this.hit(`${verb} Scope: Subtree Namespace`);
    else this.hit(`${verb} Scope: Root Prefix`);
  }

  private filter(verb: 'List' | 'Watch', { labelSelector, fieldSelector }: Query): void {
    if (labelSelector !== undefined) this.hit(`${verb} Filter: Label Selector`);
    if (fieldSelector !== undefined) this.hit(`${verb} Filter: Field Selector`);
    if (labelSelector === undefined && fieldSelector === undefined)
      this.hit(`${verb} Filter: Unfiltered (Everything)`);
  }

  private mutation(
    { method, body, contentType }: Pick<Call, 'method' | 'body' | 'contentType'>,
    code: number,
    json: Json | undefined,
  ): void {
    const names: Readonly<Record<string, string>> = { POST: 'Create', DELETE: 'Delete' };
    this.hit(`Mutation Op: ${names[method] ?? 'Update'}`);
    const rv =
      method === 'DELETE'
        ? field(body, 'preconditions', 'resourceVersion')
        : field(body, 'metadata', 'resourceVersion');
    const isRefused = code === 409 && reasonOf(json) === 'Conflict';
    if (rv === undefined) this.hit('Precondition: None (Unconditional)');
    else
      this.hit(
        isRefused
          ? 'Precondition: Stale / Mismatched RV'
          : 'Precondition: Matching ResourceVersion',
      );
    if (method === 'PUT' || method === 'PATCH') this.update({ body, contentType, rv }, code, json);
    this.outcome(code, isRefused);
    if (method === 'DELETE' && code === 404) this.hit('Delete Path: Key Not Found');
  }

  private outcome(code: number, isRefused: boolean): void {
    if (code < 300) this.hit('Mutation Outcome: Success');
    else if (code === 404) this.hit('Mutation Outcome: Key Not Found (404)');
    else if (isRefused) this.hit('Mutation Outcome: Precondition Failed');
    else if (code === 409) this.hit('Mutation Outcome: Key Already Exists (409)');
    else if (code === 422 || code === 403) this.hit('Mutation Outcome: Validation Rejected');
  }

  private update(
    { contentType, rv }: Pick<Call, 'body' | 'contentType'> & { rv: unknown },
    code: number,
    json: Json | undefined,
  ): void {
    if (code === 201 && contentType === 'application/apply-patch+yaml')
      this.hit('Update Path: Upsert (IgnoreNotFound)');
    else if (code === 200)
      this.hit(
        rv !== undefined && field(json, 'metadata', 'resourceVersion') === rv
          ? 'Update Path: Short-Circuit / No-Op'
          : 'Update Path: Mutating State Change',
      );
  }
}
