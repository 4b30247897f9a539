import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SystemClock } from '@orrery/component';
import type { EtcdGateway } from '../../cluster/etcd-gateway.js';
import type { RowContext } from '../row.js';
import type { KnownBug, Reproduction } from './known-bug.js';
import { withSingleEtcd } from './single-etcd.js';

const KEPT = 20;
const UNDONE = 30;
const AFTER = 60;
const QUIET_MS = 500;
const clock = new SystemClock();

async function write(gateway: EtcdGateway, count: number): Promise<number> {
  let revision = 0;
  for (let i = 0; i < count; i++) revision = await gateway.put('/bug/key', `${i}`);
  return revision;
}

/** Revisions that a watch from `after` delivers until nothing more comes. */
async function follow(gateway: EtcdGateway, after: number): Promise<readonly number[]> {
  const seen: number[] = [];
  const watch = gateway.watch(
    after + 1,
    ({ events }) => seen.push(...events.map(({ revision }) => revision)),
    () => undefined,
  );
  await clock.sleep(QUIET_MS);
  watch.close();
  return seen;
}

/**
 * etcd#16028, kubernetes#118501: a backup that is put back makes revisions go back, and whoever resumes at the last revision
 * it knew sees nothing of the new past. Here the data folder itself is the backup.
 */
export const restoreRewind: KnownBug = {
  name: 'restore rewinds revisions (etcd#16028)',
  run: (context: RowContext): Promise<Reproduction> =>
    withSingleEtcd(context, async ({ etcd, folder }) => {
      const { gateway, process } = etcd.anyone;
      const [data, backup] = [join(folder, process.name), join(folder, 'backup')];
      const kept = await write(gateway, KEPT);
      await process.stop();
      cpSync(data, backup, { recursive: true });
      await process.start();
      const known = await write(gateway, UNDONE);
      await process.stop();
      rmSync(data, { recursive: true });
      cpSync(backup, data, { recursive: true });
      await process.start();
      const back = await gateway.revision();
      const head = await write(gateway, AFTER);
      const seen = await follow(gateway, known);
      const missed = head - back - seen.length;
      return {
        isReproduced: back < known && missed > 0,
        detail: `revision ${known} became ${back} (backup of ${kept}); a watch that resumes after ${known} got ${seen.length} of ${head - back} new writes and no error`,
      };
    }),
};
