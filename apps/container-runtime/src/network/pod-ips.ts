import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CriError } from '@orrery/cri';

const toNumber = (ip: string): number =>
  ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

const toText = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

interface Range {
  readonly cidr: string;
  readonly first: number;
  readonly size: number;
}

/** An IPv4 block; undefined for anything else. */
export function parseCidr(cidr: string): Range | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(cidr);
  const bits = Number(match?.[2]);
  if (!match || bits > 30 || bits < 8) return undefined;
  const size = 2 ** (32 - bits);
  const address = toNumber(match[1] ?? '');
  return { cidr, first: address - (address % size), size };
}

/** Hands out addresses of the node's pod CIDR, least recently used first, never those ending in .0 or .255. */
export class PodIps {
  private range: Range | undefined;
  private next = 0;
  private readonly used = new Set<string>();

  constructor(private readonly root: string) {
    try {
      const saved = JSON.parse(readFileSync(this.file, 'utf8')) as {
        podCidr: string;
        next: number;
      };
      this.range = parseCidr(saved.podCidr);
      this.next = saved.next;
    } catch {
      this.range = undefined;
    }
  }

  private get file(): string {
    return join(this.root, 'network.json');
  }

  get podCidr(): string {
    return this.range?.cidr ?? '';
  }

  /** Empty text changes nothing, as the kubelet sends it while the node has no CIDR. */
  setPodCidr(cidr: string): void {
    if (cidr === '' || cidr === this.range?.cidr) return;
    const range = parseCidr(cidr.split(',')[0] ?? '');
    if (!range) throw new CriError('INVALID_ARGUMENT', `invalid pod CIDR "${cidr}"`);
    this.range = range;
    this.next = 0;
    this.save();
  }

  private save(): void {
    writeFileSync(`${this.file}.new`, JSON.stringify({ podCidr: this.podCidr, next: this.next }));
    renameSync(`${this.file}.new`, this.file);
  }

  /** Marks an address of a sandbox that was found at start. */
  reserve(ip: string): void {
    this.used.add(ip);
  }

  allocate(): string {
    const { range } = this;
    if (!range)
      throw new CriError(
        'UNKNOWN',
        'failed to setup network for sandbox: the pod CIDR of this node is not known yet',
      );
    for (let tried = 0; tried < range.size; tried++) {
      // .0 is the network, .1 is kept for a bridge as CNI's host-local does, so the first pod gets .2.
      const offset = 2 + ((this.next + tried) % (range.size - 2));
      const ip = toText(range.first + offset);
      if (/\.(?:0|255)$/.test(ip) || this.used.has(ip)) continue;
      this.next = (offset - 1) % (range.size - 2);
      this.used.add(ip);
      this.save();
      return ip;
    }
    throw new CriError(
      'RESOURCE_EXHAUSTED',
      `failed to setup network for sandbox: no IP addresses available in range ${range.cidr}`,
    );
  }

  release(ip: string): void {
    this.used.delete(ip);
  }
}
