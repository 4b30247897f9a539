/**
 * What every component is made of: time and chance as injected values, logging, configuration, start and stop.
 */
export type { Cancel, Clock } from './clock.js';
export { CLOCK, SystemClock, holding, machineTime, toMicroTime, toTime } from './clock.js';
export { SteppedClock } from './stepped-clock.js';
export type { Random } from './random.js';
export { RANDOM, SystemRandom, randomSuffix } from './random.js';
export type { LogValue, Logger, LoggerOptions } from './logger.js';
export { LOGGER, createLogger, silentLogger } from './logger.js';
export { joinHostPort } from './host-port.js';
export { LOW_PORT_OFFSET, reachablePort } from './low-ports.js';
export { KUBERNETES_MAJOR, KUBERNETES_MINOR, KUBERNETES_VERSION } from './version.js';
export { inRootfs } from './rootfs.js';
export { parseDuration } from './duration.js';
export { Only, Unset } from './fixed-flags.js';
export {
  ConfigError,
  Flag,
  HelpRequested,
  IsDuration,
  flagValues,
  parseFlags,
  validateConfig,
} from './flags.js';
export type { ComponentApp, ComponentContext } from './app.js';
export { runMain, stopOnSignals } from './app.js';
export type {
  LocalAnswer,
  LocalHead,
  LocalPeer,
  LocalRequest,
  LocalServer,
  LocalStream,
} from './local-servers.js';
export { LocalServers } from './local-servers.js';
export type { GaugeOptions, HistogramOptions, MetricOptions, Metrics } from './metrics.js';
export { METRICS, createMetrics } from './metrics.js';
export { exponentialBuckets } from './buckets.js';
export { KlogLogger, formatKlog } from './klog.js';
export type { HealthOptions, HealthTls } from './health/health-server.js';
export type { HealthCheck, HealthEndpoint, HealthRequest } from './health/health-checks.js';
export {
  HealthChecks,
  PING,
  afterGrace,
  named,
  toHealthRequest,
  within,
} from './health/health-checks.js';
export type { FeatureGate } from './features/feature-gates.js';
export { featureGates, measureFeatures } from './features/feature-gates.js';
export { AnswerCache } from './answer-cache.js';
export { serveHealth } from './health/health-server.js';
export { endSocket } from './end-socket.js';
export { MAX_HEADER_BYTES } from './http-limits.js';
export type { Pressure, PressureData, PressureStats } from './kernel/pressure.js';
export { readPressure } from './kernel/pressure.js';
export { OpenSockets } from './open-sockets.js';
export { ResponseOrder } from './response-order.js';
export { Turns, giveWay, inTurns } from './turns.js';
export { WITHOUT_SCHEMAS } from './without-schemas.js';
