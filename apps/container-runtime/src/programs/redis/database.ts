import type { Clock } from '@orrery/component';
import type { Reply } from './resp.js';

interface Entry {
  readonly value: Buffer;
  /** Milliseconds since the epoch; undefined = never. */
  readonly expiresAt: number | undefined;
}

const OK: Reply = { ok: 'OK' };
const NOT_INTEGER: Reply = { error: 'ERR value is not an integer or out of range' };
const SYNTAX: Reply = { error: 'ERR syntax error' };

type Command = (args: readonly Buffer[]) => Reply;

/** A glob of KEYS as a regular expression: `*`, `?` and `[...]`. */
function globOf(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${text}$`, 's');
}

/** The strings of one redis server, in memory. */
export class Database {
  private readonly entries = new Map<string, Entry>();
  /** Least number of arguments, and the command. */
  private readonly commands: Readonly<Record<string, readonly [number, Command]>> = {
    PING: [0, ([text]) => text ?? { ok: 'PONG' }],
    ECHO: [1, ([text]) => text ?? null],
    GET: [1, ([key]) => this.get(key)?.value ?? null],
    SET: [2, (args) => this.set(args)],
    DEL: [1, (keys) => this.count(keys, (key) => this.drop(key))],
    EXISTS: [1, (keys) => this.count(keys, (key) => this.get(key) !== undefined)],
    INCR: [1, ([key]) => this.add(key, 1)],
    DECR: [1, ([key]) => this.add(key, -1)],
    INCRBY: [2, ([key, by]) => this.add(key, Number(by))],
    EXPIRE: [2, ([key, seconds]) => this.expire(key, Number(seconds))],
    TTL: [1, ([key]) => this.ttl(key)],
    KEYS: [1, ([pattern]) => this.keys(String(pattern))],
    DBSIZE: [0, () => this.keys('*').length],
    FLUSHALL: [0, () => this.flush()],
    SELECT: [1, () => OK],
    COMMAND: [0, () => []],
  };

  constructor(private readonly clock: Clock) {}

  run([name, ...args]: readonly Buffer[]): Reply {
    const verb = String(name);
    const command = this.commands[verb.toUpperCase()];
    if (!command) return { error: `ERR unknown command '${verb}', with args beginning with: ` };
    if (args.length < command[0])
      return { error: `ERR wrong number of arguments for '${verb.toLowerCase()}' command` };
    return command[1](args);
  }

  private get(key: Buffer | undefined): Entry | undefined {
    const name = String(key);
    const entry = this.entries.get(name);
    if (entry?.expiresAt === undefined || entry.expiresAt > this.clock.now()) return entry;
    this.entries.delete(name);
    return undefined;
  }

  private drop(key: Buffer): boolean {
    return this.get(key) !== undefined && this.entries.delete(String(key));
  }

  private count(keys: readonly Buffer[], test: (key: Buffer) => boolean): number {
    return keys.filter((key) => test(key)).length;
  }

  private set([key, value, ...options]: readonly Buffer[]): Reply {
    let expiresAt: number | undefined;
    for (let i = 0; i < options.length; i++) {
      const option = String(options[i]).toUpperCase();
      const exists = this.get(key) !== undefined;
      if ((option === 'NX' && exists) || (option === 'XX' && !exists)) return null;
      if (option === 'NX' || option === 'XX') continue;
      const amount = Number(options[++i]);
      if ((option !== 'EX' && option !== 'PX') || !Number.isInteger(amount)) return SYNTAX;
      expiresAt = this.clock.now() + amount * (option === 'EX' ? 1_000 : 1);
    }
    this.entries.set(String(key), { value: Buffer.from(value ?? ''), expiresAt });
    return OK;
  }

  private add(key: Buffer | undefined, by: number): Reply {
    const entry = this.get(key);
    const sum = Number(entry?.value ?? 0) + by;
    if (!Number.isSafeInteger(sum)) return NOT_INTEGER;
    this.entries.set(String(key), {
      value: Buffer.from(String(sum)),
      expiresAt: entry?.expiresAt,
    });
    return sum;
  }

  private expire(key: Buffer | undefined, seconds: number): Reply {
    if (!Number.isInteger(seconds)) return NOT_INTEGER;
    const entry = this.get(key);
    if (!entry) return 0;
    const expiresAt = this.clock.now() + seconds * 1_000;
    this.entries.set(String(key), { ...entry, expiresAt });
    return 1;
  }

  private ttl(key: Buffer | undefined): number {
    const entry = this.get(key);
    if (!entry) return -2;
    if (entry.expiresAt === undefined) return -1;
    return Math.ceil((entry.expiresAt - this.clock.now()) / 1_000);
  }

  private keys(pattern: string): Buffer[] {
    const glob = globOf(pattern);
    return [...this.entries.keys()]
      .filter((name) => this.get(Buffer.from(name)) && glob.test(name))
      .map((name) => Buffer.from(name));
  }

  private flush(): Reply {
    this.entries.clear();
    return OK;
  }
}
