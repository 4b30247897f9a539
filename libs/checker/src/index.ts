/**
 * Proves or disproves what the API promises: records what clients, watches and informers saw, and checks it against the
 * store's own log and against a sequential model of a Kubernetes object. No network; time and chance are given.
 *
 * A harness makes a `HistoryRecorder`, lets clients run, adds the log, and asks `checkHistory`; a history that is not ok is
 * kept as JSON lines and drawn with `renderTimeline`. The checkers themselves are held against the seeded lies of `MUTANTS`.
 */
// Recording.
export type { Labels, ObjectVersion } from './history/object-version.js';
export { canonicalLabels, inScope, isSelected } from './history/object-version.js';
export type {
  Operation,
  OperationArgs,
  OperationBody,
  Outcome,
  Verb,
} from './history/operation.js';
export { OUTCOMES, VERBS, describeOperation, isWrite } from './history/operation.js';
export type { LogCoverage, LogEvent } from './history/log-event.js';
export type {
  ChangeType,
  WatchBookmark,
  WatchChange,
  WatchFailure,
  WatchRecord,
  WatchResponse,
} from './history/watch-record.js';
export type { InformerRecord, InformerStep, ReplaceReason } from './history/informer-record.js';
export type { FaultWindow, History } from './history/history.js';
export type { Reply } from './history/outcome.js';
export { classifyOutcome } from './history/outcome.js';
export type {
  Answer,
  OpenWatch,
  PendingOperation,
  RecorderOptions,
  Request,
} from './history/recorder.js';
export { HistoryRecorder } from './history/recorder.js';
export type { HistoryLine } from './history/json-lines.js';
export { decodeHistory, decodeLine, encodeHistory, encodeLine } from './history/json-lines.js';
export type { Version } from './history/log-index.js';
export { LogIndex } from './history/log-index.js';
export type { ResolvedOperations } from './checkers/resolve-unknown.js';
export { resolveOperations } from './checkers/resolve-unknown.js';

// Checking.
export type { CheckResult, CheckerName, Verdict, Violation } from './checkers/verdict.js';
export type { CheckOptions } from './checkers/check-history.js';
export { checkHistory, overallVerdict } from './checkers/check-history.js';
export type { RevisionOrderOptions } from './checkers/revision-order.js';
export { checkRevisionOrder } from './checkers/revision-order.js';
export type { LinearizabilityOptions } from './checkers/linearizability.js';
export { checkLinearizability } from './checkers/linearizability.js';
export type { ObjectState, PresentState } from './checkers/object-model.js';
export { WATCH_VALIDATORS, checkWatches } from './checkers/watch/check-watches.js';
export { checkInformers } from './checkers/informer-convergence.js';

// Testing the checkers.
export { createSeededRandom } from './generators/seeded-random.js';
export type { GeneratorOptions } from './generators/generate-history.js';
export { generateHistory } from './generators/generate-history.js';
export type { Mutant } from './generators/mutants/mutation.js';
export { MUTANTS, applyMutant } from './generators/mutants/mutants.js';

// Showing.
export type { TimelineOptions } from './report/render-timeline.js';
export { firstViolation, renderTimeline } from './report/render-timeline.js';
export { formatVerdicts } from './report/verdict-table.js';
