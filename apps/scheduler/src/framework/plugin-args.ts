import { FieldPath } from '@orrery/apimachinery';
import type { FieldError } from '@orrery/apimachinery';
import { ConfigError, validateConfig } from '@orrery/component';

/**
 * The arguments of a plugin from the configuration, with defaults. Throws ConfigError: for wrong types and unknown fields
 * in our words, for wrong values in upstream's.
 */
export function readArgs<T extends object>(
  Dto: new () => T,
  args: unknown,
  check: (args: T, path: FieldPath) => readonly FieldError[],
): T {
  const read = validateConfig(Dto, args ?? {}, Dto.name);
  const problems = check(read, FieldPath.of('args'));
  if (problems.length === 0) return read;
  throw new ConfigError(
    `${Dto.name}: ${problems.map(({ field, message }) => `${field}: ${message}`).join('; ')}`,
  );
}
