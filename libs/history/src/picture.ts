import { describeActor, describeObject } from './actor.js';
import type { ChainLink, Explanation } from './model.js';
import { describeRoot, stepsOf } from './steps.js';

const escape = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

const LANE = 250;
const ROW = 46;
const LEFT = 130;
const TOP = 76;
const BOX = { width: 232, height: 36 } as const;
const MOST_TEXT = 33;

const cut = (text: string): string =>
  text.length <= MOST_TEXT ? text : `${text.slice(0, MOST_TEXT - 1)}…`;

const STYLE = `
  text { font: 11px system-ui, sans-serif; fill: #1c2733 }
  .title { font-size: 15px; font-weight: 600 }
  .lane { font-weight: 600 }
  .rail { stroke: #dde3e9; stroke-dasharray: 2 4 }
  .time { fill: #6b7886 }
  .box { fill: #f4f6f8; stroke: #c3ccd5 }
  .box.main { fill: #fff4d6; stroke: #d79b00; stroke-width: 1.5 }
  .arrow { fill: none; stroke: #b4bec8 }
  .arrow.main { stroke: #d79b00; stroke-width: 1.8 }
  .arrow.inferred { stroke-dasharray: 5 4 }
`;

interface Placed {
  readonly link: ChainLink;
  readonly isMain: boolean;
  readonly x: number;
  readonly y: number;
}

const laneOf = (link: ChainLink): string => describeActor(link.actor);

/** Writes by revision from top to bottom, a lane for each writer in the order in which they come in. */
function place({ chain, related = [] }: Explanation): { lanes: string[]; placed: Placed[] } {
  const main = new Set(chain);
  const links = [...chain, ...related].sort((a, b) => a.revision - b.revision);
  const lanes = [...new Set([...chain.map(laneOf), ...links.map(laneOf)])];
  const placed = links.map((link, row) => ({
    link,
    isMain: main.has(link),
    x: LEFT + lanes.indexOf(laneOf(link)) * LANE,
    y: TOP + row * ROW,
  }));
  return { lanes, placed };
}

function box({ link, isMain, x, y }: Placed): string {
  const { revision, object, summary, time } = link;
  const all = `@${revision} ${describeObject(object)}: ${summary} — ${laneOf(link)} ${time ?? ''}`;
  return [
    `<g><title>${escape(all)}</title>`,
    `<text class="time" x="12" y="${y + 16}">${escape(time?.slice(11, 23) ?? '')}</text>`,
    `<text class="time" x="12" y="${y + 29}">@${revision}</text>`,
    `<rect class="box${isMain ? ' main' : ''}" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="5"/>`,
    `<text x="${x + 8}" y="${y + 15}">${escape(cut(describeObject(object)))}</text>`,
    `<text x="${x + 8}" y="${y + 29}">${escape(cut(summary))}</text></g>`,
  ].join('');
}

/** From the cause's lower edge to the effect's upper one. */
function arrow(from: Placed, to: Placed): string {
  const [x1, y1] = [from.x + BOX.width / 2, from.y + BOX.height];
  const [x2, y2] = [to.x + BOX.width / 2, to.y];
  const bend = Math.max(14, (y2 - y1) / 2);
  const isMain = from.isMain && to.isMain;
  const how = to.link.because?.how === 'inferred' ? ' inferred' : '';
  const path = `M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
  const head = isMain ? 'head-main' : 'head';
  return `<path class="arrow${isMain ? ' main' : ''}${how}" marker-end="url(#${head})" d="${path}"/>`;
}

const marker = (id: string, colour: string): string =>
  `<marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="${colour}"/></marker>`;

/** A causal chain as one self-contained SVG: a lane for each writer, time downwards, arrows from cause to effect. */
export function explanationPicture(explanation: Explanation): string {
  const { object, revision } = explanation;
  const { lanes, placed } = place(explanation);
  const byRevision = new Map(placed.map((one) => [one.link.revision, one]));
  const width = LEFT + Math.max(2, lanes.length) * LANE + 10;
  const height = TOP + placed.length * ROW + 16;
  const rails = lanes.flatMap((lane, i) => {
    const x = LEFT + i * LANE + BOX.width / 2;
    return [
      `<line class="rail" x1="${x}" x2="${x}" y1="60" y2="${height - 10}"/>`,
      `<text class="lane" text-anchor="middle" x="${x}" y="52"><title>${escape(lane)}</title>${escape(cut(lane))}</text>`,
    ];
  });
  const arrows = placed.flatMap((to) => {
    const from = to.link.because && byRevision.get(to.link.because.revision);
    return from ? [arrow(from, to)] : [];
  });
  const title = `${describeObject(object)} at revision ${revision}`;
  const root = describeRoot(explanation);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">`,
    `<style>${STYLE}</style>`,
    `<defs>${marker('head', '#b4bec8')}${marker('head-main', '#d79b00')}</defs>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text class="title" x="12" y="24">Why ${escape(title)}${root === '' ? '' : ` (${escape(root)})`}</text>`,
    ...rails,
    ...arrows,
    ...placed.map(box),
    '</svg>',
  ].join('\n');
}

/** The picture with the steps beside it, as one self-contained page. */
export function explanationPage(explanation: Explanation): string {
  const { object, revision } = explanation;
  const title = `Why ${describeObject(object)} is as it is at revision ${revision}`;
  const steps = stepsOf(explanation).map(({ kind, text, revision: at, time, inferredBy }) => {
    const when = kind === 'saved' ? `<span>${escape(`@${at ?? ''} ${time ?? ''}`)}</span>` : '';
    const how = inferredBy === undefined ? '' : ` <i>inferred: ${escape(inferredBy)}</i>`;
    return `<li class="${kind}">${escape(text)}${how} ${when}</li>`;
  });
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `<title>${escape(title)}</title>`,
    '<style>body{font:14px system-ui,sans-serif;margin:24px;color:#1c2733}li{margin:3px 0}li.sees,li.acts{color:#51606e}span{color:#6b7886;font-size:12px}i{color:#a05a00}figure{margin:16px 0;overflow-x:auto}</style>',
    `</head><body><h1 style="font-size:18px">${escape(title)}</h1>`,
    `<ol>${steps.join('\n')}</ol>`,
    `<figure>${explanationPicture(explanation)}</figure>`,
    '</body></html>',
  ].join('\n');
}
