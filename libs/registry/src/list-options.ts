import type { FieldError, KubeObject } from '@orrery/apimachinery';
import {
  FieldPath,
  StatusError,
  forbidden,
  newBadRequest,
  newInvalid,
  notSupported,
} from '@orrery/apimachinery';

/** The options of list and watch, decoded but not yet judged. */
export interface ListRequest {
  readonly namespace?: string;
  /** Only the object of this name is asked for: one key is read or watched instead of the collection. */
  readonly name?: string;
  /** Absent = everything matches. */
  readonly predicate?: (object: KubeObject) => boolean;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly limit: number;
  readonly continueToken: string;
}

export interface WatchRequest extends Omit<ListRequest, 'limit' | 'continueToken'> {
  /** No watch goes on from one; it is refused where a list would begin. */
  readonly continueToken?: string;
  readonly sendInitialEvents?: boolean;
  readonly allowBookmarks: boolean;
  /** Ends the watch: client gone, server stopping or timeoutSeconds over. */
  readonly signal: AbortSignal;
}

const MATCH = FieldPath.of('resourceVersionMatch');
const NOT_OLDER = 'NotOlderThan';

const UINT64 = 2n ** 64n;

/** Reads a resourceVersion; '' is undefined. Throws what upstream says to a list, or, of a get or a watch, lets out. */
export function parseResourceVersion(
  text: string,
  verb: 'get' | 'list' | 'watch',
): number | undefined {
  if (text === '') return undefined;
  const isNumber = /^\d+$/.test(text);
  if (isNumber && BigInt(text) < UINT64) return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
  const value = JSON.stringify(text);
  const problem = isNumber ? 'value out of range' : 'invalid syntax';
  const message = `resourceVersion: Invalid value: ${value}: strconv.ParseUint: parsing ${value}: ${problem}`;
  throw verb === 'list'
    ? newBadRequest(`invalid resource version: ${message}`)
    : new StatusError(500, '', message);
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0)
    throw newInvalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
}

/** k8s apimachinery pkg/apis/meta/internalversion/validation:ValidateListOptions, for lists. */
export function validateListRequest(request: ListRequest): void {
  const { resourceVersion: rv, resourceVersionMatch: match } = request;
  if (match === '') return;
  const errors: FieldError[] = [];
  if (rv === '') {
    errors.push(
      forbidden(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
    );
  }
  if (request.continueToken !== '') {
    errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    errors.push({
      type: 'FieldValueNotSupported',
      field: 'resourceVersionMatch',
      message: `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
    });
  } else if (match === 'Exact' && rv === '0') {
    errors.push(
      forbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
    );
  }
  refuse(errors);
}

/** The same for watches (validation.go:validateWatchOptions, defaults.go:SetListOptionsDefaults). */
export function validateWatchRequest(request: WatchRequest): void {
  const { resourceVersionMatch, sendInitialEvents, resourceVersion } = request;
  // One that begins anywhere, and says nothing else, is taken for one that begins with what there is.
  const isLegacy =
    sendInitialEvents === undefined &&
    resourceVersionMatch === '' &&
    (resourceVersion === '' || resourceVersion === '0');
  const match = isLegacy ? NOT_OLDER : resourceVersionMatch;
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined && match !== NOT_OLDER)
    errors.push(
      forbidden(MATCH, `sendInitialEvents requires setting resourceVersionMatch to ${NOT_OLDER}`),
    );
  if (match !== '') {
    if (sendInitialEvents === undefined && !isLegacy)
      errors.push(
        forbidden(
          MATCH,
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
      );
    if (match !== NOT_OLDER) errors.push(notSupported(MATCH, match, [NOT_OLDER]));
    if ((request.continueToken ?? '') !== '')
      errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  refuse(errors);
}
