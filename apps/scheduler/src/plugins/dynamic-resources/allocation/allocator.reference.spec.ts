import { describe, expect, it } from '@jest/globals';
import type { Device, DeviceRequest, ResourceClaim } from '@orrery/api';
import fc from 'fast-check';
import { node } from '../../../../test/builders.js';
import { DRIVER, claim, deviceClass, given, nodeSlice } from '../../../../test/devices.js';
import { Allocator } from './allocator.js';
import { Selectors } from './selectors.js';
import { TakenDevices } from '../../../cache/taken-devices.js';

/** A long run: SCHEDULER_RUNS=100000 npm run unit -- dynamic-resources/allocation/allocator.reference */
const RUNS = Number(process.env['SCHEDULER_RUNS'] ?? 400);
const LIMIT_MS = 20_000 + RUNS * 50;
const COUNTER = 4;
const MEMORY = 3;

interface Shape {
  readonly color: string | undefined;
  readonly tainted: boolean;
  readonly shared: boolean;
  readonly consumes: number;
  readonly taken: boolean;
}

interface AskShape {
  readonly all: boolean;
  readonly count: number;
  readonly color: string | undefined;
  readonly tolerates: boolean;
  readonly admin: boolean;
  readonly memory: number;
}

interface RequestShape {
  readonly asks: readonly AskShape[];
}

interface ClaimShape {
  readonly requests: readonly RequestShape[];
  readonly constraint: 'matchAttribute' | 'distinctAttribute' | undefined;
}

interface WorldShape {
  readonly devices: readonly Shape[];
  readonly claims: readonly ClaimShape[];
}

const color = fc.constantFrom(undefined, 'red', 'blue');
const world: fc.Arbitrary<WorldShape> = fc.record({
  devices: fc.array(
    fc.record({
      color,
      tainted: fc.boolean(),
      shared: fc.boolean(),
      consumes: fc.constantFrom(0, 0, 1, 2, 3),
      taken: fc.constantFrom(false, false, true),
    }),
    { maxLength: 5 },
  ),
  claims: fc.array(
    fc.record({
      requests: fc.array(
        fc.record({
          asks: fc.array(
            fc.record({
              all: fc.constantFrom(false, false, false, true),
              count: fc.integer({ min: 1, max: 2 }),
              color,
              tolerates: fc.boolean(),
              admin: fc.constantFrom(false, false, true),
              memory: fc.constantFrom(0, 1, 2),
            }),
            { minLength: 1, maxLength: 2 },
          ),
        }),
        { minLength: 1, maxLength: 2 },
      ),
      constraint: fc.constantFrom(
        undefined,
        'matchAttribute' as const,
        'distinctAttribute' as const,
      ),
    }),
    { minLength: 1, maxLength: 2 },
  ),
});

/** All of a kind cannot be wanted where a constraint may keep some out: that is an error, not a refusal. */
const isAsked = ({ claims }: WorldShape): boolean =>
  claims.every(
    ({ requests, constraint }) =>
      !constraint || requests.every(({ asks }) => asks.every(({ all }) => !all)),
  );

const deviceName = (i: number): string => `d${i}`;
const claimName = (i: number): string => `c${i}`;

function toDevice({ color: string, tainted, shared, consumes }: Shape, i: number): Device {
  return {
    name: deviceName(i),
    capacity: { memory: { value: String(MEMORY) } },
    ...(string ? { attributes: { color: { string } } } : {}),
    ...(tainted ? { taints: [{ key: 'k', effect: 'NoSchedule' as const }] } : {}),
    ...(shared ? { allowMultipleAllocations: true } : {}),
    ...(consumes
      ? { consumesCounters: [{ counterSet: 's', counters: { c: { value: String(consumes) } } }] }
      : {}),
  };
}

function toWanted({ all, count, color: wanted, tolerates, memory }: AskShape) {
  const domain = `device.attributes["${DRIVER}"]`;
  return {
    deviceClassName: 'gpu',
    ...(all
      ? { allocationMode: 'All' as const }
      : { allocationMode: 'ExactCount' as const, count }),
    ...(wanted
      ? {
          selectors: [
            { cel: { expression: `has(${domain}.color) && ${domain}.color == "${wanted}"` } },
          ],
        }
      : {}),
    ...(tolerates ? { tolerations: [{ operator: 'Exists' as const }] } : {}),
    ...(memory ? { capacity: { requests: { memory: String(memory) } } } : {}),
  };
}

/** Alternatives are never for administrators. */
function toRequest({ asks }: RequestShape, i: number): DeviceRequest {
  const [only, second] = asks;
  if (only && !second)
    return {
      name: `r${i}`,
      exactly: { ...toWanted(only), ...(only.admin ? { adminAccess: true } : {}) },
    };
  const firstAvailable = asks.map((ask, k) => ({ name: `a${k}`, ...toWanted(ask) }));
  return { name: `r${i}`, firstAvailable };
}

const toClaim = ({ requests, constraint }: ClaimShape, i: number): ResourceClaim =>
  claim(
    claimName(i),
    requests.map(toRequest),
    constraint ? [{ [constraint]: `${DRIVER}/color` }] : [],
  );

function allocate({ devices, claims }: WorldShape): string[][] | undefined {
  const pool = { name: 'n1', generation: 1, resourceSliceCount: 2 };
  const taken = new TakenDevices();
  for (const [i, { taken: isTaken, shared }] of devices.entries()) {
    const place = { request: 'r', driver: DRIVER, pool: 'n1', device: deviceName(i) };
    const share = { shareID: 'x', consumedCapacity: { memory: '2' } };
    if (isTaken) taken.add({ devices: { results: [{ ...place, ...(shared ? share : {}) }] } });
  }
  const counters = [{ name: 's', counters: { c: { value: String(COUNTER) } } }];
  const allocator = new Allocator({
    slices: [
      nodeSlice('n1', devices.map(toDevice), { pool }),
      {
        ...nodeSlice('n1', [], { pool, sharedCounters: counters }),
        metadata: { name: 'counters' },
      },
    ],
    classes: () => deviceClass('gpu'),
    taken,
    selectors: new Selectors(),
    uuid: () => 'uuid',
  });
  return allocator.allocate(node('n1').build(), claims.map(toClaim))?.map(given);
}

interface Pick {
  readonly claim: number;
  readonly name: string;
  readonly ask: AskShape;
  readonly admin: boolean;
  readonly devices: readonly number[];
}

function* combinations(of: readonly number[], size: number): Iterable<readonly number[]> {
  if (size === 0) yield [];
  for (const [i, first] of of.entries())
    if (size > 0)
      for (const rest of combinations(of.slice(i + 1), size - 1)) yield [first, ...rest];
}

/** Every way in which one request may be satisfied were it alone, the best first. */
function* waysOf(
  { devices }: WorldShape,
  at: number,
  index: number,
  { asks }: RequestShape,
): Iterable<Pick> {
  for (const [k, ask] of asks.entries()) {
    const fits = [...devices.keys()].filter((i) => !ask.color || devices[i]?.color === ask.color);
    const name = asks.length > 1 ? `r${index}/a${k}` : `r${index}`;
    const admin = asks.length === 1 && ask.admin;
    if (ask.all && fits.length === 0) continue;
    const sets = ask.all ? [fits] : combinations(fits, ask.count);
    for (const set of sets) yield { claim: at, name, ask, admin, devices: set };
  }
}

function* products(ways: readonly (readonly Pick[])[]): Iterable<readonly Pick[]> {
  const [first, ...rest] = ways;
  if (!first) yield [];
  else for (const way of first) for (const more of products(rest)) yield [way, ...more];
}

interface Use {
  readonly pick: Pick;
  readonly device: number;
}

/** Alone: nobody else has it; for administrators the same claim does not. Shared: the capacity suffices. */
function isRoom(uses: readonly Use[], { taken, shared }: Shape): boolean {
  if (shared) {
    // Who asks for nothing takes all.
    const sum = uses.reduce((all, { pick }) => all + (pick.ask.memory || MEMORY), taken ? 2 : 0);
    return sum <= MEMORY;
  }
  const alone = uses.filter(({ pick }) => !pick.admin);
  const twice = uses.some((a) => uses.some((b) => a !== b && a.pick.claim === b.pick.claim));
  return alone.length <= 1 && (alone.length === 0 || (!taken && isFirst(uses, alone))) && !twice;
}

/** Administrators may come later, but who wants the device alone does not come after them. */
const isFirst = (uses: readonly Use[], alone: readonly Use[]): boolean => uses[0] === alone[0];

/**
 * A shared device takes of the counters once; one that many administrators have takes for each. Who takes nothing
 * fits where too much is taken already.
 */
function areCountersEnough(uses: readonly Use[], devices: readonly Shape[]): boolean {
  let sum = 0;
  for (const [i, { consumes, shared, taken }] of devices.entries()) {
    const users = uses.filter(({ device }) => device === i).length;
    const times = shared ? Number(users > 0 || taken) : users + Number(taken);
    sum += consumes * times;
  }
  const before = devices.reduce((all, { taken, consumes }) => all + (taken ? consumes : 0), 0);
  return sum <= COUNTER || sum === before;
}

function isConstrained(uses: readonly Use[], { claims, devices }: WorldShape): boolean {
  return claims.every(({ constraint }, i) => {
    if (!constraint) return true;
    const colors = uses
      .filter(({ pick }) => pick.claim === i)
      .map(({ device }) => devices[device]?.color);
    if (colors.includes(undefined)) return false;
    const values = new Set(colors).size;
    return constraint === 'matchAttribute' ? values <= 1 : values === colors.length;
  });
}

function isValid(picks: readonly Pick[], shape: WorldShape): boolean {
  const { devices } = shape;
  const uses = picks.flatMap((pick) => pick.devices.map((device) => ({ pick, device })));
  const tolerated = uses.every(
    ({ pick, device }) => pick.ask.tolerates || !devices[device]?.tainted,
  );
  const room = devices.every((each, i) =>
    isRoom(
      uses.filter(({ device }) => device === i),
      each,
    ),
  );
  return tolerated && room && areCountersEnough(uses, devices) && isConstrained(uses, shape);
}

/** The first way of all that there are, tried one by one. */
function reference(shape: WorldShape): string[][] | undefined {
  const ways = shape.claims.flatMap(({ requests }, at) =>
    requests.map((each, index) => [...waysOf(shape, at, index, each)]),
  );
  for (const picks of products(ways)) {
    if (!isValid(picks, shape)) continue;
    return shape.claims.map((_, at) =>
      picks
        .filter((pick) => pick.claim === at)
        .flatMap(({ name, devices }) => devices.map((device) => `${name}=${deviceName(device)}`)),
    );
  }
  return undefined;
}

describe('the allocator', () => {
  it(
    'finds what trying everything finds first',
    () => {
      fc.assert(
        fc.property(world.filter(isAsked), (shape) => {
          expect(allocate(shape)).toEqual(reference(shape));
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );
});
