import type { HostPort } from '../framework/pod-info.js';

const ANY = '0.0.0.0';

/** Host ports in use on a node; the address 0.0.0.0 stands for all. */
export class HostPortSet {
  readonly #addresses = new Map<string, Map<string, number>>();

  add({ ip, protocol, port }: HostPort): void {
    const key = `${protocol}/${port}`;
    const users = this.#addresses.get(key) ?? new Map<string, number>();
    users.set(ip, (users.get(ip) ?? 0) + 1);
    this.#addresses.set(key, users);
  }

  remove({ ip, protocol, port }: HostPort): void {
    const key = `${protocol}/${port}`;
    const users = this.#addresses.get(key);
    const count = (users?.get(ip) ?? 0) - 1;
    if (count > 0) users?.set(ip, count);
    else users?.delete(ip);
    if (users?.size === 0) this.#addresses.delete(key);
  }

  conflicts({ ip, protocol, port }: HostPort): boolean {
    const users = this.#addresses.get(`${protocol}/${port}`);
    if (!users) return false;
    return ip === ANY || users.has(ANY) || users.has(ip);
  }

  clone(): HostPortSet {
    const copy = new HostPortSet();
    for (const [key, users] of this.#addresses) copy.#addresses.set(key, new Map(users));
    return copy;
  }
}
