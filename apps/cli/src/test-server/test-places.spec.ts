import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestPlaces } from './test-places.js';

describe(TestPlaces.name, () => {
  let folder: string;
  let places: TestPlaces;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'test-places-'));
    places = new TestPlaces(folder);
  });
  afterEach(async () => {
    await places.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const used = async (): Promise<Awaited<ReturnType<TestPlaces['take']>>> => {
    const place = await places.take();
    mkdirSync(join(place.files.dir, 'pki'), { recursive: true });
    writeFileSync(place.files.adminConf, 'mine');
    return place;
  };

  it('gives clusters that run at once a folder and a block each', async () => {
    const [first, second] = [await used(), await used()];
    expect(second.files.dir).not.toBe(first.files.dir);
    expect(second.lease.block).not.toBe(first.lease.block);
    await places.giveBack(first, false);
    await places.giveBack(second, false);
  });

  it('hands a clean place on with its certificates', async () => {
    const first = await used();
    await places.giveBack(first, true);
    const second = await places.take();
    expect(second).toBe(first);
    expect(existsSync(join(second.files.dir, 'pki'))).toBe(true);
    await places.giveBack(second, false);
  });

  it('removes a place that is not clean', async () => {
    const first = await used();
    await places.giveBack(first, false);
    expect(existsSync(first.files.dir)).toBe(false);
    const second = await used();
    expect(second.files.dir).not.toBe(first.files.dir);
    await places.giveBack(second, false);
  });

  it('keeps nothing once it is stopped', async () => {
    const first = await used();
    await places.giveBack(first, true);
    await places.stop();
    expect(existsSync(first.files.dir)).toBe(false);
  });
});
