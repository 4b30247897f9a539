import { readFileSync } from 'node:fs';

/** How long work has waited: `total` in ns, shares in per cent of the last 10, 60 and 300 s. */
export interface PressureData {
  readonly total: number;
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
}

/** `some`: at least one task waited; `full`: all did. */
export interface PressureStats {
  readonly some: PressureData;
  readonly full: PressureData;
}

export type Pressure = Readonly<Record<'cpu' | 'memory' | 'io', PressureStats>>;

const US_IN_NS = 1_000;

function dataOf(text: string, kind: 'some' | 'full'): PressureData {
  const line = text.split('\n').find((one) => one.startsWith(`${kind} `)) ?? '';
  const number = (name: string): number =>
    Number(new RegExp(`${name}=([\\d.]+)`).exec(line)?.[1] ?? 0);
  return {
    total: number('total') * US_IN_NS,
    avg10: number('avg10'),
    avg60: number('avg60'),
    avg300: number('avg300'),
  };
}

/**
 * Pressure stall information of the kernel (psi.rst), from the file that `fileOf` names for each resource; undefined
 * where the kernel keeps none.
 */
export function readPressure(fileOf: (resource: keyof Pressure) => string): Pressure | undefined {
  const read = (resource: keyof Pressure): PressureStats => {
    const text = readFileSync(fileOf(resource), 'utf8');
    return { some: dataOf(text, 'some'), full: dataOf(text, 'full') };
  };
  try {
    return { cpu: read('cpu'), memory: read('memory'), io: read('io') };
  } catch {
    return undefined;
  }
}
