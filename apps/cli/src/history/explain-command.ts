import { parseFlags } from '@orrery/component';
import {
  describeObject,
  describeRoot,
  explanationPage,
  explanationPicture,
  stepsOf,
} from '@orrery/history';
import type { ChainLink, Explanation, Step } from '@orrery/history';
import { readCommandLine } from './arguments.js';
import { explainPodScheduling } from './explain-scheduling.js';
import { ExplainFlags } from './history-flags.js';
import { HistoryServer } from './history-server.js';
import { clockTime, signOf } from './lines.js';
import { findResource, objectPath, parseSubject } from './resource-names.js';

const TIME_WIDTH = 12;

function marginOf({ kind, time, revision, afterMs }: Step): string {
  const clock = kind === 'asks' || kind === 'saved' ? clockTime(time ? { time } : {}) : '';
  const at = kind === 'saved' && revision !== undefined ? `@${revision}` : '';
  const after = afterMs === undefined ? '' : `+${afterMs} ms`;
  return `${clock.padEnd(TIME_WIDTH)}  ${at.padEnd(9)} ${after.padStart(9)}`;
}

function stepLine(step: Step, index: number): string {
  const inferred = step.inferredBy === undefined ? '' : `  [inferred: ${step.inferredBy}]`;
  return `${String(index + 1).padStart(3)}  ${marginOf(step)}  ${step.text}${inferred}`;
}

function relatedLine(link: ChainLink): string {
  const because = link.because ? `  because of @${link.because.revision}` : '';
  return `     ${clockTime(link)}  @${link.revision}  ${signOf(link)} ${describeObject(link.object)}: ${link.summary}${because}`;
}

/** A causal chain as text: one numbered line a step. */
export function explainText(explanation: Explanation): string {
  const { object, revision, related = [] } = explanation;
  const root = describeRoot(explanation);
  const home = object.namespace ? ` in ${object.namespace}` : '';
  const steps = stepsOf(explanation);
  const date = explanation.chain[0]?.time?.slice(0, 10);
  return [
    `${describeObject(object, object.namespace)}${home}, why it is as it is at revision ${revision}${date ? ` (${date}, UTC)` : ''}`,
    ...(root === '' ? [] : [`     ${root}`]),
    ...steps.map(stepLine),
    ...(related.length === 0
      ? []
      : ['', '  meanwhile, from the same cause:', ...related.map(relatedLine)]),
  ].join('\n');
}

function shown(explanation: Explanation, output: string): string {
  if (output === 'json')
    return JSON.stringify({ ...explanation, steps: stepsOf(explanation) }, null, 2);
  if (output === 'svg') return explanationPicture(explanation);
  if (output === 'html') return explanationPage(explanation);
  return explainText(explanation);
}

/** `orrery explain TYPE/NAME`: the causal chain of a state, back to the request that started it. */
export async function explain(
  argv: readonly string[],
  print: (text: string) => void,
): Promise<void> {
  const { words, flags: long } = readCommandLine(argv);
  const flags = parseFlags(ExplainFlags, long, 'orrery explain TYPE/NAME');
  if (flags.scheduling) {
    print(await explainPodScheduling(words, flags));
    return;
  }
  const [type, name] = parseSubject(words, 'explain');
  const server = new HistoryServer(flags);
  try {
    const resource = await findResource(server, type);
    const path = objectPath(resource, server.namespace, name);
    const isPicture = flags.output === 'svg' || flags.output === 'html';
    const found = await server.get<Explanation>(`/history/explain${path}`, {
      ...(flags.at === '' || flags.at === 'now' ? {} : { at: flags.at }),
      related: String(flags.related || isPicture),
    });
    print(shown(found, flags.output));
  } finally {
    await server.close();
  }
}
