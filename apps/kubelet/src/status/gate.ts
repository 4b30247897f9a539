/** Runs a write when its turn comes. */
export type Gate = <T>(write: () => Promise<T>) => Promise<T>;

/** Lets so many writes through at a time; the others wait in order. */
export function gateOf(width: number): Gate {
  const waiting: (() => void)[] = [];
  let free = width;
  return async (write) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await write();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
