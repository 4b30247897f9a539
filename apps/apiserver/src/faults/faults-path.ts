import { StatusError } from '@orrery/apimachinery';
import { ConfigError, validateConfig } from '@orrery/component';
import type { ApiRequest, ApiResponse } from '../filters/api-request.js';
import type { PathHandler } from '../subresources.js';
import { FaultRule, WatchFault } from './fault-rule.js';
import type { RequestFaults } from './request-faults.js';

const json = (body: unknown, status = 200): ApiResponse => ({
  status,
  contentType: 'application/json',
  body: `${JSON.stringify(body)}\n`,
});

function bodyOf<T extends object>(request: ApiRequest, Dto: new () => T): T {
  let plain: unknown;
  try {
    plain = JSON.parse(request.body.toString('utf8'));
  } catch (cause) {
    throw new StatusError(400, 'BadRequest', 'the body is not JSON', { cause });
  }
  try {
    return validateConfig(Dto, plain, 'fault');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new StatusError(422, 'Invalid', error.message, { cause: error });
  }
}

function refuse({ method, path }: ApiRequest): StatusError {
  return new StatusError(405, 'MethodNotAllowed', `${method} is not supported on ${path}`);
}

function serveRules(request: ApiRequest, faults: RequestFaults): ApiResponse {
  if (request.method === 'GET') return json({ rules: faults.list() });
  if (request.method === 'DELETE') return json({ removed: faults.remove() });
  if (request.method !== 'POST') throw refuse(request);
  return json({ id: faults.add(bodyOf(request, FaultRule)) }, 201);
}

function serveWatches(request: ApiRequest, faults: RequestFaults): ApiResponse {
  if (request.method !== 'POST') throw refuse(request);
  return json({ watches: faults.strike(bodyOf(request, WatchFault)) });
}

function serveRule(request: ApiRequest, id: string, faults: RequestFaults): ApiResponse {
  if (request.method !== 'DELETE') throw refuse(request);
  if (faults.remove(id) === 0)
    throw new StatusError(404, 'NotFound', `there is no fault rule ${id}; it may be over`);
  return json({ removed: 1 });
}

/** `/faults` (--enable-faults): rules for requests, `/faults/ID`, and what befalls the open watches at `/faults/watches`. */
export function faultPaths(faults: RequestFaults): PathHandler[] {
  const serve = (request: ApiRequest): Promise<ApiResponse> => {
    const [, , id = ''] = request.path.split('/');
    if (id === '') return Promise.resolve(serveRules(request, faults));
    if (id === 'watches') return Promise.resolve(serveWatches(request, faults));
    return Promise.resolve(serveRule(request, id, faults));
  };
  return [
    { path: '/faults', handle: async (request) => serve(request) },
    { path: '/faults/', handle: async (request) => serve(request) },
  ];
}
