import { parseQuantity, quantityValue } from '@orrery/apimachinery';
import { ConfigError, parseDuration } from '@orrery/component';

/** Upstream's names of what a node can run short of. */
export const SIGNALS = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'pid.available',
] as const;
export type Signal = (typeof SIGNALS)[number];

export interface Threshold {
  readonly signal: Signal;
  /** Absolute, or a share of the capacity. */
  readonly quantity:
    { readonly amount: number; readonly text: string } | { readonly share: number };
  /** 0 = hard. */
  readonly graceMs: number;
  /** What is freed beyond the threshold before the signal counts as well again. */
  readonly reclaim: number;
}

/** `memory.available<100Mi,nodefs.available<10%` as a map. */
export function parseList(
  text: string,
  separator: '<' | '=',
  flag: string,
): Record<string, string> {
  const entries = text.split(',').filter((part) => part.trim() !== '');
  return Object.fromEntries(
    entries.map((part) => {
      const [name = '', value, ...rest] = part.trim().split(separator);
      if (!value || rest.length > 0)
        throw new ConfigError(`${flag}: invalid eviction threshold syntax "${part}"`);
      return [name.trim(), value.trim()];
    }),
  );
}

function signalOf(name: string, flag: string): Signal {
  const signal = SIGNALS.find((one) => one === name);
  if (!signal) throw new ConfigError(`${flag}: unsupported eviction signal ${name}`);
  return signal;
}

function quantityOf(text: string, at: string): Threshold['quantity'] {
  if (text.endsWith('%')) {
    const share = Number(text.slice(0, -1)) / 100;
    if (!(share >= 0 && share <= 1))
      throw new ConfigError(`${at}: eviction percentage threshold must be >= 0% and <= 100%`);
    return { share };
  }
  try {
    return { amount: quantityValue(parseQuantity(text)), text };
  } catch (error) {
    throw new ConfigError(`${at}: ${text} is no quantity`, { cause: error });
  }
}

export interface EvictionSettings {
  readonly hard: Readonly<Record<string, string>>;
  readonly soft: Readonly<Record<string, string>>;
  readonly softGracePeriod: Readonly<Record<string, string>>;
  readonly minimumReclaim: Readonly<Record<string, string>>;
}

/** Checked thresholds; those of 0 are off. */
export function parseThresholds(settings: EvictionSettings): Threshold[] {
  const reclaimOf = (signal: string): number => {
    const text = settings.minimumReclaim[signal];
    const quantity = text === undefined ? undefined : quantityOf(text, 'evictionMinimumReclaim');
    return quantity && 'amount' in quantity ? quantity.amount : 0;
  };
  const list = (map: Readonly<Record<string, string>>, flag: string, soft: boolean): Threshold[] =>
    Object.entries(map).map(([name, text]) => {
      const grace = settings.softGracePeriod[name];
      if (soft && grace === undefined)
        throw new ConfigError(
          `evictionSoftGracePeriod: grace period must be specified for the soft eviction threshold ${name}`,
        );
      const graceMs = soft ? parseDuration(grace ?? '') : 0;
      if (graceMs === undefined)
        throw new ConfigError(`evictionSoftGracePeriod.${name}: ${grace ?? ''} is no duration`);
      const signal = signalOf(name, flag);
      return {
        signal,
        quantity: quantityOf(text, `${flag}.${name}`),
        graceMs,
        reclaim: reclaimOf(name),
      };
    });
  const all = [
    ...list(settings.hard, 'evictionHard', false),
    ...list(settings.soft, 'evictionSoft', true),
  ];
  return all.filter(({ quantity }) => ('share' in quantity ? quantity.share : quantity.amount) > 0);
}

/** The threshold as an amount of what the node has. */
export const amountOf = ({ quantity }: Threshold, capacity: number): number =>
  'share' in quantity ? Math.floor(quantity.share * capacity) : quantity.amount;
