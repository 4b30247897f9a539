import type { Clock } from '@orrery/component';
import { globOf } from './glob.js';
import { LIST_COMMANDS, NOT_INTEGER, WRONG_TYPE } from './lists.js';
import type { Reply } from './resp.js';

interface Entry {
  /** A string, or a list. */
  readonly value: Buffer | Buffer[];
  /** Milliseconds since the epoch; undefined = never. */
  readonly expiresAt: number | undefined;
}

const OK: Reply = { ok: 'OK' };
const SYNTAX: Reply = { error: 'ERR syntax error' };

/** A command met a value of another type. */
class WrongType extends Error {}

type Command = (args: readonly Buffer[]) => Reply;

/** The strings and lists of one redis server, in memory. */
export class Database {
  private readonly entries = new Map<string, Entry>();
  /** Least number of arguments, and the command. */
  private readonly commands: Readonly<Record<string, readonly [number, Command]>> = {
    PING: [0, ([text]) => text ?? { ok: 'PONG' }],
    ECHO: [1, ([text]) => text ?? null],
    GET: [1, ([key]) => this.text(key) ?? null],
    MGET: [1, (keys) => keys.map((key) => this.stringOrNull(key))],
    MSET: [2, (pairs) => this.setAll(pairs)],
    SETNX: [2, ([key, value]) => this.setNew(key, value)],
    GETSET: [2, ([key, value]) => this.swap(key, value)],
    APPEND: [2, ([key, value]) => this.append(key, value)],
    STRLEN: [1, ([key]) => this.text(key)?.length ?? 0],
    TYPE: [1, ([key]) => ({ ok: this.typeOf(key) })],
    SET: [2, (args) => this.set(args)],
    DEL: [1, (keys) => this.count(keys, (key) => this.drop(key))],
    EXISTS: [1, (keys) => this.count(keys, (key) => this.get(key) !== undefined)],
    INCR: [1, ([key]) => this.add(key, 1)],
    DECR: [1, ([key]) => this.add(key, -1)],
    INCRBY: [2, ([key, by]) => this.add(key, Number(by))],
    EXPIRE: [2, ([key, seconds]) => this.expire(key, Number(seconds))],
    TTL: [1, ([key]) => this.ttl(key)],
    PTTL: [1, ([key]) => this.ttl(key, 1)],
    PERSIST: [1, ([key]) => this.persist(key)],
    DECRBY: [2, ([key, by]) => this.add(key, -Number(by))],
    KEYS: [1, ([pattern]) => this.keys(String(pattern))],
    DBSIZE: [0, () => this.keys('*').length],
    FLUSHALL: [0, () => this.flush()],
    SELECT: [1, () => OK],
    COMMAND: [0, () => []],
  };

  constructor(private readonly clock: Clock) {}

  run([name, ...args]: readonly Buffer[]): Reply {
    const verb = String(name);
    const list = LIST_COMMANDS[verb.toUpperCase()];
    const command = list ?? this.commands[verb.toUpperCase()];
    if (!command) return { error: `ERR unknown command '${verb}', with args beginning with: ` };
    if (args.length < command[0])
      return { error: `ERR wrong number of arguments for '${verb.toLowerCase()}' command` };
    try {
      if (!list) return (command as readonly [number, Command])[1](args);
      const answer = list[1](args, (key, create) => this.list(key, create));
      this.dropEmpty(args);
      return answer;
    } catch (error) {
      if (error instanceof WrongType) return WRONG_TYPE;
      throw error;
    }
  }

  private list(key: Buffer | undefined, create: boolean): Buffer[] | undefined {
    const entry = this.get(key);
    if (entry && !Array.isArray(entry.value)) throw new WrongType();
    if (entry) return entry.value as Buffer[];
    if (!create) return undefined;
    const fresh: Buffer[] = [];
    this.entries.set(String(key), { value: fresh, expiresAt: undefined });
    return fresh;
  }

  /** A list without elements is no key. */
  private dropEmpty(keys: readonly Buffer[]): void {
    for (const key of keys.slice(0, 2)) {
      const value = this.entries.get(String(key))?.value;
      if (Array.isArray(value) && value.length === 0) this.entries.delete(String(key));
    }
  }

  private text(key: Buffer | undefined): Buffer | undefined {
    const value = this.get(key)?.value;
    if (Array.isArray(value)) throw new WrongType();
    return value;
  }

  private stringOrNull(key: Buffer): Buffer | null {
    const value = this.get(key)?.value;
    return Buffer.isBuffer(value) ? value : null;
  }

  private typeOf(key: Buffer | undefined): string {
    const value = this.get(key)?.value;
    if (value === undefined) return 'none';
    return Array.isArray(value) ? 'list' : 'string';
  }

  private setAll(pairs: readonly Buffer[]): Reply {
    if (pairs.length % 2 !== 0)
      return { error: "ERR wrong number of arguments for 'mset' command" };
    for (let i = 0; i < pairs.length; i += 2) this.set(pairs.slice(i, i + 2));
    return OK;
  }

  private setNew(key: Buffer | undefined, value: Buffer | undefined): Reply {
    if (this.get(key)) return 0;
    this.set([key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)]);
    return 1;
  }

  private swap(key: Buffer | undefined, value: Buffer | undefined): Reply {
    const before = this.text(key) ?? null;
    this.set([key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)]);
    return before;
  }

  private append(key: Buffer | undefined, more: Buffer | undefined): Reply {
    const value = Buffer.concat([this.text(key) ?? Buffer.alloc(0), more ?? Buffer.alloc(0)]);
    this.entries.set(String(key), { value, expiresAt: this.get(key)?.expiresAt });
    return value.length;
  }

  private persist(key: Buffer | undefined): Reply {
    const entry = this.get(key);
    if (entry?.expiresAt === undefined) return 0;
    this.entries.set(String(key), { ...entry, expiresAt: undefined });
    return 1;
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
    const sum = Number(this.text(key) ?? 0) + by;
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

  private ttl(key: Buffer | undefined, unitMs = 1_000): number {
    const entry = this.get(key);
    if (!entry) return -2;
    if (entry.expiresAt === undefined) return -1;
    return Math.ceil((entry.expiresAt - this.clock.now()) / unitMs);
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
