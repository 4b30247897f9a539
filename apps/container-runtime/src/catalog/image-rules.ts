import { existsSync } from 'node:fs';
import { ref } from '@orrery/api';
import type { KubeObject } from '@orrery/apimachinery';
import { connect, loadKubeconfig } from '@orrery/client';
import type { Clock, Logger, Random } from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import type { CatalogRule } from './catalog.js';

/** A rule of the image catalogue as an object of the API, in the form of a folder's rules. */
export interface ImageRule extends KubeObject {
  spec: CatalogRule;
}

export const imageRules = ref<ImageRule>('orrery.dev', 'v1', 'imagerules', 'ImageRule', false);

export interface ImageRuleWatchOptions {
  readonly kubeconfig: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Told of all rules there are, by the names of their objects. */
  readonly changed: (rules: readonly CatalogRule[]) => void;
}

const FILE_MS = 500;

const nameOf = ({ metadata }: ImageRule): string => metadata.name ?? '';

/** Why a rule cannot be used, which its schema cannot tell. */
function problemOf({ spec }: ImageRule): string | undefined {
  try {
    new RegExp(spec.match);
    new RegExp(spec.credentials ?? '');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The rules that can be used, by the names of their objects; `refuse` is told of the others. */
export function usableRules(
  objects: readonly ImageRule[],
  refuse: (rule: ImageRule, why: string) => void,
): readonly CatalogRule[] {
  return [...objects]
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    .flatMap((rule) => {
      const why = problemOf(rule);
      if (why === undefined) return [rule.spec];
      refuse(rule, why);
      return [];
    });
}

/** Follows the ImageRules of the cluster until the signal aborts; a cluster that has not the kind yet may get it. */
export async function followImageRules(
  { kubeconfig, clock, random, logger, changed }: ImageRuleWatchOptions,
  signal: AbortSignal,
): Promise<void> {
  // A node that joins is given its kubeconfig later.
  while (!existsSync(kubeconfig) && !signal.aborted)
    await clock.sleep(FILE_MS, signal).catch(() => undefined);
  if (signal.aborted) return;
  const client = connect(loadKubeconfig(kubeconfig, { userAgent: 'container-runtime' }));
  const informers = new InformerFactory({ client, clock, random, logger });
  const informer = informers.informer(imageRules);
  const refused = new Set<string>();
  const tell = (): void => {
    changed(
      usableRules(informer.lister.list(), (rule, why) => {
        const text = `${nameOf(rule)}: ${why}`;
        if (refused.has(text)) return;
        refused.add(text);
        logger.warn('an ImageRule cannot be used', { imageRule: nameOf(rule), why });
      }),
    );
  };
  informer.addHandler({ onAdd: tell, onUpdate: tell, onDelete: tell });
  try {
    await informers.start(signal);
  } finally {
    await client.close();
  }
}
