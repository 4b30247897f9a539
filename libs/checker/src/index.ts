/**
 * Proves or disproves what the API promises: records what clients, watches and informers saw, and checks it against the
 * store's own log and against a sequential model of a Kubernetes object. No network; time and chance are given.
 *
 * A harness makes a {@link HistoryRecorder}, lets clients run, adds the log, and asks {@link checkHistory}; a history that is
 * not ok is kept as JSON lines and drawn with {@link renderTimeline}. The checkers are tested on seeded lies (`MUTANTS`).
 */
export { checkHistory } from './checkers/check-history.js';
