import type { InformerRecord } from '../../history/informer-record.js';
import type { Mutant, Victim } from './mutation.js';
import { replaceOne } from './mutation.js';

const checker = 'informer-convergence';

function changeInformer(
  change: (informer: InformerRecord, victim: Victim) => InformerRecord | undefined,
): Mutant['apply'] {
  return (victim) => {
    const { history, random } = victim;
    const informers = replaceOne(random, history.informers, (item) => change(item, victim));
    return informers && { ...history, informers };
  };
}

/** Lies of informers. */
export const INFORMER_MUTANTS: readonly Mutant[] = [
  {
    name: 'informer that goes back in revision',
    checker,
    rule: 'went-back',
    apply: changeInformer((informer) => {
      const change = informer.steps.find(({ type }) => type === 'change');
      if (change?.type !== 'change') return undefined;
      const back = { type: 'bookmark', rv: change.object.rv - 1 } as const;
      return { ...informer, steps: [...informer.steps, back] };
    }),
  },
  {
    name: 'informer that relists from a lagging server',
    checker,
    rule: 'went-back',
    apply: changeInformer((informer, { log }) => {
      const at = informer.steps.findLastIndex(
        ({ type }, i) => type === 'change' && i < informer.steps.length - 1,
      );
      const last = informer.steps[at];
      if (last?.type !== 'change') return undefined;
      const rv = last.object.rv - 1;
      const items = log.snapshot(informer.scope, rv, informer.selector);
      const stale = { type: 'replace', reason: 'relist', rv, items } as const;
      const steps = [...informer.steps.slice(0, at + 1), stale, ...informer.steps.slice(at)];
      return { ...informer, steps };
    }),
  },
  {
    name: 'informer that missed the last event',
    checker,
    rule: 'not-converged',
    apply: changeInformer((informer) => {
      const [object, ...store] = informer.store;
      if (!object) return undefined;
      const steps = informer.steps.filter(
        (step) => step.type !== 'change' || step.object.key !== object.key,
      );
      return { ...informer, steps, store };
    }),
  },
  {
    name: 'informer that keeps a deleted object',
    checker,
    rule: 'not-converged',
    apply: changeInformer((informer) => {
      const gone = informer.steps.findLast(
        (step) =>
          step.type === 'change' &&
          step.change === 'DELETED' &&
          !informer.store.some(({ key }) => key === step.object.key),
      );
      if (gone?.type !== 'change') return undefined;
      const steps = informer.steps.filter((step) => step !== gone);
      return { ...informer, steps, store: [...informer.store, gone.object] };
    }),
  },
  {
    name: 'informer whose list is not a snapshot',
    checker,
    rule: 'wrong-list',
    apply: changeInformer((informer) => {
      const at = informer.steps.findIndex(
        (step) => step.type === 'replace' && step.items.length > 0,
      );
      const step = informer.steps[at];
      if (step?.type !== 'replace') return undefined;
      const steps = informer.steps.with(at, { ...step, items: step.items.slice(1) });
      return { ...informer, steps };
    }),
  },
];
