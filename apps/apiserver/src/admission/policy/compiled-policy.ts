import type { Variable } from '@orrery/api';
import type { PolicyCompiler, PolicyProgram, Program } from '@orrery/cel';

/** Does work, and takes its time. */
export type Timed = <T>(work: () => T) => T;

/** Compiles a policy once for as long as it does not change. */
export function compileOnce<P extends object, C extends object>(
  compile: (policy: P) => C,
): (policy: P, timed: Timed) => C {
  const known = new WeakMap<P, C>();
  return (policy, timed) => {
    const found = known.get(policy) ?? timed(() => compile(policy));
    known.set(policy, found);
    return found;
  };
}

/** The programs of a policy's variables, by name; one that does not compile is left out and fails where it is named. */
export function compileVariables(
  compiler: PolicyCompiler,
  variables: readonly Variable[] | undefined,
): ReadonlyMap<string, Program> {
  const programs = new Map<string, Program>();
  for (const { name, expression } of variables ?? []) {
    const compiled: PolicyProgram = compiler.addVariable(name, expression);
    if (compiled.program) programs.set(name, compiled.program);
  }
  return programs;
}
