import { StatusError, newBadRequest, newExpired } from '@orrery/apimachinery';
import { parseDuration, randomSuffix, toTime } from '@orrery/component';
import type { Clock, Random } from '@orrery/component';
import type { History, Pin, Pins } from '@orrery/storage';
import { isStorageError } from '@orrery/storage';
import type { ApiRequest } from '../filters/api-request.js';
import { sendDocument } from '../rest/send.js';

export interface AtRootDeps {
  readonly history: History;
  readonly pins: Pins;
  readonly clock: Clock;
  readonly random: Random;
  readonly retention: string;
}

const API_VERSION = 'orrery.dev/v1';
/** Longest time for which history can be kept for one who only looks at it. */
const LONGEST_PIN_MS = 7 * 24 * 3_600_000;
/** Most pins that there may be at once, forks' included. */
const MOST_PINS = 1000;

const pinDocument = ({ id, revision, owner, deadline }: Pin): Record<string, unknown> => ({
  id,
  revision,
  owner,
  ...(deadline === undefined ? {} : { until: toTime(deadline) }),
});

/** What lies at /at/ itself: how far the past reaches, what a moment means, and the pins that keep one. */
export class AtRoot {
  constructor(private readonly deps: AtRootDeps) {}

  /** GET /at/: the range of the history and its pins. */
  async range(request: ApiRequest): Promise<void> {
    const { history, pins, clock, retention } = this.deps;
    if (request.method !== 'GET') throw notAllowed(request);
    const { oldest, current } = await history.range();
    const live = await pins.live(clock.now());
    await sendDocument(request, request.reply, {
      kind: 'History',
      apiVersion: API_VERSION,
      oldest: await this.moment(oldest),
      newest: await this.moment(current),
      retention,
      pins: live.map(pinDocument),
    });
  }

  /** /at/<moment>: GET says which revision it is, POST pins it (?for=8h), DELETE lets go of a pin (?pin=id). */
  async at(request: ApiRequest, revision: number): Promise<void> {
    const document = { kind: 'Moment', apiVersion: API_VERSION, ...(await this.moment(revision)) };
    if (request.method === 'GET') await sendDocument(request, request.reply, document);
    else if (request.method === 'POST') {
      const pin = await this.pin(request, revision);
      await sendDocument(request, request.reply, { ...document, pin: pinDocument(pin) }, 201);
    } else if (request.method === 'DELETE') {
      const id = request.query.get('pin') ?? '';
      if (!isOwnId(id)) throw newBadRequest('?pin= names no pin of /at/');
      const released = await this.deps.pins.release(id);
      await sendDocument(request, request.reply, { ...document, released });
    } else throw notAllowed(request);
  }

  private async moment(revision: number): Promise<Record<string, unknown>> {
    const known = await this.deps.history.timeOf(revision);
    return { revision, ...(known ? { time: toTime(known.time) } : {}) };
  }

  private async pin(request: ApiRequest, revision: number): Promise<Pin> {
    const { pins, clock, random } = this.deps;
    const text = request.query.get('for') ?? '';
    const ms = parseDuration(text) ?? 0;
    if (ms <= 0 || ms > LONGEST_PIN_MS)
      throw newBadRequest('?for= says how long the moment is kept: a duration of at most 168h');
    const given = request.query.get('pin') ?? '';
    if (given !== '' && !isOwnId(given)) throw newBadRequest('?pin= names no pin of /at/');
    if ((await pins.all()).length >= MOST_PINS)
      throw new StatusError(429, 'TooManyRequests', `there are ${MOST_PINS} pins already`);
    const now = clock.now();
    try {
      return await pins.create(given || `at-${randomSuffix(random, 10)}`, {
        revision,
        owner: `/at/${revision} of ${request.context.user.name}`,
        time: now,
        deadline: now + ms,
      });
    } catch (error) {
      if (isStorageError(error, 'compacted')) throw newExpired(String((error as Error).message));
      throw error;
    }
  }
}

/** Pins of forks and of others are not this path's to change. */
const isOwnId = (id: string): boolean => /^at-[a-z0-9]{5,40}$/.test(id);

const notAllowed = ({ method, path }: ApiRequest): StatusError =>
  new StatusError(405, 'MethodNotAllowed', `${method} is not supported at ${path}`);
