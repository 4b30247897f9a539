import { StatusError } from '@orrery/apimachinery';
import type { ApiRequest } from '../filters/api-request.js';
import { MEDIA_TYPES, negotiate } from './accept.js';

/** What routes of built-in resources and of their discovery produce. */
const ALL = Object.values(MEDIA_TYPES);

/** 406 in the words of the router. */
const noRoute = (produced: readonly string[]): StatusError =>
  new StatusError(
    406,
    'NotAcceptable',
    `406: Not Acceptable\n\nAvailable representations: ${produced.join(', ')}`,
    { details: {} },
  );

/**
 * Refuses what the router has no route for: it compares the types as they are written, and of patterns knows the full one only
 * (emicklei/go-restful route.go:matchesAccept). `more`: types that are told, but that no such header names. Throws 406.
 */
export function requireRoute(
  accept: string | undefined,
  produced: readonly string[] = ALL,
  more: readonly string[] = [],
): void {
  if (accept === undefined || accept === '') return;
  for (const type of typesIn(accept)) if (type === '*/*' || produced.includes(type)) return;
  throw noRoute([...produced, ...more]);
}

/** The types of a header's ranges, one by one: it may be a megabyte, of which nothing is kept. */
function* typesIn(accept: string): Generator<string, void> {
  for (let [from, to] = [0, 0]; to < accept.length; from = to + 1) {
    const comma = accept.indexOf(',', from);
    to = comma < 0 ? accept.length : comma;
    const range = accept.slice(from, to);
    const end = range.indexOf(';');
    yield (end < 0 ? range : range.slice(0, end)).trim();
  }
}

/** Refuses what a document that is no stored object cannot be written in. Throws 406. */
export function requireDocument({ headers, query, context }: ApiRequest): void {
  negotiate({
    accept: headers.accept,
    userAgent: context.userAgent,
    query,
    offered: ['json', 'yaml', 'protobuf'],
    transformable: false,
  });
}
