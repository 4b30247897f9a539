import type { HistoryRecorder, Labels } from '@orrery/checker';
import { inScope, isSelected } from '@orrery/checker';
import type { Random } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import { NAMESPACES, toKey } from './config-map.js';
import { HttpSession } from './http-session.js';
import { RecordingClient } from './recording-client.js';
import { Workload } from './workload.js';

interface Post {
  readonly key: string;
  readonly labels: Labels;
  readonly rv: number;
}

interface FenceOptions {
  readonly recorder: HistoryRecorder;
  readonly servers: readonly string[];
  readonly random: Random;
}

const TIERS = ['a', 'b'] as const;
const TRIES = 30;
const PAUSE_MS = 200;
const clock = new SystemClock();

/** The last writes of a history: something for every watcher and informer to see, so that one knows when all has come. */
export class Fence {
  private constructor(private readonly posts: readonly Post[]) {}

  static async write({ recorder, servers, random }: FenceOptions): Promise<Fence> {
    const session = new HttpSession('fence');
    const written = new Map<string, number>();
    const workload = new Workload('fence', random);
    workload.see = ({ key, rv }) => void written.set(key, rv);
    const client = new RecordingClient({
      name: 'fence',
      session,
      recorder,
      workload,
      random,
      servers: () => servers,
      timeoutMs: 5000,
    });
    const posts: Post[] = [];
    try {
      for (const namespace of NAMESPACES)
        for (const tier of TIERS) posts.push(await writePost(namespace, tier, { client, written }));
    } finally {
      session.close();
    }
    return new Fence(posts);
  }

  /** The last revision that whoever looks at this scope through this selector must see. */
  revisionFor({ scope, selector }: { readonly scope: string; readonly selector?: Labels }): number {
    const own = this.posts.filter(
      ({ key, labels }) => inScope(scope, key) && isSelected(selector, labels),
    );
    return Math.max(...own.map(({ rv }) => rv));
  }
}

interface Writing {
  readonly client: RecordingClient;
  /** Revisions by key, as answered. */
  readonly written: ReadonlyMap<string, number>;
}

/** A create whose outcome is unknown is not made again under its name. */
async function writePost(
  namespace: string,
  tier: string,
  { client, written }: Writing,
): Promise<Post> {
  const labels = { tier };
  for (let i = 0; i < TRIES; i++) {
    const key = toKey(namespace, `zz-${tier}${i}`);
    await client.step({ f: 'create', key, args: { value: `fence-${key}`, labels } });
    const rv = written.get(key);
    if (rv !== undefined) return { key, labels, rv };
    await clock.sleep(PAUSE_MS);
  }
  throw new Error('the cluster takes no writes after the fault');
}
