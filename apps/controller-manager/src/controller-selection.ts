import { ConfigError } from '@orrery/component';
import type { ControllerManagerOptions } from './config/options.js';
import type { ControllerEntry } from './controller-entry.js';

const shortName = (name: string): string => name.replace(/-controller$/, '');

/** The controllers that --controllers asks for. Throws ConfigError for a name that is none. */
export function selectControllers(
  all: readonly ControllerEntry[],
  options: ControllerManagerOptions,
): ControllerEntry[] {
  const wanted = new Set<string>();
  const refused = new Set<string>();
  for (const term of options.controllers) {
    const name = term.replace(/^-/, '');
    if (name !== '*' && !all.some((entry) => isNamed(entry, name)))
      throw new ConfigError(
        `--controllers: ${JSON.stringify(name)} is not one of ${all.map((e) => e.name).join(', ')}`,
      );
    (term.startsWith('-') ? refused : wanted).add(name);
  }
  const asked = (entry: ControllerEntry): boolean => {
    if ([...refused].some((name) => isNamed(entry, name))) return false;
    return wanted.has('*') || [...wanted].some((name) => isNamed(entry, name));
  };
  return all.filter((entry) => asked(entry) && (entry.enabled?.(options) ?? true));
}

const isNamed = (entry: ControllerEntry, name: string): boolean =>
  entry.name === name || shortName(entry.name) === name;
