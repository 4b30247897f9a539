import { isFlagSet } from '@orrery/apimachinery';

/** One line of a CRI log file: `<time> stdout|stderr P|F <text>`. */
export interface LogLine {
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** The text continues in the next line. */
  readonly partial: boolean;
  readonly text: string;
}

/** Undefined for a line that is not in CRI's format. */
export function parseLogLine(line: string): LogLine | undefined {
  const match = /^(\S+) (stdout|stderr) ([FP])(?::\S+)? (.*)$/s.exec(line);
  if (!match) return undefined;
  const [, time = '', stream, tag, text = ''] = match;
  return { time, stream: stream === 'stderr' ? 'stderr' : 'stdout', partial: tag === 'P', text };
}

export interface LogOptions {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  /** Only lines from then on; ms since the epoch. */
  readonly sinceMs: number | undefined;
  readonly stream: 'stdout' | 'stderr' | undefined;
}

function numberOf(value: string | undefined, name: string, min: number): number | undefined {
  if (value === undefined || value === '') return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < min)
    throw new RangeError(
      `${name}: Invalid value: ${value}: must be greater than or equal to ${min}`,
    );
  return number;
}

const STREAMS: Readonly<Record<string, 'stdout' | 'stderr'>> = {
  Stdout: 'stdout',
  Stderr: 'stderr',
};

/** PodLogOptions from query parameters; throws RangeError naming a bad one. */
export function parseLogOptions(
  query: Readonly<Record<string, string | undefined>>,
  nowMs: number,
): LogOptions {
  const seconds = numberOf(query['sinceSeconds'], 'sinceSeconds', 1);
  const time = query['sinceTime'] ? Date.parse(query['sinceTime']) : undefined;
  if (time !== undefined && Number.isNaN(time)) throw new RangeError('sinceTime: Invalid value');
  return {
    follow: isFlagSet(query['follow']),
    previous: isFlagSet(query['previous']),
    timestamps: isFlagSet(query['timestamps']),
    tailLines: numberOf(query['tailLines'], 'tailLines', 0),
    limitBytes: numberOf(query['limitBytes'], 'limitBytes', 1),
    sinceMs: seconds === undefined ? time : nowMs - seconds * 1000,
    stream: STREAMS[query['stream'] ?? ''],
  };
}

/** What the client sees of a line; undefined when it is filtered out. */
export function renderLine(line: string, options: LogOptions): string | undefined {
  const parsed = parseLogLine(line);
  if (!parsed) return undefined;
  if (options.stream && parsed.stream !== options.stream) return undefined;
  if (options.sinceMs !== undefined && Date.parse(parsed.time) < options.sinceMs) return undefined;
  const end = parsed.partial ? '' : '\n';
  return options.timestamps ? `${parsed.time} ${parsed.text}${end}` : `${parsed.text}${end}`;
}
