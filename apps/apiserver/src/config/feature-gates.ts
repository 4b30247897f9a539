import { ConfigError, featureGates } from '@orrery/component';
import type { FeatureGate } from '@orrery/component';

const known: ReadonlyMap<string, FeatureGate> = new Map(
  featureGates.map((gate) => [gate.name, gate]),
);

/** Refuses gates that are not known, and those that would make the server another than it is. Throws ConfigError. */
export function checkFeatureGates(flags: readonly string[]): void {
  for (const flag of flags) {
    const refuse = (why: string): never => {
      throw new ConfigError(`--feature-gates: ${why}`);
    };
    const [, given = '', value] = /^(?:kube:)?([^=]*)(?:=(.*))?$/.exec(flag) ?? [];
    const name = given.trim();
    const gate = known.get(name);
    if (!gate) return refuse(`unrecognized feature gate: ${name}`);
    if (value === undefined) return refuse(`missing bool value for ${name}`);
    const isTrue = /^(1|t|T|true|TRUE|True)$/.test(value.trim());
    if (!isTrue && !/^(0|f|F|false|FALSE|False)$/.test(value.trim()))
      return refuse(`invalid value of ${name}=${value}: must be true or false`);
    if (isTrue !== gate.on)
      return refuse(
        `cannot set feature gate ${name} to ${isTrue}, feature is locked to ${gate.on}`,
      );
  }
}
