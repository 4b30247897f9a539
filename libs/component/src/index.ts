/**
 * What every component is made of: time and chance as injected values, logging, configuration, start and stop.
 */
export type { Cancel, Clock } from './clock.js';
export { CLOCK, SystemClock, toMicroTime, toTime } from './clock.js';
export type { Random } from './random.js';
export { RANDOM, SystemRandom, randomSuffix } from './random.js';
export type { LogValue, Logger, LoggerOptions } from './logger.js';
export { LOGGER, createLogger, silentLogger } from './logger.js';
export { LOW_PORT_OFFSET, reachablePort } from './low-ports.js';
