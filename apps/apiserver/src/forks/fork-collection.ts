import {
  StatusError,
  newAlreadyExists,
  newBadRequest,
  newExpired,
  newNotFound,
} from '@orrery/apimachinery';
import type { Clock, Random } from '@orrery/component';
import { randomSuffix, toTime } from '@orrery/component';
import { generateKeyPair, privateKeyToPem } from '@orrery/pki';
import { History, isStorageError } from '@orrery/storage';
import type { EtcdStorage, Fork, Forks } from '@orrery/storage';
import { parseMoment } from '../at/moment.js';
import type { ApiRequest } from '../filters/api-request.js';
import { sendDocument } from '../rest/send.js';
import { toDocument, toListDocument } from './fork-document.js';

export const FORKS = { group: 'orrery.dev', resource: 'forks' } as const;

/** A name is a segment of paths and of keys: as a DNS label. */
const NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

export interface CollectionDeps {
  readonly forks: Forks;
  readonly etcd: EtcdStorage;
  readonly clock: Clock;
  readonly random: Random;
}

interface Wanted {
  readonly name: string;
  readonly at?: string;
}

function parseWanted({ body }: ApiRequest, generated: string): Wanted {
  let wanted: unknown = {};
  try {
    if (body.length > 0) wanted = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw newBadRequest(
      'the body of a request for a fork is JSON: {"name": "x", "at": "41"}',
      cause,
    );
  }
  const { name = generated, at, ...rest } = (wanted ?? {}) as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw newBadRequest(`a fork is asked for by name and at, not ${unknown}`);
  if (typeof name !== 'string' || !NAME.test(name))
    throw newBadRequest(
      `${JSON.stringify(name)} is no name for a fork: lower-case letters, digits and '-', at most 63`,
    );
  if (at === undefined || at === '') return { name };
  if (typeof at !== 'string' && typeof at !== 'number')
    throw newBadRequest('at is a revision, a time or a time ago');
  return { name, at: String(at) };
}

/** `/forks` and `/forks/<name>`: forks are made, listed, told of and removed. */
export class ForkCollection {
  private readonly history: History;

  constructor(private readonly deps: CollectionDeps) {
    this.history = new History(deps.etcd);
  }

  async serve(name: string, request: ApiRequest): Promise<void> {
    const { reply, method } = request;
    if (name === '' && method === 'POST') {
      const fork = await this.create(request);
      await sendDocument(request, reply, toDocument(fork), 201);
    } else if (method === 'GET') {
      const document =
        name === ''
          ? toListDocument(await this.deps.forks.list())
          : toDocument(await this.find(name));
      await sendDocument(request, reply, document);
    } else if (name !== '' && method === 'DELETE') {
      await this.remove(name);
      const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };
      await sendDocument(request, reply, { ...status, details: { name, kind: 'forks' } });
    } else {
      const text =
        'forks are made with POST /forks, listed and read with GET, removed with DELETE /forks/<name>';
      throw new StatusError(405, 'MethodNotAllowed', text);
    }
  }

  private async create(request: ApiRequest): Promise<Fork> {
    const { forks, random } = this.deps;
    const { name, at } = parseWanted(request, `fork-${randomSuffix(random, 5)}`);
    const revision = at === undefined ? undefined : await this.revisionOf(at);
    const { privateKey } = await generateKeyPair();
    try {
      return await forks.create({
        name,
        user: request.context.user.name,
        issuerKey: privateKeyToPem(privateKey),
        ...(revision === undefined ? {} : { at: revision }),
      });
    } catch (error) {
      if (isStorageError(error, 'exists')) throw newAlreadyExists(FORKS, name);
      if (isStorageError(error, 'compacted')) throw await this.expired(`revision ${revision ?? 0}`);
      throw error;
    }
  }

  private async revisionOf(at: string): Promise<number> {
    const now = this.deps.clock.now();
    const moment = parseMoment(at, now);
    if (moment.kind === 'time') {
      if (moment.time > now) throw newBadRequest(`${toTime(moment.time)} lies in the future`);
      const revision = await this.history.revisionAt(moment.time);
      if (revision === undefined) throw await this.expired(toTime(moment.time));
      return revision;
    }
    const current = await this.history.current();
    if (moment.revision > current)
      throw newBadRequest(
        `revision ${moment.revision} lies in the future: the cluster is at revision ${current}`,
      );
    if (!(await this.history.has(moment.revision)))
      throw await this.expired(`revision ${moment.revision}`);
    return moment.revision;
  }

  private async expired(what: string): Promise<StatusError> {
    const { oldest, current } = await this.history.range();
    return newExpired(
      `${what} is no longer in the history: the oldest revision left is ${oldest}, the newest is ${current}`,
    );
  }

  private async find(name: string): Promise<Fork> {
    const fork = await this.deps.forks.find(name);
    if (!fork) throw newNotFound(FORKS, name);
    return fork;
  }

  private async remove(name: string): Promise<void> {
    if (!(await this.deps.forks.remove(name))) throw newNotFound(FORKS, name);
  }
}
