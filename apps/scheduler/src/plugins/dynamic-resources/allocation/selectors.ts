import { DeviceSelectorProgram } from '@orrery/api';
import type { DeviceSelector } from '@orrery/api';
import { AllocationError } from './allocation-error.js';
import type { Candidate } from './pools.js';

/** Expressions that are kept compiled. */
const MAX_PROGRAMS = 100;

/** Compiles expressions once; what devices they select is remembered with the devices. */
export class Selectors {
  readonly #programs = new Map<string, DeviceSelectorProgram>();

  /** Whether all select the device. `whose` begins the message of the AllocationError that a broken one throws. */
  match(
    whose: string,
    selectors: readonly DeviceSelector[] | undefined,
    candidate: Candidate,
  ): boolean {
    return (selectors ?? []).every(({ cel }, i) => {
      const where = `${whose}: selector #${i}`;
      if (!cel)
        throw new AllocationError(`${where}: CEL expression empty (unsupported selector type?)`);
      const program = this.#compiled(cel.expression);
      if (program.problem !== undefined)
        throw new AllocationError(`${where}: CEL compile error: ${program.problem}`);
      try {
        return program.matches(candidate.driver, candidate.device);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new AllocationError(`${where}: CEL runtime error: ${why}`);
      }
    });
  }

  #compiled(expression: string): DeviceSelectorProgram {
    const known = this.#programs.get(expression);
    if (known) return known;
    const [oldest] = this.#programs.keys();
    if (this.#programs.size >= MAX_PROGRAMS && oldest !== undefined) this.#programs.delete(oldest);
    const program = new DeviceSelectorProgram(expression);
    this.#programs.set(expression, program);
    return program;
  }
}
