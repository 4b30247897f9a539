import { ConfigError } from '@orrery/component';

/** Features that upstream has off by default and that something here depends on. */
const DEFAULTS = { StorageVersionAPI: false };

export type FeatureGates = Readonly<Record<keyof typeof DEFAULTS, boolean>>;

const isKnown = (name: string): name is keyof FeatureGates => Object.hasOwn(DEFAULTS, name);

/** `StorageVersionAPI=true`. Throws ConfigError for others. */
export function toFeatureGates(terms: readonly string[]): FeatureGates {
  const gates: Record<keyof FeatureGates, boolean> = { ...DEFAULTS };
  for (const term of terms) {
    const [name = '', value = ''] = term.split('=', 2);
    if (!isKnown(name)) {
      const known = Object.keys(DEFAULTS).join(', ');
      throw new ConfigError(`--feature-gates: ${JSON.stringify(name)} is not one of ${known}`);
    }
    if (value !== 'true' && value !== 'false')
      throw new ConfigError(`--feature-gates: ${name} must be true or false`);
    gates[name] = value === 'true';
  }
  return gates;
}
