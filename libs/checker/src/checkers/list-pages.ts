import type { LogIndex } from '../history/log-index.js';
import type { Operation } from '../history/operation.js';
import { describeOperation } from '../history/operation.js';
import { describeDifference } from './placement.js';
import type { Violation } from './verdict.js';

/** All pages of one list are cuts of the snapshot at the first page's revision: nothing twice, nothing left out between. */
export function checkListPages(operations: readonly Operation[], log: LogIndex): Violation[] {
  const lists = new Map<string, Operation[]>();
  for (const operation of operations) {
    const list = operation.outcome === 'ok' ? operation.args.page?.list : undefined;
    if (list === undefined) continue;
    const pages = lists.get(list);
    if (pages) pages.push(operation);
    else lists.set(list, [operation]);
  }
  return [...lists.values()].flatMap((pages) => checkPages(pages, log) ?? []);
}

function pageIndex(page: Operation): number {
  return page.args.page?.index ?? 0;
}

function checkPages(pages: Operation[], log: LogIndex): Violation | undefined {
  pages.sort((a, b) => pageIndex(a) - pageIndex(b));
  const first = pages[0];
  if (!first || pageIndex(first) !== 0 || first.rv === undefined) return undefined;
  const snapshot = log.snapshot(first.key, first.rv, first.args.selector);
  let last = '';
  for (const [index, page] of pages.entries()) {
    if (pageIndex(page) !== index) return undefined;
    if (page.rv !== first.rv)
      return toViolation(page, `is of revision ${page.rv}, the first page of ${first.rv}`);
    const items = page.body?.items ?? [];
    const end = page.body?.more ? (items.at(-1)?.key ?? last) : '\uffff';
    const expected = snapshot.filter(({ key }) => key > last && key <= end);
    const difference = describeDifference(items, expected);
    if (difference !== undefined) return toViolation(page, `page ${index}: ${difference}`);
    last = end;
  }
  return undefined;
}

function toViolation(operation: Operation, message: string): Violation {
  return {
    checker: 'revision-order',
    rule: 'torn-list',
    message: `${describeOperation(operation)}: ${message}`,
    key: operation.key,
    ...(operation.rv === undefined ? {} : { rv: operation.rv }),
    operation,
  };
}
