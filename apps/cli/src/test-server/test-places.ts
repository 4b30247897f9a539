import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { leaseBlock } from '../cluster/block-lease.js';
import type { BlockLease } from '../cluster/block-lease.js';
import { ClusterFiles } from '../cluster/layout.js';

/** Where a test cluster is: its folder and its block of addresses. */
export interface TestPlace {
  readonly files: ClusterFiles;
  readonly lease: BlockLease;
}

/**
 * The places of one test server's clusters. One where nothing ran but the API is taken over by the next cluster, with its
 * certificates, its folders and its lease: to make and remove them costs a third of a further cluster.
 */
export class TestPlaces {
  private readonly free: TestPlace[] = [];
  private made = 0;

  constructor(private readonly base: string) {}

  async take(): Promise<TestPlace> {
    const kept = this.free.pop();
    if (kept) return kept;
    this.made += 1;
    const files = new ClusterFiles(join(this.base, String(this.made)));
    return { files, lease: await leaseBlock(files.dir, {}) };
  }

  /** Takes a place back of which nobody uses anything any more. What its user wrote into a kubeconfig goes with the next certificates. */
  async giveBack(place: TestPlace, isClean: boolean): Promise<void> {
    const { files, lease } = place;
    if (isClean) {
      this.free.push(place);
      return;
    }
    await lease.release();
    await rm(files.dir, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    const all = this.free.splice(0);
    await Promise.all(all.map((place) => this.giveBack(place, false)));
  }
}
