import type { History } from './history.js';
import type { InformerRecord } from './informer-record.js';
import type { LogCoverage, LogEvent } from './log-event.js';
import type { HistoryLine } from './json-lines.js';
import { collectLines, encodeLine } from './json-lines.js';
import type { Operation, OperationArgs, OperationBody, Verb } from './operation.js';
import type { Reply } from './outcome.js';
import { classifyOutcome } from './outcome.js';
import type { WatchRecord, WatchResponse } from './watch-record.js';

export interface RecorderOptions {
  /** Monotonic nanoseconds, as `process.hrtime.bigint` gives them; the recorder's first reading is its zero. */
  readonly now: () => bigint;
  /** Gets each finished line at once, so that a crash keeps what was recorded. */
  readonly sink?: (line: string) => void;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Request {
  readonly f: Verb;
  readonly key: string;
  readonly args?: OperationArgs;
}

export interface Answer extends Reply {
  readonly rv?: number;
  readonly body?: OperationBody;
}

/** An operation under way; exactly one of the two ends it. */
export interface PendingOperation {
  /** Ends it by the answer's code and reason; without a code nothing came back. Undefined = a read that says nothing, dropped. */
  end(answer: Answer): Operation | undefined;
  /** Drops an operation that was never sent. */
  discard(): void;
}

/** A watch under way. */
export interface OpenWatch {
  push(response: WatchResponse): void;
  close(drainedTo?: number): WatchRecord;
}

type WatchRequest = Omit<WatchRecord, 'id' | 'opened' | 'closed' | 'drainedTo' | 'responses'>;

/** Records what clients do and see, on one clock; one operation in flight for each client. */
export class HistoryRecorder {
  private readonly zero: bigint;
  private readonly lines: HistoryLine[] = [];
  private readonly inFlight = new Set<string>();
  private lastId = 0;

  constructor(private readonly options: RecorderOptions) {
    this.zero = options.now();
    if (options.labels) this.add({ record: 'labels', labels: options.labels });
  }

  /** Nanoseconds since the recorder was made. */
  time(): number {
    return Number(this.options.now() - this.zero);
  }

  begin(client: string, { f, key, args = {} }: Request): PendingOperation {
    if (this.inFlight.has(client)) throw new Error(`client ${client} has an operation in flight`);
    this.inFlight.add(client);
    const id = ++this.lastId;
    const call = this.time();
    return {
      end: ({ code, reason, rv, body }) => {
        this.inFlight.delete(client);
        const outcome = classifyOutcome(f, { code, reason });
        if (!outcome) return undefined;
        const ret = outcome === 'unknown' ? null : this.time();
        const operation: Operation = {
          client,
          id,
          f,
          key,
          args,
          call,
          ret,
          outcome,
          ...(reason === undefined ? {} : { reason }),
          ...(rv === undefined ? {} : { rv }),
          ...(body === undefined ? {} : { body }),
        };
        this.add({ record: 'operation', ...operation });
        return operation;
      },
      discard: () => {
        this.inFlight.delete(client);
      },
    };
  }

  /** Opens a watch; its responses get the recorder's time when they have none. */
  openWatch(request: WatchRequest): OpenWatch {
    const id = ++this.lastId;
    const opened = this.time();
    const responses: WatchResponse[] = [];
    return {
      push: (response) => {
        responses.push({ at: this.time(), ...response });
      },
      close: (drainedTo) => {
        const end = { closed: this.time(), ...(drainedTo === undefined ? {} : { drainedTo }) };
        const watch: WatchRecord = { ...request, id, opened, ...end, responses };
        this.add({ record: 'watch', ...watch });
        return watch;
      },
    };
  }

  /** Notes an event of the ground truth as received now. */
  event(event: LogEvent): void {
    this.add({ record: 'event', at: this.time(), ...event });
  }

  informer(informer: InformerRecord): void {
    this.add({ record: 'informer', ...informer });
  }

  /** Starts a fault window; the function it returns ends it. */
  fault(name: string): () => void {
    const from = this.time();
    return () => {
      this.add({ record: 'fault', name, from, to: this.time() });
    };
  }

  coverage(coverage: LogCoverage): void {
    this.add({ record: 'coverage', ...coverage });
  }

  /** Everything recorded until now. */
  history(): History {
    return collectLines(this.lines);
  }

  private add(line: HistoryLine): void {
    this.lines.push(line);
    this.options.sink?.(encodeLine(line));
  }
}
