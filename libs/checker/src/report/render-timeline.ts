import type { CheckResult, Violation } from '../checkers/verdict.js';
import type { History } from '../history/history.js';
import { element, escapeText } from './markup.js';
import { describeCall, drawTimeline } from './timeline-chart.js';
import { formatVerdicts } from './verdict-table.js';

export interface TimelineOptions {
  readonly title: string;
  /** Pixels for each operation; the chart is between 1,000 and 60,000 wide. Default 14. */
  readonly pixelsPerOperation?: number;
}

const STYLE = `
body{font:14px system-ui,sans-serif;margin:24px;color:#1b1f24;background:#fff}
pre{background:#f6f8fa;padding:12px;overflow:auto}.chart{overflow-x:auto;border:1px solid #d0d7de}
svg text{font:10px ui-monospace,monospace}.name{font-weight:600}.label{fill:#fff}.time,.fault-name{fill:#57606a}
.write{fill:#1f6feb}.read{fill:#2da44e}.fail{fill:#8c959f}.unknown{fill:#d4a72c}
.impossible{fill:#cf222e;stroke:#000;stroke-width:2}
.axis{stroke:#eaeef2}.fault{fill:#fff1e5}.watch{fill:#d8dee4}
.log-put,.ADDED{fill:#1f6feb}.MODIFIED{fill:#8250df}.log-delete,.DELETED{fill:#57606a}.BOOKMARK{fill:#2da44e}.ERROR{fill:#cf222e}
.legend span{display:inline-block;padding:2px 8px;margin-right:6px;color:#fff;border-radius:3px}
.red{color:#cf222e;font-weight:600}`;

const LEGEND = [
  ['write', '#1f6feb'],
  ['read', '#2da44e'],
  ['refused', '#8c959f'],
  ['outcome unknown', '#d4a72c'],
  ['first impossible operation', '#cf222e'],
] as const;

/** One HTML page without anything from elsewhere: verdicts, the first impossible operation, and the history as a chart. */
export function renderTimeline(
  history: History,
  results: readonly CheckResult[],
  { title, pixelsPerOperation = 14 }: TimelineOptions,
): string {
  const first = firstViolation(results);
  const culprit = first?.operation;
  const wanted = history.operations.length * pixelsPerOperation;
  const width = Math.min(60_000, Math.max(1_000, wanted));
  const labels = Object.entries(history.labels).map(([name, value]) => `${name} ${value}`);
  const head = element(
    'head',
    {},
    '<meta charset="utf-8">',
    element('title', {}, escapeText(title)),
    element('style', {}, STYLE),
  );
  const body = element(
    'body',
    {},
    element('h1', {}, escapeText(title)),
    element('p', {}, escapeText(labels.join(', '))),
    element('pre', {}, escapeText(formatVerdicts(results))),
    first ? drawViolation(first) : '',
    element('p', { class: 'legend' }, ...LEGEND.map(([name, color]) => drawLegend(name, color))),
    element('div', { class: 'chart' }, drawTimeline(history, { culprit, width })),
  );
  return `<!doctype html>\n${element('html', { lang: 'en' }, head, body)}\n`;
}

/** The earliest operation that cannot be explained; without one, the first violation of all. */
export function firstViolation(results: readonly CheckResult[]): Violation | undefined {
  const violations = results.flatMap((result) => result.violations);
  const byTime = violations.filter(({ operation }) => operation !== undefined);
  byTime.sort((a, b) => (a.operation?.call ?? 0) - (b.operation?.call ?? 0));
  return byTime[0] ?? violations[0];
}

function drawLegend(name: string, color: string): string {
  return element('span', { style: `background:${color}` }, name);
}

function drawViolation({ rule, message, operation }: Violation): string {
  const call = operation ? element('pre', {}, escapeText(describeCall(operation))) : '';
  return element('p', { class: 'red' }, escapeText(`${rule}: ${message}`)) + call;
}
